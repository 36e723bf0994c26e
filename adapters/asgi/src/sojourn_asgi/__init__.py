"""Sojourn's sessions for Starlette, FastAPI and any other ASGI 3 application.

``SessionMiddleware`` sets up, ``get_session`` asks; ``sojourn_asgi.fastapi`` has the dependency.
"""

from ._access import get_session
from ._middleware import SessionMiddleware

__all__ = ("SessionMiddleware", "get_session")
