"""Sessions that live in their cookie alone, sealed: no server keeps anything.

``SessionManager("cookie://", keys=...)`` uses it. What it cannot promise stands in the README.
"""

from ._backend import CookieBackend
from ._url import open_store

__all__ = ("CookieBackend", "open_store")
