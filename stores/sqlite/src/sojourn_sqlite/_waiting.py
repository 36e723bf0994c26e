"""Waiting on an event loop for a thread: one wake-up per loop for a whole batch of answers.

anyio's own way from a thread (``from_thread``) makes one call and one answer per job, so this speaks
to asyncio and to trio natively.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from ._errors import SQLiteStoreError, Trouble

Operation = Callable[..., Any]


class Home(Protocol):
    """Where answers go: an event loop, seen from another thread."""

    def post(self, function: Callable[[], None]) -> None:
        """Call the function on the loop, soon. Does nothing if the loop has ended."""
        ...


class Job:
    """One operation for a worker, and what became of it.

    ``give_up_at`` is on the clock of ``time.monotonic``. Nobody waits for a cancelled job, which is
    carried out all the same; one that is ``late`` was answered with an error, and is not begun.
    """

    __slots__ = ("arguments", "error", "give_up_at", "home", "late", "operation", "result", "wake")

    def __init__(self, operation: Operation, arguments: tuple[Any, ...], give_up_at: float) -> None:
        self.operation = operation
        self.arguments = arguments
        self.give_up_at = give_up_at
        self.late = False
        self.home: Home | None = None
        self.wake: Callable[[], None] | None = None
        self.result: Any = None
        self.error: Exception | None = None


def answer(jobs: Iterable[Job]) -> None:
    """Wake all who wait for these jobs. Called from a worker's thread."""
    homes: dict[int, tuple[Home, list[Job]]] = {}
    for job in jobs:
        if job.home is not None:
            homes.setdefault(job.home.__hash__(), (job.home, []))[1].append(job)
    for home, waiting in homes.values():
        home.post(lambda waiting=waiting: _wake(waiting))  # type: ignore[misc]


def _wake(jobs: list[Job]) -> None:
    for job in jobs:
        if job.wake is not None:
            job.wake()


class _AsyncioHome:
    __slots__ = ("_loop",)

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def __hash__(self) -> int:
        return id(self._loop)

    def post(self, function: Callable[[], None]) -> None:
        """See ``Home``."""
        try:
            self._loop.call_soon_threadsafe(function)
        except RuntimeError:  # the loop is closed: whoever waited is gone
            return


class _TrioHome:
    __slots__ = ("_error", "_token")

    def __init__(self, token: Any, error: type[Exception]) -> None:
        self._token = token
        self._error = error

    def __hash__(self) -> int:
        return id(self._token)

    def post(self, function: Callable[[], None]) -> None:
        """See ``Home``."""
        try:
            self._token.run_sync_soon(function)
        except self._error:  # trio has ended
            return


async def wait_for(job: Job, submit: Callable[[Job], None]) -> bool:
    """Submit the job and wait until it is answered; False if its time came first."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        return await _wait_on_trio(trio, job, submit)
    return await _wait_on_asyncio(job, submit)


async def _wait_on_asyncio(job: Job, submit: Callable[[Job], None]) -> bool:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bool] = loop.create_future()

    def end(answered: bool) -> None:  # noqa: FBT001 - two callbacks share it
        if not future.done():
            job.late = not answered
            future.set_result(answered)

    job.home, job.wake = _AsyncioHome(loop), lambda: end(answered=True)
    timer = loop.call_later(job.give_up_at - time.monotonic(), end, False)  # noqa: FBT003
    try:
        submit(job)
        return await future
    finally:
        timer.cancel()


async def _wait_on_trio(trio: Any, job: Job, submit: Callable[[Job], None]) -> bool:
    answered = trio.Event()
    job.home = _TrioHome(trio.lowlevel.current_trio_token(), trio.RunFinishedError)
    job.wake = answered.set
    with trio.move_on_after(job.give_up_at - time.monotonic()):
        submit(job)
        await answered.wait()
    if not answered.is_set():
        job.late = True
    return bool(answered.is_set())


def slow(path: Any) -> SQLiteStoreError:
    """The error for whoever waited in vain."""
    return SQLiteStoreError(path, Trouble.SLOW)
