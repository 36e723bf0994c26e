"""The connections of one process: a stack of idle ones, and a deadline that costs a call no timer.

asyncpg's own pool starts a task and a timer for each checkout, which together take longer than the
statement. Here a checkout takes from a list, and one timer watches over all calls.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from ._driver import asyncpg
from ._errors import is_reusable_after

IDLE_SECONDS = 300.0
"""After this an idle connection is not used again: a firewall on the way may have forgotten it."""

Dial = Callable[[], Awaitable[Any]]
"""Makes a connection."""


class Line:
    """A connection, and what it has prepared."""

    __slots__ = ("connection", "due", "is_late", "statements")

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.statements: dict[str, Any] = {}
        self.due = 0.0
        self.is_late = False

    async def prepare(self, sql: str) -> Any:
        """The statement, which this connection does not know yet."""
        self.statements[sql] = statement = await self.connection.prepare(sql)
        return statement


class Connections:
    """At most ``limit`` connections, on one event loop.

    ``deadline``: seconds for each call, waiting for a connection included; TimeoutError beyond it.
    ``prepare``: False: no named statements. Whatever else goes wrong is the driver's error.
    """

    def __init__(self, dial: Dial, *, limit: int, deadline: float, prepare: bool) -> None:
        self._dial = dial
        self._limit = limit
        self._deadline = deadline
        self._prepare = prepare
        self._loop = asyncio.get_running_loop()
        self._idle: list[Line] = []
        self._busy: dict[Line, None] = {}  # the oldest first
        self._waiting: deque[asyncio.Future[Line | None]] = deque()
        self._count = 0
        self._watch: asyncio.TimerHandle | None = None
        self._is_closed = False

    async def fetch(self, sql: str, *arguments: Any) -> list[Any]:
        """The rows of one statement."""
        line = await self._taken()
        try:
            if self._prepare:
                statement = line.statements.get(sql) or await line.prepare(sql)
                rows: list[Any] = await statement.fetch(*arguments)
            else:
                rows = await line.connection.fetch(sql, *arguments)
        except BaseException as error:
            self._failed(line, error)
            raise
        self._give_back(line)
        return rows

    async def execute(self, script: str) -> None:
        """Run several statements without parameters."""
        line = await self._taken()
        try:
            await line.connection.execute(script)
        except BaseException as error:
            self._failed(line, error)
            raise
        self._give_back(line)

    async def aclose(self) -> None:
        """Close what is idle; what is in use is closed after it."""
        self._is_closed = True
        if self._watch is not None and not self._busy:
            self._watch.cancel()
        lines, self._idle = self._idle, []
        await asyncio.gather(*(self._hang_up(line) for line in lines))

    # Taking

    async def _taken(self) -> Line:
        now = self._loop.time()
        due = now + self._deadline
        line = self._popped(now - IDLE_SECONDS)
        if line is None:
            async with asyncio.timeout_at(due):
                line = await self._waited_for()
        line.due = due
        self._busy[line] = None
        if self._watch is None:
            self._watch = self._loop.call_at(due, self._look)
        return line

    def _popped(self, since: float) -> Line | None:
        while self._idle:
            line = self._idle.pop()
            if line.due > since and not line.connection.is_closed():
                return line
            self._drop(line)
        return None

    async def _waited_for(self) -> Line:
        if self._count < self._limit:
            self._count += 1
            return await self._connected()
        waiter: asyncio.Future[Line | None] = self._loop.create_future()
        self._waiting.append(waiter)
        try:
            line = await waiter
        except asyncio.CancelledError:
            # Cancelled it stays in the queue, where it is passed over.
            if not waiter.cancelled():
                self._hand_on(waiter.result())
            raise
        return line or await self._connected()

    async def _connected(self) -> Line:
        """A new connection, in the place that was counted for it."""
        try:
            return Line(await self._dial())
        except BaseException:
            self._hand_on(None)
            raise

    # Giving back

    def _give_back(self, line: Line) -> None:
        del self._busy[line]
        if self._is_closed or line.is_late:
            self._drop(line)
        elif self._waiting:
            self._hand_on(line)
        else:
            self._idle.append(line)

    def _hand_on(self, line: Line | None) -> None:
        """Give a connection, or None for the room for a new one, to who has waited longest."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(line)
                return
        if line is None:
            self._count -= 1
        else:
            self._idle.append(line)

    def _failed(self, line: Line, error: BaseException) -> None:
        """Keep the connection only if the server answered and nothing of the call is left."""
        if is_reusable_after(error) and not line.connection.is_closed():
            self._give_back(line)
            return
        del self._busy[line]
        self._drop(line)
        if not isinstance(error, Exception):
            return
        # What broke this one has probably broken the idle ones, which would fail one by one.
        idle, self._idle = self._idle, []
        for other in idle:
            self._drop(other)
        if line.is_late:
            raise TimeoutError from error

    def _drop(self, line: Line) -> None:
        # To wait for the server's word on it could outlast the deadline.
        line.connection.terminate()
        self._hand_on(None)

    async def _hang_up(self, line: Line) -> None:
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await line.connection.close(timeout=self._deadline)

    def _look(self) -> None:
        """End the calls that are due. A statement's waiter gets an error from its connection."""
        self._watch = None
        now = self._loop.time()
        for line in list(self._busy):
            if line.due > now:
                self._watch = self._loop.call_at(line.due, self._look)
                break
            line.is_late = True
            line.connection.terminate()
