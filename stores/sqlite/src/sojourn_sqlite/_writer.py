"""The writer: all that waits goes into one transaction, and is answered when that is committed."""

from __future__ import annotations

from contextlib import suppress

import apsw

from . import _rows
from ._driver import Cursor, checkpoint, pages_to_copy
from ._errors import is_busy, is_own
from ._waiting import Job, answer
from ._worker import Connect, Pauses, Worker, in_time

_CHECKPOINT_AFTER = 2000
"""Pages in the WAL: 8 MB."""
_VACUUM_ABOVE = 256
"""Free pages that are kept for the next sessions; what is more goes back to the file system."""
_VACUUM_STEP = 256
_VACUUM_STEPS = 64
"""1 MB at a time, which takes some 10 ms, and 64 MB after one sweep if nobody waits."""


class Writer(Worker):
    """The one connection of this store that writes."""

    def __init__(self, connect: Connect) -> None:
        super().__init__("sojourn-sqlite-writer", connect)
        self._shrink_wanted = False

    def sweep(self, cursor: Cursor, now: float, limit: int) -> int:
        """See ``_rows.sweep``; after the last batch of a sweep, space is given back."""
        count = _rows.sweep(cursor, now, limit)
        self._shrink_wanted = count < limit
        return count

    def work(self, jobs: list[Job]) -> None:
        """See ``Worker``. Waits for other processes' locks, for each job until it gives up."""
        pauses = Pauses()
        jobs = [job for job in jobs if not job.late]
        while jobs:
            with self.gate:
                error = self._together(jobs)
            if error is None:
                answer(jobs)
                return
            if not is_busy(error):
                self._apart(jobs, error)
                return
            jobs = in_time(jobs, error)
            pauses.sleep()

    def _apart(self, jobs: list[Job], error: Exception) -> None:
        """Nothing of these was written: each gets a transaction of its own, the only one its error.

        So what one of them breaks does not harm the others.
        """
        if len(jobs) == 1:
            jobs[0].error = error
            answer(jobs)
            return
        for job in jobs:
            self.work([job])

    def _together(self, jobs: list[Job]) -> Exception | None:
        """Commit the jobs, and set what became of each; or the error, and nothing was written."""
        try:
            cursor = self.connected()
            cursor.execute("BEGIN IMMEDIATE")
            for job in jobs:
                _attempt(cursor, job)
            cursor.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - whatever it is, it goes to whoever waits
            self._undo(error)
            return error
        return None

    def _undo(self, error: Exception) -> None:
        try:
            if self.cursor is not None and self.cursor.connection.in_transaction:
                self.cursor.execute("ROLLBACK")
        except apsw.Error:
            self.disconnect()
        if not is_busy(error):
            # A new connection forgets whatever this one believes of the file.
            self.disconnect()

    def tidy(self) -> None:
        """See ``Worker``: checkpoints and shrinks. A failure loses nothing, so it is no error."""
        if self.cursor is None:
            return
        try:
            if self._shrink_wanted:
                self._shrink_wanted = False
                self._shrink(self.cursor)
            elif pages_to_copy(self.cursor) >= _CHECKPOINT_AFTER:
                checkpoint(self.cursor.connection)
        except apsw.Error:
            self.disconnect()

    def finish(self) -> None:
        """See ``Worker`` and ``checkpoint``."""
        if self.cursor is not None:
            with suppress(apsw.Error):
                checkpoint(self.cursor.connection)

    def _shrink(self, cursor: Cursor) -> None:
        """Give back free pages, and empty the WAL, which still holds what was deleted."""
        for _ in range(_VACUUM_STEPS):
            if not _give_back(cursor) or self.has_jobs():
                break
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _attempt(cursor: Cursor, job: Job) -> None:
    """Set the job's result, or its own refusal, which leaves the transaction and the others alone.

    Raises whatever else went wrong: then nothing of the transaction may be committed.
    """
    if job.late:
        return
    try:
        job.result, job.error = job.operation(cursor, *job.arguments), None
    except Exception as error:
        if not is_own(error) or not cursor.connection.in_transaction:
            raise
        job.error = error


def _give_back(cursor: Cursor) -> bool:
    """Give some free pages back to the file system, and say whether that was needed."""
    free: int = cursor.execute("PRAGMA freelist_count").get
    if free <= _VACUUM_ABOVE:
        return False
    step = min(free - _VACUUM_ABOVE, _VACUUM_STEP)
    # It gives one row without columns for each page.
    cursor.execute(f"PRAGMA incremental_vacuum({step})").fetchall()
    return True
