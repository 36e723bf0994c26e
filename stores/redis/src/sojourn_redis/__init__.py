"""Sojourn's store in Redis or Valkey: one round trip per load, one per commit, on asyncio.

>>> SessionManager("redis://localhost:6379/0")
"""

from ._store import RedisStore
from ._url import open_store

__all__ = ("RedisStore", "open_store")
