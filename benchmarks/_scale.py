"""Memory stores with very many sessions, each in a process of its own."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from time import thread_time
from typing import Any, NamedTuple, Protocol

import anyio

from ._data import small_data

LIVES = 1800.0
_NOW = 1_800_000_000.0
_LOOKUPS = 10_000


class Scale(NamedTuple):
    """What so many sessions cost; None where nothing ever cleans up.

    Times are the processor's: what others do on this machine at the same time does not count.
    """

    store: str
    sessions: int
    bytes_each: float
    lookup_us: float
    collect_ms: float
    gap_ms: float | None
    clean_up_s: float | None


class Store(Protocol):
    """A memory store with a clock that the benchmark moves."""

    async def add(self, id: str, lives: float) -> None:
        """Keep one more session, for so many seconds."""
        ...

    async def look_up(self, id: str) -> bool:
        """Whether the session is there."""
        ...

    async def clean_up(self) -> None:
        """Remove what has ended."""
        ...

    def end_half(self) -> None:
        """Let half of the sessions end."""
        ...


class _Sojourn:
    """The store behind the manager, with the rows that the core makes."""

    def __init__(self, sessions: int) -> None:
        from sojourn import SessionManager  # noqa: PLC0415 - one process holds one store
        from sojourn_memory import MemoryStore  # noqa: PLC0415

        self._store = MemoryStore(max_sessions=sessions)
        self._now = _NOW
        self._manager: Any = SessionManager(self._store, clock=lambda: self._now)
        self._payload = b""

    async def add(self, id: str, lives: float) -> None:
        """See ``Store``."""
        from sojourn import Record  # noqa: PLC0415

        if not self._payload:
            self._payload = await self._a_payload()
        # A copy for each: a real store's payloads are different objects.
        payload = bytes(bytearray(self._payload))
        record = Record(id, os.urandom(32), payload, 1, _NOW, _NOW + lives)
        await self._store.create(record)

    async def _a_payload(self) -> bytes:
        session = await self._manager.load([])
        session.update(small_data())
        await self._manager.commit(session)
        record = self._store.load_nowait(session.id, now=_NOW)
        await self._store.delete(session.id)
        payload: bytes = record.payload if record else b""
        return payload

    async def look_up(self, id: str) -> bool:
        """See ``Store``."""
        return self._store.load_nowait(id, now=self._now) is not None

    async def clean_up(self) -> None:
        """See ``Store``."""
        await self._manager.sweep()

    def end_half(self) -> None:
        """See ``Store``."""
        self._now = _NOW + LIVES


class _Litestar:
    def __init__(self, _sessions: int) -> None:
        from litestar.stores.memory import MemoryStore  # noqa: PLC0415

        self._store = MemoryStore()
        self._data = json.dumps(small_data(), separators=(",", ":")).encode()

    async def add(self, id: str, lives: float) -> None:
        """See ``Store``; what shall end soon has ended already, for its clock cannot be moved."""
        expires_in = int(lives) if lives > LIVES else -1
        await self._store.set(id, bytes(bytearray(self._data)), expires_in=expires_in)

    async def look_up(self, id: str) -> bool:
        """See ``Store``."""
        return await self._store.get(id) is not None

    async def clean_up(self) -> None:
        """See ``Store``."""
        await self._store.delete_expired()

    def end_half(self) -> None:
        """See ``Store``: they have."""


class _Starsessions:
    def __init__(self, _sessions: int) -> None:
        from starsessions import InMemoryStore  # noqa: PLC0415

        self._store = InMemoryStore()
        self._data = json.dumps(small_data(), separators=(",", ":")).encode()

    async def add(self, id: str, lives: float) -> None:
        """See ``Store``."""
        await self._store.write(id, bytes(bytearray(self._data)), int(lives), int(lives))

    async def look_up(self, id: str) -> bool:
        """See ``Store``."""
        return bool(await self._store.read(id, 0))

    async def clean_up(self) -> None:
        """Nothing does."""
        raise NotImplementedError

    def end_half(self) -> None:
        """Nothing ends."""
        raise NotImplementedError


STORES: dict[str, Callable[[int], Store]] = {
    "sojourn": _Sojourn,
    "starsessions": _Starsessions,
    "litestar": _Litestar,
}


def measure(store: str, sessions: int) -> Scale:
    """Measure in a fresh process, whose memory holds nothing else."""
    command = [sys.executable, "-m", "benchmarks._scale", store, str(sessions)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Scale(**json.loads(answer.stdout))


def _resident() -> int:
    with open("/proc/self/statm") as statm:  # noqa: PTH123 - as small as it can be
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _measured(name: str, sessions: int) -> Scale:
    store = STORES[name](sessions + 1)
    # Whatever is made or imported once is made now.
    await store.add("0" * 32, 2 * LIVES)
    await anyio.lowlevel.checkpoint()
    gc.collect()
    before = _resident()
    longer = []
    for number in range(sessions):
        id = os.urandom(16).hex()
        stays = number % 2 == 1
        # They end over half an hour, as visitors go; every second one half an hour later.
        share = number % 1000 / 1000
        await store.add(id, LIVES * (1.001 + share if stays else max(share, 0.001)))
        if stays and len(longer) < _LOOKUPS:
            longer.append(id)
    bytes_each = (_resident() - before) / sessions
    started = thread_time()
    gc.collect()
    collect_ms = (thread_time() - started) * 1e3
    lookup_us = await _lookups(store, random.sample(longer, len(longer)))
    gap_ms, clean_up_s = await _gap(store, longer) if name != "starsessions" else (None, None)
    return Scale(name, sessions, bytes_each, lookup_us, collect_ms, gap_ms, clean_up_s)


async def _lookups(store: Store, ids: list[str]) -> float:
    started = thread_time()
    found = [await store.look_up(id) for id in ids]
    if not all(found):
        raise RuntimeError("the store has lost sessions")
    return (thread_time() - started) / len(ids) * 1e6


async def _gap(store: Store, ids: list[str]) -> tuple[float, float]:
    """Milliseconds that a look-up waits at most while half of the sessions are cleaned up.

    Also the seconds of the whole clean-up.
    """
    store.end_half()
    longest, ended = 0.0, False

    async def look() -> None:
        nonlocal longest
        number = 0
        while not ended:
            started = thread_time()
            await asyncio.sleep(0)
            await store.look_up(ids[number % len(ids)])
            longest = max(longest, thread_time() - started)
            number += 1

    looking = asyncio.create_task(look())
    await asyncio.sleep(0)
    started = thread_time()
    await store.clean_up()
    seconds = thread_time() - started
    ended = True
    await looking
    return longest * 1e3, seconds


if __name__ == "__main__":
    run: Awaitable[Scale] = _measured(sys.argv[1], int(sys.argv[2]))
    print(json.dumps(asyncio.run(run)._asdict()))  # type: ignore[arg-type]
