"""The writer: all that waits goes into one transaction, and is answered when that is committed."""

from __future__ import annotations

import random
import sqlite3
import time
from queue import Empty, SimpleQueue

from ._errors import is_busy
from ._waiting import Job
from ._worker import LARGEST_BATCH, Connect, Worker, attempt

_CHECKPOINT_AFTER = 400
"""Jobs between two checkpoints: at about five pages each some 8 MB of WAL."""
_VACUUM_ABOVE = 256
"""Free pages that are kept for the next sessions; what is more goes back to the file system."""
_VACUUM_STEP = 256
_LONGEST_PAUSE = 0.01


class Writer(Worker):
    """The one connection of this process that writes."""

    def __init__(self, connect: Connect) -> None:
        super().__init__("sojourn-sqlite-writer")
        self._connect = connect
        self._since_checkpoint = 0
        self._shrink_wanted = False

    def shrink_soon(self) -> None:
        """Give space back after the present batch."""
        self._shrink_wanted = True

    def work(self, jobs: list[Job], queue: SimpleQueue[Job | None]) -> None:
        """See ``Worker``. Waits for other processes' locks, job by job until its deadline."""
        waiting, pause = jobs, 0.0005
        while waiting:
            with self.gate:
                busy = self._commit(waiting)
            if busy is None:
                return
            # SQLite's own handler sleeps up to 100 ms at a time, which starves a busy process.
            time.sleep(random.uniform(0, pause))  # noqa: S311 - jitter
            pause = min(pause * 1.5, _LONGEST_PAUSE)
            now = time.monotonic()
            for job in waiting:
                if job.give_up_at <= now:
                    job.error, job.late = busy, True
            waiting = [job for job in waiting if not job.late]
            if len(jobs) < LARGEST_BATCH and not any(job.late for job in jobs):
                join(jobs, waiting, queue)

    def _commit(self, jobs: list[Job]) -> Exception | None:
        """Carry out all jobs in one transaction; the error if the file is locked."""
        error = self._together(jobs)
        if error is None or is_busy(error):
            return error
        # One of them broke the transaction of all: each on its own, so the others are not harmed.
        for job in jobs:
            job.error = error if len(jobs) == 1 else self._together([job])
        if any(isinstance(job.error, sqlite3.Error) for job in jobs):
            self.disconnect()
        return None

    def _together(self, jobs: list[Job]) -> Exception | None:
        """Commit the jobs; the error if nothing was committed."""
        begun = [job for job in jobs if not job.late]
        try:
            connection = self.connection = self.connection or self._connect()
            connection.execute("BEGIN IMMEDIATE")
        except Exception as error:  # noqa: BLE001 - goes to whoever waits
            return error
        try:
            for job in begun:
                error = attempt(job, connection)
                if error is not None and not connection.in_transaction:
                    return error
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            _roll_back(connection)
            return error
        self._since_checkpoint += len(begun)
        return None

    def tidy(self) -> None:
        """See ``Worker``: checkpoints and shrinks. Failing here loses nothing, so it is no error."""
        if self.connection is None:
            return
        try:
            if self._shrink_wanted:
                self._shrink_wanted, self._since_checkpoint = False, 0
                _shrink(self.connection)
            elif self._since_checkpoint >= _CHECKPOINT_AFTER:
                self._since_checkpoint = 0
                self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.Error:
            self.disconnect()


def join(jobs: list[Job], waiting: list[Job], queue: SimpleQueue[Job | None]) -> None:
    """Let those who came meanwhile into the batch."""
    try:
        while len(jobs) < LARGEST_BATCH:
            job = queue.get_nowait()
            if job is None:
                queue.put(None)
                return
            jobs.append(job)
            waiting.append(job)
    except Empty:
        return


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        try:
            connection.execute("ROLLBACK")
        except sqlite3.Error:
            # The journal of a connection that cannot even roll back is undone by the next one.
            connection.close()


def _shrink(connection: sqlite3.Connection) -> None:
    """Empty the WAL, which still holds what was deleted, and give back free pages."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    if free > _VACUUM_ABOVE:
        step = min(free - _VACUUM_ABOVE, _VACUUM_STEP)
        connection.execute(f"PRAGMA incremental_vacuum({step})").fetchall()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
