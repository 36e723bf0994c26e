"""The PostgreSQL store beside asyncpg, on a private server: python -m benchmarks.postgres."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg  # pyright: ignore[reportMissingTypeStubs]

from sojourn import Record
from sojourn_postgres import PostgresStore

from ._rounds import Run, quiet, ratio, take_turns

NOW = 4_000_000_000.0
AT_ONCE = 100
CONNECTIONS = 10


async def main(url: str) -> None:
    """Measure, and print ratios."""
    driver: Any = asyncpg
    store = PostgresStore(url, create=True, max_connections=CONNECTIONS)
    await store.aopen()
    row = Record(secrets.token_hex(16), bytes(32), bytes(250), 1, NOW, NOW + 1000)
    await store.create(row)
    if row != await store.load(row.id, now=NOW):
        raise SystemExit("the store lost its row")
    connection = await driver.connect(url)
    pool = await driver.create_pool(url, min_size=CONNECTIONS, max_size=CONNECTIONS)
    one = await take_turns(
        {
            "raw": await _raw(connection, row.id),
            "pool": _pooled(pool, row.id),
            "ours": _ours(store, row.id),
        },
        rounds=401,
        each=20,
    )
    many = await take_turns(
        {"pool": _many_pooled(pool, row.id), "ours": _many_ours(store, row.id)},
        rounds=31,
        each=300,
    )
    load = ratio(one["ours"], one["raw"])
    met = "yes" if load.median <= 1.3 else "NO"
    print(f"{met:4}load / one raw prepared SELECT (at most 1.3)    ", load)
    print("    the same while nobody else wants the processor ", end="")
    print(f"{quiet(one['ours']) / quiet(one['raw']):.2f}")
    print("    asyncpg's pool / one raw prepared SELECT       ", ratio(one["pool"], one["raw"]))
    print("    100 of asyncpg's pool / 100 loads              ", ratio(many["pool"], many["ours"]))
    await store.aclose()
    await pool.close()
    await connection.close()


SELECT = "SELECT {} FROM sojourn_sessions WHERE id = $1 AND expires_at > $2".format(  # noqa: S608
    "id, secret_hash, payload, version, created_at, expires_at, owner, previous_hash, "
    "previous_until"
)


async def _raw(connection: Any, id: str) -> Run:
    statement, key = await connection.prepare(SELECT), UUID(id)

    async def run(times: int) -> None:
        for _ in range(times):
            await statement.fetchrow(key, NOW)

    return run


def _pooled(pool: Any, id: str) -> Run:
    key = UUID(id)

    async def run(times: int) -> None:
        for _ in range(times):
            await pool.fetchrow(SELECT, key, NOW)

    return run


def _ours(store: PostgresStore, id: str) -> Run:
    async def run(times: int) -> None:
        for _ in range(times):
            await store.load(id, now=NOW)

    return run


def _many_pooled(pool: Any, id: str) -> Run:
    key = UUID(id)

    async def run(times: int) -> None:
        for _ in range(times // AT_ONCE):
            await asyncio.gather(*(pool.fetchrow(SELECT, key, NOW) for _ in range(AT_ONCE)))

    return run


def _many_ours(store: PostgresStore, id: str) -> Run:
    async def run(times: int) -> None:
        for _ in range(times // AT_ONCE):
            await asyncio.gather(*(store.load(id, now=NOW) for _ in range(AT_ONCE)))

    return run


@contextmanager
def server() -> Iterator[str]:
    """A server on a socket in a folder of its own; gives its URL."""
    tools = max(Path("/usr/lib/postgresql").glob("*/bin"))
    with tempfile.TemporaryDirectory() as folder:
        user: list[str] = []
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            user = ["runuser", "-u", "postgres", "--"]
            shutil.chown(folder, "postgres")

        def run(tool: str, *arguments: str) -> None:
            command = [*user, str(tools / tool), "-D", f"{folder}/data", *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

        run("initdb", "-A", "trust", "-U", "sojourn", "--no-sync")
        settings = f"-c listen_addresses='' -c fsync=off -k {folder}"
        run("pg_ctl", "-w", "-o", settings, "-l", f"{folder}/log", "start")
        try:
            yield f"postgresql://sojourn@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")


if __name__ == "__main__":
    with server() as url:
        asyncio.run(main(url))
