"""apsw, as far as it is used here.

Its own types name ``collections.abc.Buffer``, which Python 3.11 does not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

import apsw


class Cursor(Protocol):
    """Carries out one statement at a time, on a connection that may have several cursors."""

    @property
    def connection(self) -> Connection:
        """Whose cursor it is."""
        ...

    @property
    def get(self) -> Any:
        """The one row of the statement, or its one value; None if there is none.

        Takes the statement to its end: a read that stays open keeps the WAL from being emptied.
        """
        ...

    def execute(self, statements: str, bindings: Sequence[Any] = ..., /) -> Cursor:
        """Carry out the statement up to its first row, and return this cursor."""
        ...

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows. Takes the statement to its end."""
        ...


class Connection(Protocol):
    """Is used by one thread at a time, which need not be the same one."""

    @property
    def in_transaction(self) -> bool:
        """Whether a BEGIN waits for its end."""
        ...

    def changes(self) -> int:
        """How many rows the last INSERT, UPDATE or DELETE changed."""
        ...

    def cursor(self) -> Cursor:
        """A new one; to keep it costs less than ``execute``, which makes one each time."""
        ...

    def execute(self, statements: str, bindings: Sequence[Any] = ..., /) -> Cursor:
        """``cursor().execute``."""
        ...

    def close(self) -> None:
        """Roll back what is open, and close the file. Holds Python's lock meanwhile."""
        ...


_FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_URI


def connect(uri: str) -> Connection:
    """A connection to a file that exists. Its statements wait for no lock."""
    return apsw.Connection(uri, _FLAGS)


def close(cursor: Cursor) -> None:
    """Close its connection. Says nothing of a failure: it is gone in any case."""
    with suppress(apsw.Error):
        cursor.connection.close()


def checkpoint(connection: Connection) -> None:
    """Copy into the file what is in the WAL, as far as no reader needs it. Waits for nobody.

    Whoever closes the last connection should do this before: it would do so by itself, and hold up
    all threads, as ``Connection.close`` says.
    """
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def pages_to_copy(cursor: Cursor) -> int:
    """How many pages the next checkpoint has to copy. Takes a microsecond."""
    # sqlite3_wal_checkpoint_v2 of SQLite 3.51 calls the same a misuse.
    _, written, copied = cursor.execute("PRAGMA wal_checkpoint(NOOP)").get
    return int(written) - int(copied)
