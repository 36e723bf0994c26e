"""Sojourn's store in PostgreSQL: one statement per operation, on asyncio.

>>> SessionManager("postgresql://user@localhost/app")
"""

from ._schema import schema
from ._store import PostgresStore
from ._url import open_store

__all__ = ("PostgresStore", "open_store", "schema")
