"""Counting what a request costs, in numbers that are the same on a busy machine."""

from __future__ import annotations

import asyncio
import gc
import sys
import tracemalloc
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from ._paths import Counted, opened

_WARM_UP, _COUNTED = 4, 3
_SEALING = {
    "crypto_aead_xchacha20poly1305_ietf_encrypt",
    "crypto_aead_xchacha20poly1305_ietf_decrypt",
}
_STORE_METHODS = {"load", "load_nowait", "create", "replace", "touch", "delete"}
_STORES = {"MemoryStore", "SQLiteStore"}


class Counts(NamedTuple):
    """What one request costs.

    - ``calls``: of Python functions, at any depth below ours; a coroutine that is resumed counts.
    - ``c_calls``: of functions in C. ``store``: of a store's methods. ``sealing``: of libsodium's.
    - ``bytes``: that were allocated at once at most.
    - ``garbage``: objects that only the collector would find.
    """

    calls: int
    c_calls: int
    store: int
    sealing: int
    bytes: int
    garbage: int


class Call(NamedTuple):
    """One call: how deep below ours, and what was called."""

    depth: int
    name: str


def counts(path: str, folder: Path) -> Counts:
    """Count one request on this path: the smallest of a few, so that rare work does not count."""
    return asyncio.run(_counts(path, folder))


def calls(path: str, folder: Path) -> list[Call]:
    """The calls of one request on this path, in order, to be shown."""

    async def traced() -> list[Call]:
        async with opened(path, folder, cookies=_WARM_UP + 1) as it:
            await _warm_up(it)
            return (await _traced(it)).calls

    return asyncio.run(traced())


async def _counts(path: str, folder: Path) -> Counts:
    async with opened(path, folder, cookies=_WARM_UP + 3 * _COUNTED) as it:
        await _warm_up(it)
        traces = [await _traced(it) for _ in range(_COUNTED)]
        peaks = [await _peak(it) for _ in range(_COUNTED)]
        garbage = [await _garbage(it) for _ in range(_COUNTED)]
    fewest = min(traces, key=lambda trace: sum(trace.kinds.values()))
    kinds = fewest.kinds
    return Counts(
        kinds["call"], kinds["c_call"], kinds["store"], kinds["sealing"], min(peaks), min(garbage)
    )


async def _warm_up(it: Counted) -> None:
    for _ in range(_WARM_UP):
        await it.request(it.cookies.pop())


class _Trace:
    """What ``sys.setprofile`` tells of this thread, while one of our functions is running."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.calls: list[Call] = []
        self._seen: set[FrameType] = set()

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        if event not in ("call", "c_call"):
            return
        depth = _depth(frame)
        if not depth:
            return
        self.kinds[event] += 1
        code = frame.f_code
        name = code.co_qualname if event == "call" else argument.__name__
        self.kinds["sealing"] += event == "c_call" and name in _SEALING
        self.kinds["store"] += event == "call" and self._is_store_call(frame)
        where = f" ({Path(code.co_filename).name})" if event == "call" else ""
        self.calls.append(Call(depth + (event == "c_call"), f"{name}{where}"))

    def _is_store_call(self, frame: FrameType) -> bool:
        if frame in self._seen:  # a coroutine that goes on
            return False
        self._seen.add(frame)
        owner, _, method = frame.f_code.co_qualname.rpartition(".")
        return owner in _STORES and method.lstrip("_") in _STORE_METHODS


def _depth(frame: FrameType | None) -> int:
    """How many frames lie between this one and our outermost; 0 if none is ours."""
    depth = found = 0
    while frame is not None:
        depth += 1
        if "/sojourn" in frame.f_code.co_filename.replace("\\", "/"):
            found = depth
        frame = frame.f_back
    return found


async def _traced(it: Counted) -> _Trace:
    trace, cookie = _Trace(), it.cookies.pop()
    sys.setprofile(trace)
    try:
        await it.request(cookie)
    finally:
        sys.setprofile(None)
    return trace


async def _peak(it: Counted) -> int:
    cookie = it.cookies.pop()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        await it.request(cookie)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


async def _garbage(it: Counted) -> int:
    cookie = it.cookies.pop()
    gc.disable()
    gc.freeze()  # what is there already does not count, and need not be searched
    try:
        await it.request(cookie)
        return gc.collect()
    finally:
        gc.unfreeze()
        gc.enable()
