"""One thread with one connection: takes whatever waits, works it off, answers all at once."""

from __future__ import annotations

import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from queue import Empty, SimpleQueue

from . import _fork
from ._driver import Connection, Cursor, close
from ._waiting import LARGEST_BATCH, Job, Outbox, answer

Connect = Callable[[], Connection]
_Queue = SimpleQueue["list[Job] | _Last"]

_LONGEST_PAUSE = 0.01


class _Last:
    """Ends the thread, after all that was queued before. ``jobs`` are answered at the very end."""

    def __init__(self, jobs: list[Job]) -> None:
        self.jobs = jobs


class Worker(ABC):
    """A thread that starts with the first job and ends with ``stop``.

    ``gate`` is held while the connection is in use: a fork waits for it, and a thread that still
    ends may meet its successor. The thread never takes ``_lock``, so that ``stop`` may be called
    from a finalizer, which runs on any thread at any time.
    """

    def __init__(self, name: str, connect: Connect) -> None:
        self._name = name
        self._connect = connect
        self._lock = threading.Lock()
        self._queue: _Queue = SimpleQueue()
        self._thread: threading.Thread | None = None
        self.outbox = Outbox(self.submit)
        self.gate = threading.Lock()
        self.cursor: Cursor | None = None
        _fork.watch(self)

    def submit(self, jobs: list[Job]) -> None:
        """Queue the jobs; they are answered by ``sojourn_sqlite._waiting.answer``.

        Raises RuntimeError if the system gives no thread.
        """
        with self._lock:
            if self._thread is None:
                queue: _Queue = SimpleQueue()
                thread = threading.Thread(
                    target=self._run, args=(queue,), name=self._name, daemon=True
                )
                thread.start()
                self._thread, self._queue = thread, queue
            self._queue.put(jobs)

    def stop(self, jobs: list[Job]) -> None:
        """Let the thread finish what is queued, close its connection, and answer these jobs."""
        with self._lock:
            if self._thread is not None:
                self._queue.put(_Last(jobs))
                self._thread = None
                return
        answer(jobs)

    def _run(self, queue: _Queue) -> None:
        while self._work_off(queue):
            pass

    def _work_off(self, queue: _Queue) -> bool:
        """Wait for jobs, and carry them out; False if they were the last. Keeps none of them."""
        jobs, last = _take(queue)
        if jobs:
            self.work(jobs)
            with self.gate:
                self.tidy()
        if last is None:
            return True
        with self.gate:
            self.finish()
            self.disconnect()
        answer(last.jobs)
        return False

    @abstractmethod
    def work(self, jobs: list[Job]) -> None:
        """Carry out the jobs, set the result or the error of each, and answer each once."""

    def tidy(self) -> None:  # noqa: B027 - only writers leave something to tidy
        """What has time until everybody was answered."""

    def finish(self) -> None:  # noqa: B027 - as tidy
        """What is left to do before the connection is closed for good."""

    def has_jobs(self) -> bool:
        """Whether somebody waits for what comes after this."""
        return not self._queue.empty()

    def connected(self) -> Cursor:
        """The connection's one cursor. Raises SQLiteStoreError, apsw.Error, OSError."""
        if self.cursor is None:
            self.cursor = self._connect().cursor()
        return self.cursor

    def disconnect(self) -> None:
        """Close the connection; the next job opens another one. Rolls back what is open."""
        cursor, self.cursor = self.cursor, None
        if cursor is not None:
            close(cursor)

    # Forks, see _fork

    def before_fork(self) -> None:
        self._lock.acquire()
        self.gate.acquire()
        self.disconnect()

    def after_fork(self, *, in_child: bool) -> None:
        if in_child:
            # The thread is the parent's, and so are all who wait.
            self._thread = None
            self.outbox.forget()
        self.gate.release()
        self._lock.release()


def _take(queue: _Queue) -> tuple[list[Job], _Last | None]:
    """Wait for jobs; then they and what waits behind them, up to the end."""
    jobs: list[Job] = []
    item = queue.get()
    while not isinstance(item, _Last):
        jobs += item
        if len(jobs) >= LARGEST_BATCH:
            return jobs, None
        try:
            item = queue.get_nowait()
        except Empty:
            return jobs, None
    return jobs, item


def in_time(jobs: list[Job], busy: Exception) -> list[Job]:
    """Those who can wait longer for a lock; all others are answered with this error."""
    now = time.monotonic()
    over = [job for job in jobs if job.late or job.give_up_at <= now]
    for job in over:
        job.error = busy
    answer(over)
    return [job for job in jobs if job not in over] if over else jobs


class Pauses:
    """Ever longer sleeps, by chance, until a lock is free.

    SQLite's own handler sleeps up to 100 ms at a time, which starves a busy process.
    """

    def __init__(self) -> None:
        self._longest = 0.0005

    def sleep(self) -> None:
        """Wait for up to 10 ms. Not to be called with a gate held."""
        time.sleep(random.uniform(0, self._longest))  # noqa: S311 - jitter
        self._longest = min(self._longest * 1.5, _LONGEST_PAUSE)
