"""Removing expired rows: small batches, with jitter, surviving errors.

Correctness never waits for it: an expired row counts as missing whether or not it was swept.
"""

from __future__ import annotations

import random

import anyio

from ._backend import SupportsRows
from ._events import SessionsSwept, StoreFailed
from ._settings import Settings

BATCH = 500
"""Rows of one store call: small enough that nobody waits for it."""


async def sweep(settings: Settings, rows: SupportsRows) -> int:
    """Remove all rows that are expired now, and say how many. Raises StoreError."""
    total = 0
    while True:
        count = await rows.sweep(now=settings.clock(), limit=BATCH)
        total += count
        if count < BATCH:
            settings.emit(SessionsSwept(count=total))
            return total
        # Between two batches everybody else may go first.
        await anyio.lowlevel.checkpoint()


async def sweep_forever(settings: Settings, rows: SupportsRows, interval: float) -> None:
    """Sweep again and again; about every ``interval`` seconds, not all nodes at the same time."""
    while True:
        await anyio.sleep(interval * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
        try:
            await sweep(settings, rows)
        except Exception as error:  # noqa: BLE001 - whatever a store does, the next round comes
            settings.emit(StoreFailed(operation="sweep", error=type(error).__name__))
