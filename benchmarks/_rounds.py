"""Fair turns: every candidate once a round, in a new order; ratios within a round."""

from __future__ import annotations

import gc
import random
import statistics
from collections.abc import Awaitable, Callable, Iterable
from time import perf_counter
from typing import NamedTuple

Run = Callable[[int], Awaitable[float | None]]
"""Does its work so many times. Gives the seconds it took, or None to be timed from outside."""

Samples = dict[str, list[float]]
"""Candidate to microseconds per operation, one for each round."""


class Ratio(NamedTuple):
    """A median, and the middle half around it."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


async def take_turns(candidates: dict[str, Run], *, rounds: int, each: int) -> Samples:
    """Microseconds per operation of each candidate, round by round."""
    samples: Samples = {name: [] for name in candidates}
    for run in candidates.values():
        await run(max(1, each // 4))
    for _ in range(rounds):
        for name in random.sample(list(candidates), len(candidates)):
            samples[name].append(await _timed(candidates[name], each) / each * 1e6)
    return samples


async def _timed(run: Run, each: int) -> float:
    gc.collect()
    gc.disable()
    try:
        started = perf_counter()
        elapsed = await run(each)
        return perf_counter() - started if elapsed is None else elapsed
    finally:
        gc.enable()


def ratio(above: Iterable[float], below: Iterable[float]) -> Ratio:
    """The ratio of two candidates, pair by pair."""
    # Where a difference drowns in noise, a tenth of a microsecond stands in for it.
    pairs = sorted(a / max(b, 0.1) for a, b in zip(above, below, strict=True))
    quarter = len(pairs) // 4
    return Ratio(statistics.median(pairs), pairs[quarter], pairs[-1 - quarter])


def over(samples: Samples, name: str, bare: str) -> list[float]:
    """What a candidate takes beyond the bare framework, round by round."""
    return [a - b for a, b in zip(samples[name], samples[bare], strict=True)]
