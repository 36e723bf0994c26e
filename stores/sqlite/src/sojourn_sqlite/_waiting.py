"""Waiting on an event loop for a thread: one wake-up per loop for a whole batch of answers.

anyio's own way from a thread (``from_thread``) makes one call and one answer per job, so this
speaks to asyncio and to trio natively.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

Operation = Callable[..., Any]
Wake = Callable[[], None]
Post = Callable[[Callable[[], None]], None]
"""Calls a function on an event loop, soon, from any thread; nothing if the loop has ended."""

_MARGIN = 0.05
"""The share of the deadline that is left when the worker gives up, so that its reason is told."""


class Job:
    """One operation for a worker, and what became of it.

    ``give_up_at`` and ``end_at`` are on the clock of ``time.monotonic``: when the worker stops
    trying, and when nobody waits any more. A cancelled job is carried out all the same; one that is
    ``late`` has nobody who waits, and is not begun. Nothing touches a job after its answer.
    """

    __slots__ = (
        "arguments",
        "end_at",
        "error",
        "give_up_at",
        "home",
        "late",
        "operation",
        "post",
        "result",
        "wake",
    )

    def __init__(self, operation: Operation, arguments: tuple[Any, ...], seconds: float) -> None:
        now = time.monotonic()
        self.operation = operation
        self.arguments = arguments
        self.give_up_at = now + seconds * (1 - _MARGIN)
        self.end_at = now + seconds
        self.late = False
        self.home = 0
        self.post: Post | None = None
        self.wake: Wake | None = None
        self.result: Any = None
        self.error: Exception | None = None


def answer(jobs: Iterable[Job]) -> None:
    """Wake all who wait for these jobs. Called from a worker's thread."""
    homes: dict[int, tuple[Post, list[Wake]]] = {}
    for job in jobs:
        if job.post is not None and job.wake is not None:
            homes.setdefault(job.home, (job.post, []))[1].append(job.wake)
    for post, wakes in homes.values():
        post(_all(wakes))


def _all(wakes: list[Wake]) -> Wake:
    def wake() -> None:
        for each in wakes:
            each()

    return wake


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

    def post(function: Callable[[], None]) -> None:
        try:
            loop.call_soon_threadsafe(function)
        except RuntimeError:  # the loop is closed: whoever waited is gone
            return

    job.home, job.post, job.wake = id(loop), post, lambda: end(answered=True)
    timer = loop.call_later(job.end_at - time.monotonic(), end, False)  # noqa: FBT003
    try:
        submit(job)
        return await future
    finally:
        timer.cancel()


async def _wait_on_trio(trio: Any, job: Job, submit: Callable[[Job], None]) -> bool:
    answered = trio.Event()
    token = trio.lowlevel.current_trio_token()

    def post(function: Callable[[], None]) -> None:
        try:
            token.run_sync_soon(function)
        except trio.RunFinishedError:  # as on asyncio
            return

    job.home, job.post, job.wake = id(token), post, answered.set
    submit(job)
    with trio.move_on_after(job.end_at - time.monotonic()):
        await answered.wait()
    job.late = not answered.is_set()
    return not job.late
