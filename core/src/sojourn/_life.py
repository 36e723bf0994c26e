"""The life of a manager: from its first user's entrance to its last one's exit."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from . import _background
from ._backend import SupportsRows
from ._events import StoreFailed
from ._owners import guarded
from ._settings import Settings
from ._sweeper import sweep_forever

_PATIENCE = 10.0
"""Seconds for closing, which also happens when whoever leaves is cancelled."""


class Life:
    """Opens the backend for the first user and closes it after the last; sweeps in between.

    Nobody gets in before the backend is open, nor while it closes.
    """

    def __init__(self, settings: Settings, sweep_every: float | None) -> None:
        self._settings = settings
        self._sweep_every = sweep_every
        self._sweeper: _background.Background | None = None
        self._turn: anyio.Event | None = None
        self.users = 0

    async def begin(self) -> None:
        """One more user. Raises what the backend raises when it opens."""
        async with self._turns():
            if self.users == 0:
                await guarded(self._settings, "open", self._settings.backend.aopen())
                self._start_sweeper()
            self.users += 1

    async def end(self) -> None:
        """One user fewer. Raises what the backend raises when it closes."""
        with anyio.move_on_after(_PATIENCE, shield=True) as patience:
            async with self._turns():
                self.users -= 1
                if self.users == 0:
                    await self._close()
        if patience.cancelled_caught:
            self._settings.emit(StoreFailed(operation="close", error="TimeoutError"))

    async def _close(self) -> None:
        sweeper, self._sweeper = self._sweeper, None
        try:
            if sweeper is not None:
                await sweeper.stop()
        finally:
            await guarded(self._settings, "close", self._settings.backend.aclose())

    def _start_sweeper(self) -> None:
        settings, interval = self._settings, self._sweep_every
        backend = settings.backend
        if interval is not None and isinstance(backend, SupportsRows) and backend.can_sweep:
            rows: SupportsRows = backend
            self._sweeper = _background.start(lambda: sweep_forever(settings, rows, interval))

    @asynccontextmanager
    async def _turns(self) -> AsyncGenerator[None]:
        """One at a time. A lock that belongs to no event loop while nobody holds it."""
        while self._turn is not None:
            await self._turn.wait()
        self._turn = turn = anyio.Event()
        try:
            yield
        finally:
            self._turn = None
            turn.set()
