"""Many requests, few round trips: what is asked for in one turn of the event loop goes together.

A caller waits for its own future and nothing else, so a cancelled request takes its future along,
and the replies still meet the commands that they belong to (CVE-2023-28858).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ._errors import OutOfStepError

Command = tuple[Any, ...]
Reply = Any
"""What the server said, or an exception."""
Send = Callable[[list[Command]], Awaitable[list[Reply]]]
"""Sends commands in one round trip; gives a reply or an exception for each."""

_MOST_AT_ONCE = 4
_LARGEST = 256


class Batcher:
    """Collects commands, and sends at most ``_MOST_AT_ONCE`` batches at a time.

    While that many are under way, further commands wait and go out together with the next one.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: list[tuple[Command, asyncio.Future[Reply]]] = []
        self._is_scheduled = False
        self._under_way: set[asyncio.Task[None]] = set()

    def submit(self, command: Command) -> asyncio.Future[Reply]:
        """A future for the command's reply; a reply that is an error is raised there."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reply] = loop.create_future()
        self._waiting.append((command, future))
        if not self._is_scheduled and len(self._under_way) < _MOST_AT_ONCE:
            self._is_scheduled = True
            loop.call_soon(self._start)
        return future

    def _start(self) -> None:
        self._is_scheduled = False
        # Who gave up while waiting was told that it failed: it must not happen later.
        wanted = [one for one in self._waiting if not one[1].done()]
        batch, self._waiting = wanted[:_LARGEST], wanted[_LARGEST:]
        if batch:
            task = asyncio.get_running_loop().create_task(self._run(batch))
            self._under_way.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if self._waiting:
            self._start()

    async def _run(self, batch: list[tuple[Command, asyncio.Future[Reply]]]) -> None:
        try:
            replies: list[Any] = await self._send([command for command, _ in batch])
        except asyncio.CancelledError:
            replies = [ConnectionAbortedError("the event loop ended")] * len(batch)
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait
            replies = [error] * len(batch)
        if len(replies) != len(batch):
            replies = [OutOfStepError("too few replies, or too many")] * len(batch)
        for (_, future), reply in zip(batch, replies, strict=True):
            if future.done():
                continue
            if isinstance(reply, BaseException):
                future.set_exception(reply)
            else:
                future.set_result(reply)

    async def drain(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)
