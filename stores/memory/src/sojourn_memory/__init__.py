"""Sessions in the memory of one process, for tests and small services.

``MemoryStore`` keeps every promise of a store on disk, except that its rows end with the process
and no other process sees them. ``SessionManager("memory://")`` makes one.
"""

from ._store import MemoryFullError, MemoryStore
from ._url import open_store

__all__ = ("MemoryFullError", "MemoryStore", "open_store")
