"""Waiting on an event loop for a thread: one call each way for all that a loop waits for.

anyio's own way from a thread (``from_thread``) makes one call and one answer per job, so this
speaks to asyncio and to trio natively.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

Operation = Callable[..., Any]

LARGEST_BATCH = 500
"""Jobs that go to a worker together: more would let the first ones wait for nothing."""
_MARGIN = 0.05
"""The share of the deadline that is left when the worker gives up, so that its reason is told."""


class Job:
    """One operation for a worker, and what became of it.

    ``give_up_at`` and ``end_at`` are on the clock of ``time.monotonic``: when the worker stops
    trying, and when nobody waits any more. A cancelled job is carried out all the same; one that is
    ``late`` has nobody who waits, and is not begun. Nothing touches a job after its answer.
    ``waiter`` is the future or event of whoever waits at ``home``.
    """

    __slots__ = (
        "arguments",
        "end_at",
        "error",
        "give_up_at",
        "home",
        "late",
        "operation",
        "result",
        "waiter",
    )

    def __init__(self, operation: Operation, arguments: tuple[Any, ...], seconds: float) -> None:
        now = time.monotonic()
        self.operation = operation
        self.arguments = arguments
        self.give_up_at = now + seconds * (1 - _MARGIN)
        self.end_at = now + seconds
        self.late = False
        self.home: Home | None = None
        self.waiter: Any = None
        self.result: Any = None
        self.error: Exception | None = None


class Home(Protocol):
    """Where those are who wait for some jobs."""

    def deliver(self, jobs: list[Job]) -> None:
        """Wake them, soon. Called from any thread; nothing if their loop has ended."""
        ...


def answer(jobs: Iterable[Job]) -> None:
    """Wake all who wait for these jobs. Called from a worker's thread."""
    homes: dict[Home, list[Job]] = {}
    for job in jobs:
        if job.home is not None:
            homes.setdefault(job.home, []).append(job)
    for home, delivered in homes.items():
        home.deliver(delivered)


class Outbox:
    """The way to one worker: ``submit`` queues jobs there, and raises RuntimeError if it cannot.

    On asyncio the jobs of one turn of a loop leave together at its end. So they share a
    transaction, and wake the thread once; a thread that is woken by the first of them would compete
    with the loop for Python's lock.
    """

    def __init__(self, submit: Callable[[list[Job]], None]) -> None:
        self.submit = submit
        self._turns: dict[asyncio.AbstractEventLoop, _Turn] = {}

    def wait_for(self, job: Job) -> Awaitable[bool]:
        """Submit the job, and give what ends with its answer; False if its time came first."""
        trio = sys.modules.get("trio")
        if trio is not None and trio.lowlevel.in_trio_task():
            return _wait_on_trio(trio, job, self.submit)
        loop = asyncio.get_running_loop()
        turn = self._turns.get(loop)
        if turn is None:
            turn = self._turns[loop] = _Turn(loop)
            loop.call_soon(self._leave, loop)
        job.home = turn
        job.waiter = future = loop.create_future()
        turn.jobs.append(job)
        return future

    def _leave(self, loop: asyncio.AbstractEventLoop) -> None:
        turn = self._turns.pop(loop, None)
        if turn is not None:
            turn.leave(self.submit)

    def forget(self) -> None:
        """In the child of a fork: those who wait are the parent's."""
        self._turns.clear()


class _Turn:
    """What the tasks of a loop submitted in one turn of it, with one timer for all."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.jobs: list[Job] = []
        self._loop = loop
        self._left = 0
        self._timer: asyncio.TimerHandle | None = None

    def leave(self, submit: Callable[[list[Job]], None]) -> None:
        self._left = len(self.jobs)
        seconds = self.jobs[0].end_at - time.monotonic()
        self._timer = self._loop.call_later(seconds, self._expire)
        for first in range(0, self._left, LARGEST_BATCH):
            batch = self.jobs[first : first + LARGEST_BATCH]
            try:
                submit(batch)
            except RuntimeError as error:
                for job in batch:
                    job.error = error
                self._arrive(batch)

    def deliver(self, jobs: list[Job]) -> None:
        with suppress(RuntimeError):  # the loop is closed: whoever waited is gone
            self._loop.call_soon_threadsafe(self._arrive, jobs)

    def _arrive(self, jobs: list[Job]) -> None:
        for job in jobs:
            if not job.waiter.done():
                job.waiter.set_result(True)
        self._left -= len(jobs)
        if not self._left and self._timer is not None:
            self._timer.cancel()
            self.jobs.clear()  # they know their home: garbage without a cycle

    def _expire(self) -> None:
        for job in self.jobs:
            if not job.waiter.done():
                job.late = True
                job.waiter.set_result(False)


class _TrioRun(NamedTuple):
    """A loop of trio."""

    token: Any
    ended: type[Exception]

    def deliver(self, jobs: list[Job]) -> None:
        with suppress(self.ended):  # as on asyncio
            self.token.run_sync_soon(_set_all, jobs)


def _set_all(jobs: list[Job]) -> None:
    for job in jobs:
        job.waiter.set()


async def _wait_on_trio(trio: Any, job: Job, submit: Callable[[list[Job]], None]) -> bool:
    run = _TrioRun(trio.lowlevel.current_trio_token(), trio.RunFinishedError)
    job.home, job.waiter = run, trio.Event()
    submit([job])
    with trio.move_on_after(job.end_at - time.monotonic()):
        await job.waiter.wait()
    job.late = not job.waiter.is_set()
    return not job.late
