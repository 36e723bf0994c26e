"""Reads: on the caller's thread where they need not wait, and on a thread of their own."""

from __future__ import annotations

import threading
import time

import apsw

from sojourn import Record

from . import _fork, _rows
from ._driver import Cursor, close
from ._errors import is_busy
from ._waiting import Job, answer
from ._worker import Connect, Pauses, Worker, in_time

_PATIENCE = 0.003
"""Seconds of the loop that a read takes for a file which was busy for the whole deadline before."""


class InlineReader:
    """One connection that never waits, for one thread at a time.

    In WAL a reader waits for nobody, but for the moments in which a file is recovered, or closed
    by the last process that had it open. Threads that meet here wait for the microseconds of a
    read. ``deadline``: seconds that ``load_when_free`` may take.
    """

    def __init__(self, connect: Connect, deadline: float) -> None:
        self._connect = connect
        self._deadline = self._patience = deadline
        self._gate = threading.Lock()
        self._cursor: Cursor | None = None
        _fork.watch(self)

    def load(self, id: str, now: float) -> Record | None:
        """The row. Raises what SQLite raises; see ``is_busy``."""
        with self._gate:
            try:
                if self._cursor is None:
                    self._cursor = self._connect().cursor()
                return _rows.load(self._cursor, id, now)
            except BaseException as error:
                # While a connection is open, no other process can close the file for good.
                if not is_busy(error):
                    self._disconnect()
                raise

    def load_when_free(self, id: str, now: float) -> Record | None:
        """``load``, tried again while the file is busy: for reads that cannot be awaited.

        A file is busy for moments, and to wait for them is better than an error. One that stays
        busy is held by a foreign program: only the first read waits for it as long as the deadline.
        """
        pauses, end = Pauses(), time.monotonic() + self._patience
        while True:
            pauses.sleep()
            try:
                record = self.load(id, now)
            except apsw.Error as error:
                if not is_busy(error) or time.monotonic() > end:
                    self._patience = _PATIENCE
                    raise
            else:
                self._patience = self._deadline
                return record

    def close(self) -> None:
        """Close the connection; the next read opens another one."""
        with self._gate:
            self._disconnect()

    def _disconnect(self) -> None:
        cursor, self._cursor = self._cursor, None
        if cursor is not None:
            close(cursor)

    # Forks, see _fork

    def before_fork(self) -> None:
        self._gate.acquire()
        self._disconnect()

    def after_fork(self, *, in_child: bool) -> None:  # noqa: ARG002 - nobody waits here
        self._gate.release()


class ReadingWorker(Worker):
    """Reads off the loop: for slow disks, for long lists, and when a read on the loop was busy."""

    def __init__(self, connect: Connect) -> None:
        super().__init__("sojourn-sqlite-reader", connect)

    def work(self, jobs: list[Job]) -> None:
        """See ``Worker``. A read that meets a lock holds up those behind it: they need it, too."""
        answer([job for job in jobs if not job.late and self._is_done(job)])

    def _is_done(self, job: Job) -> bool:
        """Read, and wait for locks; False if it took too long, and was answered."""
        pauses = Pauses()
        while True:
            with self.gate:
                error = self._read(job)
            if error is None or not is_busy(error):
                job.error = error
                return True
            if not in_time([job], error):
                return False
            pauses.sleep()

    def _read(self, job: Job) -> Exception | None:
        try:
            job.result = job.operation(self.connected(), *job.arguments)
        except Exception as error:  # noqa: BLE001 - whatever it is, it goes to whoever waits
            self.disconnect()
            return error
        return None
