"""A clock that moves only when a test says so."""

from __future__ import annotations

import time


class ManualClock:
    """Seconds since the epoch, for ``SessionManager(clock=...)`` and as a store's ``now``.

    It starts at the present whole second unless told otherwise: a server that collects garbage by
    its own clock must not find the test's rows to be old.
    """

    def __init__(self, start: float | None = None) -> None:
        self._now = float(int(time.time())) if start is None else float(start)

    def __call__(self) -> float:
        """What time it is."""
        return self._now

    def advance(self, seconds: float) -> float:
        """Let time pass, and say what time it is. ValueError for a negative number."""
        if seconds < 0:
            raise ValueError("ManualClock.advance(seconds): time passes in one direction only")
        self._now += seconds
        return self._now

    def __repr__(self) -> str:
        return f"ManualClock({self._now})"
