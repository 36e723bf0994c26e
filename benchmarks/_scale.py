"""The memory store with very many sessions, in a process of its own."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
from time import perf_counter
from typing import NamedTuple

from sojourn import Record
from sojourn_memory import MemoryStore

PAYLOAD_BYTES = 115
_LIVES, _NOW = 1800.0, 1_800_000_000.0


class Scale(NamedTuple):
    """What that many sessions cost."""

    sessions: int
    bytes_each: float
    gap_ms: float
    collect_ms: float
    lookup_us: float


def measure(sessions: int) -> Scale:
    """Measure in a fresh process, whose memory holds nothing else."""
    command = [sys.executable, "-m", "benchmarks._scale", str(sessions)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    return Scale(**json.loads(answer.stdout))


def _resident() -> int:
    with open("/proc/self/statm") as statm:  # noqa: PTH123 - as small as it can be
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _measured(sessions: int) -> Scale:
    store = MemoryStore(max_sessions=sessions)
    gc.collect()
    before = _resident()
    for number in range(sessions):
        # Born over half an hour, as visitors come; half of them have ended by _NOW.
        born = _NOW - 2 * _LIVES * (1 - number / sessions)
        await store.create(_record(born))
    bytes_each = (_resident() - before) / sessions
    started = perf_counter()
    gc.collect()
    collect = perf_counter() - started
    ids = [os.urandom(16).hex() for _ in range(1000)]
    started = perf_counter()
    for id in ids:
        store.load_nowait(id, now=_NOW)
    lookup = (perf_counter() - started) / len(ids)
    gap = await _longest_gap(store)
    return Scale(sessions, bytes_each, gap * 1e3, collect * 1e3, lookup * 1e6)


def _record(born: float) -> Record:
    payload = os.urandom(PAYLOAD_BYTES)
    return Record(os.urandom(16).hex(), os.urandom(32), payload, 1, born, born + _LIVES)


async def _longest_gap(store: MemoryStore) -> float:
    """Seconds that nobody else gets a turn while the manager's sweeper removes half of the rows."""
    longest = 0.0
    while True:
        started = perf_counter()
        count = await store.sweep(now=_NOW, limit=500)
        longest = max(longest, perf_counter() - started)
        if count < 500:
            return longest


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measured(int(sys.argv[1])))._asdict()))
