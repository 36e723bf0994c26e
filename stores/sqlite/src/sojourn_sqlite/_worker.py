"""One thread with one connection: takes whatever waits, works it off, answers all at once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from ._waiting import Job, answer

LARGEST_BATCH = 500
"""Jobs that are answered together: more would let the first ones wait for nothing."""

_Item = Job | None
"""None ends the thread."""


class Worker:
    """A thread that starts with the first job and ends with ``stop``.

    ``gate`` is held while the connection is in use, so that a fork can wait for a quiet moment.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: SimpleQueue[_Item] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self.gate = threading.Lock()
        self.connection: sqlite3.Connection | None = None

    def submit(self, job: Job) -> None:
        """Queue the job; it is answered by ``sojourn_sqlite._waiting.answer``."""
        self._queue.put(job)
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def stop(self) -> threading.Thread | None:
        """Let the thread finish what is queued and end; the thread, if there is one."""
        with self._starting:
            thread, self._thread = self._thread, None
            if thread is not None:
                # A later job starts another thread, which must not find this one's end.
                self._queue.put(None)
                self._queue = SimpleQueue()
        return thread

    def _run(self) -> None:
        queue = self._queue
        while True:
            first = queue.get()
            batch = [] if first is None else take(queue, first)
            is_last = first is None or None in batch
            jobs = [job for job in batch if job is not None]
            if jobs:
                self.work(jobs, queue)
                answer(jobs)
                with self.gate:
                    self.tidy()
            if is_last:
                with self.gate:
                    self.disconnect()
                return

    def work(self, jobs: list[Job], queue: SimpleQueue[_Item]) -> None:
        """Carry out the jobs, and set the result or the error of each."""
        raise NotImplementedError

    def tidy(self) -> None:
        """What has time until everybody was answered."""

    def disconnect(self) -> None:
        """Close the connection; the next job opens another one."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()


def take(queue: SimpleQueue[_Item], first: Job) -> list[_Item]:
    """The first job and what waits behind it."""
    batch: list[_Item] = [first]
    try:
        while len(batch) < LARGEST_BATCH and batch[-1] is not None:
            batch.append(queue.get_nowait())
    except Empty:
        pass
    return batch


def attempt(job: Job, connection: sqlite3.Connection) -> Exception | None:
    """Carry out one job; the error, if there was one."""
    try:
        job.result, job.error = job.operation(connection, *job.arguments), None
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the caller's and not ours
        job.error = error
    return job.error


Connect = Callable[[], sqlite3.Connection]


class ReadingWorker(Worker):
    """Reads off the loop: for slow disks, for long lists, and when a read on the loop was busy."""

    def __init__(self, connect: Connect) -> None:
        super().__init__("sojourn-sqlite-reader")
        self._connect = connect

    def work(self, jobs: list[Job], queue: SimpleQueue[_Item]) -> None:  # noqa: ARG002
        """See ``Worker``."""
        with self.gate:
            for job in jobs:
                if not job.late:
                    self._read(job)

    def _read(self, job: Job) -> None:
        try:
            self.connection = self.connection or self._connect()
        except Exception as error:  # noqa: BLE001 - as in attempt
            job.error = error
            return
        if isinstance(attempt(job, self.connection), sqlite3.Error):
            self.disconnect()
