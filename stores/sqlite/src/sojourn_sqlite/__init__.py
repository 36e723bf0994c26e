"""Sessions in one SQLite file, for everything that runs on one machine.

``SessionManager("sqlite:///sessions.db")`` or ``SQLiteStore(path)``. Reads happen on the caller's
thread in microseconds; one thread writes, and commits whatever waits in one transaction.
"""

from ._errors import SQLiteStoreError, Trouble
from ._store import SQLiteStore
from ._url import open_store

__all__ = ("SQLiteStore", "SQLiteStoreError", "Trouble", "open_store")
