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

from ._rounds import Run, ratio, take_turns
from ._verdict import Verdict, at_least, at_most, table

NOW = 4_000_000_000.0
AT_ONCE = 100
CONNECTIONS = 10


def measure(*, quick: bool = False) -> list[Verdict]:
    """Every goal beside its ratio, on a private server. OSError where there is no PostgreSQL."""
    with server() as url:
        return asyncio.run(_measured(url, 7 if quick else 31))


async def _measured(url: str, rounds: int) -> list[Verdict]:
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
        rounds=rounds,
        each=200,
    )
    many = await take_turns(
        {"pool": _many_pooled(pool, row.id), "ours": _many_ours(store, row.id)},
        rounds=rounds,
        each=1000,
    )
    await store.aclose()
    await pool.close()
    await connection.close()
    return [
        at_most("PostgreSQL, load / one prepared SELECT", ratio(one["ours"], one["raw"]), 1.3),
        at_most("PostgreSQL, load / SELECT by asyncpg's pool", ratio(one["ours"], one["pool"]), 1),
        at_least("PostgreSQL, 100 pooled SELECTs / loads", ratio(many["pool"], many["ours"]), 1),
    ]


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
    tools = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    if tools is None:
        raise FileNotFoundError("postgresql")
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
    print(table(measure()))
