"""A server that many requests share one connection to, made again whenever it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from redis import exceptions

from ._asked import Asked, Command, Reply
from ._pipeline import Habits, Pipeline

_LARGEST = 256
"""Commands that go out in one piece, so that no reply waits for too many others."""


class Link:
    """Commands in, replies out. ``make`` gives an unconnected redis-py connection.

    What is asked while the connection is busy sending, or in one turn of the event loop, goes out
    together. One timer looks after all deadlines: a server that has let one pass is dropped with
    its connection, since all replies behind the missing one are late as well.
    """

    def __init__(self, make: Callable[[], Any], habits: Habits) -> None:
        self._make = make
        self._habits = habits
        self._waiting: list[Asked] = []
        self._wake: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pipeline: Pipeline | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def ask(self, command: Command, until: float) -> asyncio.Future[Reply]:
        """A future for the reply; a reply that is an error is raised there.

        ``until``: seconds on the loop's clock, after which it raises TimeoutError. Who gives up
        before the command was sent can be sure that it never will be.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._forget(loop)
        future: asyncio.Future[Reply] = loop.create_future()
        self._waiting.append(Asked(command, future, until))
        if self._pipeline is None:
            self._start()
        elif self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
        if self._timer is None or until < self._timer.when():
            self._set_timer(until)
        return future

    def drop(self, error: Exception) -> None:
        """End the connection: what it still has to say belongs to nobody."""
        pipeline = self._pipeline
        if pipeline is not None:
            for task in self._tasks:
                task.cancel()
            self._ended(pipeline, error)

    async def aclose(self) -> None:
        """Wait for what is under way, then close."""
        while pending := [asked.future for asked in self._pending()]:
            await asyncio.wait(pending)
        self._pipeline = self._wake = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # The connection's life

    def _forget(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin anew on this event loop; whoever waited on another one is gone with it."""
        self._loop, self._waiting = loop, []
        self._pipeline = self._wake = self._timer = None
        self._tasks = set()

    def _start(self) -> None:
        self._pipeline = Pipeline(self._make(), self._take, self._more, self._habits)
        task = asyncio.get_running_loop().create_task(self._live(self._pipeline))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self, pipeline: Pipeline) -> None:
        error: Exception = ConnectionAbortedError("the event loop ended")
        try:
            await pipeline.run()
        except Exception as broken:  # noqa: BLE001 - it belongs to those who wait
            error = broken
        finally:
            if self._pipeline is pipeline:
                # Nobody may wait for a server that cannot be reached, or for a loop that ended.
                if not pipeline.is_connected or isinstance(error, ConnectionAbortedError):
                    _fail(self._waiting, error)
                self._ended(pipeline, error)

    def _ended(self, pipeline: Pipeline, error: Exception) -> None:
        self._pipeline = self._wake = None
        _fail(pipeline.asked, error)
        self._waiting = [asked for asked in self._waiting if not asked.future.done()]
        if self._waiting:  # never sent, so it is not lost
            self._start()

    def _take(self) -> list[Asked]:
        # Who gave up while waiting was told that it failed: it must not happen later.
        wanted = [asked for asked in self._waiting if not asked.future.done()]
        self._waiting = wanted[_LARGEST:]
        return wanted[:_LARGEST]

    def _more(self) -> asyncio.Future[None]:
        self._wake = asyncio.get_running_loop().create_future()
        return self._wake

    # Deadlines

    def _pending(self) -> list[Asked]:
        sent = [] if self._pipeline is None else self._pipeline.asked
        return [asked for asked in (*sent, *self._waiting) if not asked.future.done()]

    def _set_timer(self, until: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(until, self._look)

    def _look(self) -> None:
        """Set the timer for the next deadline, or find out who let one pass."""
        self._timer = None
        pending = self._pending()
        if not pending:
            return
        loop = asyncio.get_running_loop()
        first = min(asked.until for asked in pending)
        if first > loop.time():
            self._set_timer(first)
        else:
            # A loop that was held up looks like a late server: the reply may be here already,
            # and its reader has the next turn.
            loop.call_soon(self._judge)

    def _judge(self) -> None:
        now = asyncio.get_running_loop().time()
        late = [asked for asked in self._pending() if asked.until <= now]
        if late:
            error = exceptions.TimeoutError("no reply in time")
            _fail(late, error)
            self.drop(error)
        if self._timer is None:
            self._look()


def _fail(all_asked: Iterable[Asked], error: Exception) -> None:
    for asked in all_asked:
        asked.answer(error)
