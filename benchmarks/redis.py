"""The Redis store against redis-py's client and other libraries' sessions on a private server.

``python -m benchmarks.redis``, with the dependency group ``bench``.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from redis import asyncio as driver

from sojourn import Record, SessionManager
from sojourn_redis import open_store

from ._data import SMALL
from ._redis_sites import PEERS, sites
from ._rounds import Ratio, Run, Samples, over, ratio, take_turns
from ._sites import Site, entered

NOW = 4_000_000_000.0
AT_ONCE = 100
ROUNDS = 15


async def main(url: str) -> None:
    """Measure, and print each goal beside its ratio; overheads are over the bare framework."""
    await _started(url)
    await _loads(url)
    await _requests(url)


async def _started(url: str) -> None:
    connect: Any = driver.Redis.from_url
    async with connect(url) as client:
        while True:
            try:
                await client.ping()
                break
            except driver.RedisError:
                await asyncio.sleep(0.05)


def _say(title: str, goal: str, found: Ratio, *, met: bool) -> None:
    print(f"{'yes' if met else 'NO':4}{title:<52}{goal:<16}{found}")


# The store alone


async def _loads(url: str) -> None:
    connect: Any = driver.Redis.from_url
    client, store = connect(url), open_store(url, None)
    held = client.connection_pool.make_connection()
    await held.connect()
    id = secrets.token_hex(16)
    await store.create(Record(id, bytes(32), bytes(250), 1, NOW, NOW + 9, None, None, None))
    key = f"sojourn:{id}"

    async def trip() -> None:
        await held.send_command("GET", key)
        await held.read_response()

    async def load() -> None:
        await store.load(id, now=NOW)

    one = await take_turns(
        {"get": _each(lambda: client.get(key)), "trip": _each(trip), "ours": _each(load)},
        rounds=ROUNDS,
        each=500,
    )
    many = await take_turns(
        {"get": _at_once(lambda: client.get(key)), "ours": _at_once(load)},
        rounds=ROUNDS,
        each=2000,
    )
    for title, name in (("client's GET", "get"), ("GET on a held connection", "trip")):
        found = ratio(one["ours"], one[name])
        _say(f"load / redis-py's {title}", "at most 1.25", found, met=found.median <= 1.25)
    found = ratio(many["get"], many["ours"])
    _say(
        f"{AT_ONCE} GETs of its pool / {AT_ONCE} loads", "at least 5", found, met=found.median >= 5
    )
    await store.aclose()
    await held.disconnect()
    await client.aclose()


def _each(call: Callable[[], Any]) -> Run:
    async def run(times: int) -> None:
        for _ in range(times):
            await call()

    return run


def _at_once(call: Callable[[], Any]) -> Run:
    async def run(times: int) -> None:
        for _ in range(times // AT_ONCE):
            await asyncio.gather(*(call() for _ in range(AT_ONCE)))

    return run


# Whole requests


async def _requests(url: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        managers: dict[str, SessionManager[Any]] = {}
        for name in PEERS.values():
            manager: SessionManager[Any] = SessionManager(url, sweep_every=None)
            managers[name] = await stack.enter_async_context(manager)
        await _compare(sites(SMALL, managers, url))


async def _compare(made: dict[str, Site]) -> None:
    bare = set(PEERS.values())
    entries = {
        name: await entered(site, has_session=name not in bare) for name, site in made.items()
    }
    for page in ("read", "write"):
        pages = {name: "none" if name in bare else page for name in entries}
        runs = {name: entry.run(pages[name]) for name, entry in entries.items()}
        for kind, clock in _CLOCKS.items():
            timed = {name: _by(clock, run) for name, run in runs.items()}
            samples = await take_turns(timed, rounds=ROUNDS, each=100)
            for peer, framework in PEERS.items():
                _say_overhead(f"{page}, {kind}", peer, framework, samples)


_CLOCKS = {"elapsed": perf_counter, "processor": process_time}
"""What a request costs its visitor, and what it costs the process, whatever else the machine does.
"""


def _by(clock: Callable[[], float], run: Run) -> Run:
    async def timed(times: int) -> float:
        began = clock()
        await run(times)
        return clock() - began

    return timed


def _say_overhead(what: str, peer: str, framework: str, samples: Samples) -> None:
    ours = over(samples, f"{framework} sojourn", framework)
    theirs = over(samples, peer, framework)
    found = ratio(theirs, ours)
    _say(f"{what}: {peer} / ours", "at least 2.5", found, met=found.median >= 2.5)
    medians = f"{statistics.median(theirs):.0f} and {statistics.median(ours):.0f}"
    print(f"{'':4}  ({medians} microseconds over bare {framework})")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "s"
        options = ["--port", "0", "--unixsocket", str(place), "--save", "", "--dir", folder]
        with subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL) as server:
            try:
                asyncio.run(main(f"unix://{place}"))
            finally:
                server.kill()
