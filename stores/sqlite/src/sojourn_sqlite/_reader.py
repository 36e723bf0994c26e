"""Reads on the caller's thread: connections that do not wait, and are nobody's for long."""

from __future__ import annotations

import sqlite3
import time

from sojourn import Record

from . import _rows
from ._errors import is_busy
from ._worker import Connect

_PAUSES = (0.0, 0.0003, 0.001, 0.002)
"""Seconds between the tries of a read that cannot be awaited: 3 ms of the loop, and no more."""


class InlineReader:
    """A stack of idle connections: a thread takes one, reads, and puts it back.

    In WAL a reader waits for nobody, but for the moments in which a file is recovered or closed
    for good. Taking and putting back are single operations of a list, so no lock is needed.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._idle: list[sqlite3.Connection] = []

    def load(self, id: str, now: float) -> Record | None:
        """The row. Raises what SQLite raises; see ``is_busy``."""
        idle = self._idle
        try:
            connection = idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            record = _rows.load(connection, id, now)
        except BaseException:
            connection.close()
            raise
        if idle is self._idle:
            idle.append(connection)
        else:  # closed meanwhile
            connection.close()
        return record

    def load_patiently(self, id: str, now: float) -> Record | None:
        """``load``, tried again for a few milliseconds if the file is busy."""
        for pause in _PAUSES:
            try:
                return self.load(id, now)
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
                time.sleep(pause)
        return self.load(id, now)

    def warm(self) -> None:
        """Open a connection, so that the first request need not."""
        if not self._idle:
            self._idle.append(self._connect())

    def close(self) -> None:
        """Close what is idle now, and what is in use when it comes back."""
        idle, self._idle = self._idle, []
        while idle:
            idle.pop().close()
