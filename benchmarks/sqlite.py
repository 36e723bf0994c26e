"""The SQLite store against aiosqlite and bare sqlite3: python -m benchmarks.sqlite."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

from sojourn import Outcome, SessionManager
from sojourn_memory import MemoryStore
from sojourn_sqlite import SQLiteStore

from ._data import session_data
from ._rounds import Run, Samples, ratio, take_turns
from ._sqlite_load import WRITE, Mixed, Ours, Table, Theirs
from ._verdict import Verdict, at_least, at_most, table

AT_ONCE = 100
SESSIONS = 1100
"""More than a manager keeps opened, so that none is met again there."""

SELECT = "SELECT * FROM sessions WHERE id = ? AND expires_at > ?"
NOW = 0.0  # every session is live


def measure(*, quick: bool = False) -> list[Verdict]:
    """Every goal beside its ratio."""
    return asyncio.run(_measured(3 if quick else 9))


async def _measured(rounds: int) -> list[Verdict]:
    lines: list[Verdict] = []
    with tempfile.TemporaryDirectory() as folder:
        for durability in ("normal", "full"):
            lines += await mixed(Path(folder) / durability, durability, rounds)
        lines.append(await grouped(Path(folder) / "grouped.db", rounds))
        lines += await managed(Path(folder) / "managed.db", rounds)
    return lines


async def mixed(path: Path, durability: Any, rounds: int) -> list[Verdict]:
    """64 tasks, 90 % reads, 10,000 rows; both sides on a file of their own of the same content."""
    tables = Table(path.with_suffix(".ours.db")), Table(path.with_suffix(".theirs.db"))
    for each in tables:
        await each.fill()
    ours, theirs = Ours(tables[0], durability), await Theirs.open(tables[1], durability)
    load = Mixed(ours)
    await load(640)
    load.reads.clear()
    candidates: dict[str, Run] = {"ours": load, "theirs": Mixed(theirs)}
    samples = await take_turns(candidates, rounds=rounds, each=6400)
    for side in (ours, theirs):
        await side.close()
        side.table.check()
    found = ratio(samples["theirs"], samples["ours"])
    title = f"SQLite, mixed load, {durability}: "
    return [
        at_least(title + "times aiosqlite", found, 12),
        Verdict(title + "p99 of reads", "under 1 ms", f"{load.p99:.3f} ms", load.p99 < 1),
    ]


async def grouped(path: Path, rounds: int) -> Verdict:
    """100 concurrent FULL commits, and as many transactions one after another on bare sqlite3."""
    rows = Table(path)
    await rows.fill()
    ours = Ours(rows, "full")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")

    async def together(times: int) -> None:
        for first in range(0, times, AT_ONCE):
            await asyncio.gather(*map(ours.write, range(first, first + AT_ONCE)))

    async def each(times: int) -> None:
        for row in range(times):
            version = rows.versions[row]
            record = rows.changed(row)
            values = (record.payload, bytes.fromhex(record.id), version)
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute(WRITE, values).rowcount != 1:
                raise AssertionError(Outcome.CONFLICT)
            connection.execute("COMMIT")

    samples = await take_turns({"together": together, "each": each}, rounds=rounds, each=1000)
    connection.close()
    await ours.close()
    rows.check()
    found = ratio(samples["each"], samples["together"])
    return at_least(f"SQLite, {AT_ONCE} FULL commits at once, times one by one", found, 8)


async def managed(path: Path, rounds: int) -> list[Verdict]:
    """A session that is read through the manager, against what that cannot do without."""
    on_file, in_memory = SQLiteStore(path), MemoryStore()
    async with SessionManager(on_file) as ours, SessionManager(in_memory) as other:
        headers = [await visitor(ours) for _ in range(SESSIONS)]
        others = [await visitor(other) for _ in range(SESSIONS)]
        id, id_of_other = str(ours.open(headers[:1]).id), str(other.open(others[:1]).id)
        connection = sqlite3.connect(path, isolation_level=None)
        candidates = {
            "sqlite": _managed(ours, headers),
            "memory": _managed(other, others),
            "select": _selects(connection, id),
            "memory store": _loads(in_memory, id_of_other),
            "sqlite store": _loads(on_file, id),
        }
        samples = await take_turns(candidates, rounds=4 * rounds, each=500)
        connection.close()
    lines = (
        ("managed read / (SELECT + managed memory read)", "sqlite", ("select", "memory")),
        ("managed read / (SELECT + memory's load)", "sqlite", ("select", "memory store")),
        ("the store's load / SELECT", "sqlite store", ("select",)),
    )
    return [_at_most(samples, *line) for line in lines]


def _managed(manager: SessionManager[Any], headers: list[bytes]) -> Run:
    source = itertools.cycle(headers)

    async def run(times: int) -> None:
        for header in itertools.islice(source, times):
            session = manager.open([header])
            if session["visits"] != 41:
                raise AssertionError(session.id)
            await manager.commit(session)

    return run


def _selects(connection: sqlite3.Connection, id: str) -> Run:
    key = bytes.fromhex(id)

    async def run(times: int) -> None:
        for _ in range(times):
            if connection.execute(SELECT, (key, NOW)).fetchone() is None:
                raise AssertionError(id)

    return run


def _loads(store: SQLiteStore | MemoryStore, id: str) -> Run:
    async def run(times: int) -> None:
        for _ in range(times):
            if store.load_nowait(id, now=NOW) is None:
                raise AssertionError(id)

    return run


def _at_most(samples: Samples, title: str, ours: str, parts: tuple[str, ...]) -> Verdict:
    least = [sum(each) for each in zip(*(samples[part] for part in parts), strict=True)]
    return at_most(f"SQLite, {title}", ratio(samples[ours], least), 1.5)


async def visitor(manager: SessionManager[Any]) -> bytes:
    """The Cookie header of a session with 250 bytes of data."""
    session = await manager.load([])
    session.update(session_data(250))
    result = await manager.commit(session)
    return result.headers[0][1].partition(";")[0].encode()


if __name__ == "__main__":
    print(table(measure()))
