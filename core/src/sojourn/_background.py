"""One task that outlives the call that started it, on asyncio and on trio.

anyio's task groups must end in the task that began them, and several frameworks start and stop an
application in different tasks. So this one task is spawned natively.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any, Protocol


class Background(Protocol):
    """A task that runs until it is stopped."""

    async def stop(self) -> None:
        """Cancel the task and wait until it has ended."""
        ...


class _OnAsyncio:
    def __init__(self, function: Callable[[], Awaitable[None]]) -> None:
        import asyncio  # noqa: PLC0415 - only where it runs already

        async def run() -> None:
            await function()

        self._wait = asyncio.wait
        self._task = asyncio.get_running_loop().create_task(run(), name="sojourn-sweeper")

    async def stop(self) -> None:
        """See ``Background``."""
        self._task.cancel()
        await self._wait([self._task])


class _OnTrio:
    def __init__(self, function: Callable[[], Awaitable[None]]) -> None:
        import trio  # noqa: PLC0415 - only where it runs already

        self._scope = trio.CancelScope()
        self._ended = trio.Event()

        async def run() -> None:
            with self._scope:
                await function()
            self._ended.set()

        trio.lowlevel.spawn_system_task(run, name="sojourn-sweeper")

    async def stop(self) -> None:
        """See ``Background``."""
        self._scope.cancel()
        await self._ended.wait()


def start(function: Callable[[], Awaitable[Any]]) -> Background:
    """Run the function in a task of its own; it must not raise."""
    trio = sys.modules.get("trio")
    on_trio = trio is not None and trio.lowlevel.in_trio_task()
    return _OnTrio(function) if on_trio else _OnAsyncio(function)
