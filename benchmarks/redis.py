"""The Redis store against redis-py's client and other libraries' sessions on a private server.

``python -m benchmarks.redis``, with the dependency group ``bench``.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import thread_time
from typing import Any

from redis import asyncio as driver

from sojourn import Record, SessionManager
from sojourn_redis import open_store

from ._data import TIMEOUTS, session_data
from ._redis_sites import PEERS, sites
from ._rounds import Run, over, ratio, take_turns
from ._sites import Site, entered
from ._verdict import Verdict, at_least, at_most, table, times_less

NOW = 4_000_000_000.0
AT_ONCE = 100


def measure(*, quick: bool = False) -> list[Verdict]:
    """Every goal beside its ratio, on a private server. OSError where there is no redis-server."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "s"
        options = ["--port", "0", "--unixsocket", str(place), "--save", "", "--dir", folder]
        with subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL) as server:
            try:
                return asyncio.run(_measured(str(place), 5 if quick else 15))
            finally:
                server.kill()


async def _measured(path: str, rounds: int) -> list[Verdict]:
    url = f"unix://{path}"
    await _started(url)
    return [*await _loads(url, rounds), *await _requests(path, rounds)]


async def _started(url: str) -> None:
    connect: Any = driver.Redis.from_url
    async with connect(url) as client:
        while True:
            try:
                await client.ping()
                break
            except driver.RedisError:
                await asyncio.sleep(0.05)


# The store alone


async def _loads(url: str, rounds: int) -> list[Verdict]:
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
        rounds=rounds * 5,
        each=50,
    )
    many = await take_turns(
        {"get": _at_once(lambda: client.get(key)), "ours": _at_once(load)},
        rounds=rounds * 5,
        each=5 * AT_ONCE,
    )
    await store.aclose()
    await held.disconnect()
    await client.aclose()
    pooled = f"Redis, {AT_ONCE} GETs of redis-py's pool / {AT_ONCE} loads"
    return [
        at_most("Redis, load / redis-py's GET", ratio(one["ours"], one["get"]), 1.25),
        at_most(
            "Redis, load / its GET on a held connection", ratio(one["ours"], one["trip"]), 1.25
        ),
        at_least(pooled, ratio(many["get"], many["ours"]), 5),
    ]


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


async def _requests(path: str, rounds: int) -> list[Verdict]:
    url = f"unix://{path}"
    async with contextlib.AsyncExitStack() as stack:
        managers: dict[str, SessionManager[Any]] = {}
        for name in PEERS.values():
            manager: SessionManager[Any] = SessionManager(url, sweep_every=None, timeouts=TIMEOUTS)
            managers[name] = await stack.enter_async_context(manager)
        return await _compared(sites(session_data(250), managers, path), rounds)


async def _compared(made: dict[str, Site], rounds: int) -> list[Verdict]:
    entries = {name: await entered(name, site) for name, site in made.items()}
    lines = []
    for page in ("read", "write"):
        runs = {name: entry.for_case(page, "own", 1) for name, entry in entries.items()}
        samples = await take_turns(runs, rounds=rounds * 5, each=10, clock=thread_time)
        for peer, framework in PEERS.items():
            theirs, *both = (
                over(samples, name, framework)
                for name in (peer, f"{framework} + sojourn redis", f"{framework} + limit redis")
            )
            found, limit = (ratio(theirs, ours) for ours in both)
            lines.append(times_less(f"Redis, {page} vs {peer}", found, 2.5, limit))
    return lines


if __name__ == "__main__":
    print(table(measure()))
