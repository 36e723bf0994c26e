"""Fair turns: every candidate once a round, in a new order; ratios within a round."""

from __future__ import annotations

import gc
import random
import statistics
from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import perf_counter
from typing import NamedTuple

Run = Callable[[int], Awaitable[float | None]]
"""Does its work so many times. Gives the seconds it took, or None to be timed from outside."""

Samples = dict[str, list[float]]
"""Candidate to microseconds per operation, one for each round."""


class Spread(NamedTuple):
    """A median, and the middle half around it."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f} to {self.high:.2f})"


async def take_turns(
    candidates: dict[str, Run],
    *,
    rounds: int,
    each: int,
    clock: Callable[[], float] = perf_counter,
) -> Samples:
    """Microseconds per operation of each candidate, round by round.

    ``clock``: ``time.thread_time`` for work that never waits, so that what others do on the machine
    does not count.

    Many short rounds: one that is shorter than a time slice is seldom interrupted. A few
    operations before each measurement bring code and data back into the processor's caches.
    """
    samples: Samples = {name: [] for name in candidates}
    for run in candidates.values():
        await run(max(8, each))  # CPython specialises a function's code at its eighth call
    gc.collect()
    # What the sites are made of is no garbage. The collector stays on: who makes garbage pays.
    gc.freeze()
    try:
        for _ in range(rounds):
            for name in random.sample(list(candidates), len(candidates)):
                await candidates[name](max(1, each // 5))
                samples[name].append(await _timed(candidates[name], each, clock) / each * 1e6)
    finally:
        gc.unfreeze()
    return samples


async def _timed(run: Run, each: int, clock: Callable[[], float]) -> float:
    started = clock()
    elapsed = await run(each)
    return clock() - started if elapsed is None else elapsed


def spread(values: Iterable[float]) -> Spread:
    """The median of these values and the middle half around it."""
    ordered = sorted(values)
    quarter = len(ordered) // 4
    return Spread(statistics.median(ordered), ordered[quarter], ordered[-1 - quarter])


def ratio(above: Iterable[float], below: Iterable[float]) -> Spread:
    """The ratio of two candidates, pair by pair."""
    # Where a difference drowns in noise, a tenth of a microsecond stands in for it.
    return spread(a / max(b, 0.1) for a, b in zip(above, below, strict=True))


def over(samples: Samples, name: str, bare: str) -> list[float]:
    """What a candidate takes beyond the bare framework, round by round."""
    return [a - b for a, b in zip(samples[name], samples[bare], strict=True)]


def quiet(values: Sequence[float]) -> float:
    """The tenth percentile: what it takes when nobody else wants the processor."""
    return sorted(values)[len(values) // 10]
