"""A server that many requests share one connection to, made again whenever it is gone."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterable
from typing import Any

from redis import exceptions

from ._asked import Asked, Command
from ._connecting import connect
from ._pipeline import Habits, Pipeline

_LARGEST = 256
"""Commands that go out in one piece, so that no reply waits for too many others."""


class Link:
    """Commands in, replies out. ``make`` gives an unconnected redis-py connection.

    A command goes out at once if nothing is under way. Otherwise all of one turn of the event loop
    go together, and so do those that came while the connection took no more. One timer looks after
    all deadlines: a server that has let one pass is dropped with its connection, since all replies
    behind the missing one are late as well.
    """

    def __init__(self, make: Callable[[], Any], habits: Habits) -> None:
        self._make = make
        self._habits = habits
        self._waiting: list[Asked] = []
        self._is_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = math.inf
        self._pipeline: Pipeline | None = None
        self._opening: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def ask(self, key: str, command: Command, until: float) -> Asked:  # noqa: ARG002
        """What gives one task the reply; a reply that is an error is raised there.

        ``key``: as for ``Servers``; all keys are here.
        ``until``: seconds on the loop's clock, after which it raises TimeoutError. Who gives up
        before the command was sent can be sure that it never will be.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._forget(loop)
        asked, pipeline = Asked(command, until, loop), self._pipeline
        # Who comes next in this turn goes with the others.
        if self._waiting or pipeline is None or not pipeline.begin(asked):
            self._waiting.append(asked)
            self._send_soon(loop)
        if until < self._looks_at:
            self._set_timer(until)
        return asked

    def drop(self, error: Exception) -> None:
        """End the connection: what it still has to say belongs to nobody."""
        if self._pipeline is not None:
            self._pipeline.end(error)

    async def aclose(self) -> None:
        """Wait for what is under way, then close."""
        if asyncio.get_running_loop() is not self._loop:
            return
        # Nobody waits for a greeting, the only command that may take for ever.
        while deadlines := [asked.until for asked in self._pending() if asked.until < math.inf]:
            with contextlib.suppress(exceptions.RedisError):  # its reply is behind all others
                await self.ask("", ("PING",), max(deadlines))
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._looks_at = None, math.inf
        opening = self._opening
        self.drop(exceptions.ConnectionError("closed by us"))
        await asyncio.sleep(0)  # the event loop closes the socket in its next turn
        if opening is not None:
            await asyncio.wait([opening])

    def _send_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._pipeline is None:
            self._start()
        elif not self._is_due:
            self._is_due = True
            loop.call_soon(self._flush)

    # The connection's life

    def _forget(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin anew on this event loop; whoever waited on another one is gone with it."""
        self._loop, self._waiting, self._is_due = loop, [], False
        self._pipeline = self._opening = self._timer = None
        self._looks_at = math.inf

    def _start(self) -> None:
        self._pipeline = Pipeline(self._habits, self._flush, self._ended)
        self._opening = asyncio.get_running_loop().create_task(self._open(self._pipeline))

    async def _open(self, pipeline: Pipeline) -> None:
        try:
            await connect(self._make(), pipeline)
            self._flush()
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait
            pipeline.end(error)
        finally:
            if not pipeline.is_ready:
                pipeline.end(ConnectionAbortedError("the event loop ended"))

    def _ended(self, pipeline: Pipeline, error: Exception) -> None:
        if self._opening is not None:
            self._opening.cancel()
        self._pipeline = self._opening = None
        _fail(pipeline.asked, error)
        if not pipeline.is_ready and not isinstance(error, exceptions.TimeoutError):
            _fail(self._waiting, error)  # nobody may wait for a server that cannot be reached
        self._waiting = [asked for asked in self._waiting if not asked.is_over]
        if self._waiting:  # never sent, so it is not lost
            self._start()

    def _flush(self) -> None:
        self._is_due = False
        while self._waiting and self._pipeline is not None and self._pipeline.is_free:
            # Who gave up while waiting was told that it failed: it must not happen later.
            wanted = [asked for asked in self._waiting if not asked.is_over]
            self._waiting = wanted[_LARGEST:]
            if wanted:
                self._pipeline.send(wanted[:_LARGEST])

    # Deadlines

    def _pending(self) -> list[Asked]:
        sent = [] if self._pipeline is None else self._pipeline.asked
        return [asked for asked in (*sent, *self._waiting) if not asked.is_over]

    def _set_timer(self, until: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._looks_at = asyncio.get_running_loop().call_at(until, self._look), until

    def _look(self) -> None:
        """Set the timer for the next deadline, or find out who let one pass."""
        self._timer, self._looks_at = None, math.inf
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
        asked.fail(error)
