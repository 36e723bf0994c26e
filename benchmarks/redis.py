"""The Redis store against redis-py's client, on a private server: python -m benchmarks.redis."""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from redis import asyncio as driver

from sojourn import Record
from sojourn_redis import open_store

from ._rounds import ratio, take_turns

NOW = 4_000_000_000.0
AT_ONCE = 100


async def main(url: str) -> None:  # noqa: C901 - four candidates beside each other
    """Measure, and print ratios."""
    connect: Any = driver.Redis.from_url
    client = connect(url)
    store = open_store(url, None)
    while True:
        try:
            await client.ping()
            break
        except driver.RedisError:
            await asyncio.sleep(0.05)
    id = secrets.token_hex(16)
    await store.create(Record(id, bytes(32), bytes(250), 1, NOW, NOW + 9, None, None, None))
    key = f"sojourn:{id}"

    async def raw(times: int) -> None:
        for _ in range(times):
            await client.get(key)

    async def ours(times: int) -> None:
        for _ in range(times):
            await store.load(id, now=NOW)

    async def raw_many(times: int) -> None:
        for _ in range(times // AT_ONCE):
            await asyncio.gather(*(client.get(key) for _ in range(AT_ONCE)))

    async def ours_many(times: int) -> None:
        for _ in range(times // AT_ONCE):
            await asyncio.gather(*(store.load(id, now=NOW) for _ in range(AT_ONCE)))

    one = await take_turns({"raw": raw, "ours": ours}, rounds=9, each=500)
    many = await take_turns({"raw": raw_many, "ours": ours_many}, rounds=9, each=1000)
    print("load / one raw GET (goal: at most 1.25)      ", ratio(one["ours"], one["raw"]))
    print("100 pooled GETs / 100 loads (goal: at least 5)", ratio(many["raw"], many["ours"]))
    await store.aclose()
    await client.aclose()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "s"
        options = ["--port", "0", "--unixsocket", str(place), "--save", "", "--dir", folder]
        with subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL) as server:
            try:
                asyncio.run(main(f"unix://{place}"))
            finally:
                server.kill()
