"""The SQLite store against aiosqlite and bare apsw: ``python -m benchmarks.sqlite``.

With the dependency group ``bench``; on the disk of the folder for temporary files (``TMPDIR``).
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from itertools import cycle
from pathlib import Path
from time import thread_time
from typing import Any

import apsw

from sojourn import SessionManager
from sojourn_memory import MemoryStore
from sojourn_sqlite import SQLiteStore

from ._data import session_data
from ._limit import Memory
from ._rounds import Run, Samples, ratio, take_turns
from ._sqlite_limit import Limit, Rows
from ._sqlite_load import Bare, Mixed, Ours, Side, Table, Theirs, writing
from ._verdict import Verdict, at_least, at_most, table

AT_ONCE = 100
VISITORS = 1100  # more than a manager remembers
DATA = session_data(250)
SELECT = "SELECT * FROM sessions WHERE id = ? AND expires_at > ?"
NOW = 0.0  # every session is live


def measure(*, quick: bool = False) -> list[Verdict]:
    """Every goal beside its ratio."""
    logging.basicConfig(handlers=[logging.NullHandler()])
    return asyncio.run(_measured(3 if quick else 9))


async def _measured(rounds: int) -> list[Verdict]:
    lines: list[Verdict] = []
    with tempfile.TemporaryDirectory() as folder:
        for durability in ("normal", "full"):
            lines += await mixed(Path(folder) / durability, durability, rounds)
        lines += await grouped(Path(folder) / "grouped.db", rounds)
        lines += await managed(Path(folder) / "managed.db", rounds)
    return lines


async def mixed(path: Path, durability: Any, rounds: int) -> list[Verdict]:
    """64 tasks, 90 % reads, 10,000 rows; each side on a file of its own of the same size."""
    tables = [Table(path.with_suffix(f".{side}.db")) for side in ("ours", "theirs", "limit")]
    for each in tables:
        await each.fill()
    sides: dict[str, Side] = {
        "ours": Ours(tables[0], durability),
        "theirs": await Theirs.open(tables[1], durability),
        "limit": Limit(tables[2], durability),
    }
    loads = {name: Mixed(side) for name, side in sides.items()}
    await loads["ours"](640)
    for load in loads.values():
        load.reads.clear()
    samples = await take_turns(dict(loads), rounds=rounds, each=6400)
    for side in sides.values():
        await side.close()
        side.table.check()
    found, limit = (ratio(samples["theirs"], samples[name]) for name in ("ours", "limit"))
    title = f"SQLite, mixed load, {durability}: "
    ours, least = loads["ours"].p99, loads["limit"].p99
    return [
        at_least(title + "operations / aiosqlite's", found, 12, limit),
        Verdict(
            title + "p99 of reads", "under 1 ms", f"{ours:.3f} ms", ours < 1, f"{least:.3f} ms"
        ),
    ]


async def grouped(path: Path, rounds: int) -> list[Verdict]:
    """100 concurrent FULL commits, and as many transactions, one after another."""
    rows = Table(path)
    await rows.fill()
    ours, limit = Ours(rows, "full"), Limit(rows, "full")
    bare = Bare(rows)

    async def in_turn(times: int) -> None:
        for row in range(times):
            await ours.write(row)

    async def on_the_loop(times: int) -> None:
        for row in range(times):
            bare.write(row)

    async def in_one(times: int) -> None:
        for first in range(0, times, AT_ONCE):
            bare.write_together(range(first, first + AT_ONCE))

    candidates: dict[str, Run] = {
        "together": _together(ours),
        "limit": _together(limit),
        "store": in_turn,
        "bare": on_the_loop,
        "bare, together": in_one,
    }
    samples = await take_turns(candidates, rounds=rounds, each=1000)
    bare.close()
    await limit.close()
    await ours.close()
    rows.check()
    return [
        _at_least(samples, "store", "as fast as in turn"),
        _at_least(samples, "bare", "as fast as bare apsw on the loop"),
    ]


def _together(side: Side) -> Run:
    async def run(times: int) -> None:
        for first in range(0, times, AT_ONCE):
            await asyncio.gather(*map(side.write, range(first, first + AT_ONCE)))

    return run


def _at_least(samples: Samples, peer: str, text: str) -> Verdict:
    found, limit, bare = (
        ratio(samples[peer], samples[name]) for name in ("together", "limit", "bare, together")
    )
    line = at_least(f"SQLite, {AT_ONCE} FULL commits at once, times {text}", found, 8, limit)
    return line._replace(limit=f"{line.limit}, without tasks {bare.median:.2f}")


async def managed(path: Path, rounds: int) -> list[Verdict]:
    """A session that is read through the manager, against what that cannot do without."""
    on_file, in_memory = SQLiteStore(path, durability="normal"), MemoryStore()
    async with SessionManager(on_file) as ours, SessionManager(in_memory) as other:
        headers, headers_of_other = await visitors(ours), await visitors(other)
        cursor = writing(path, "NORMAL")
        candidates = {
            "sqlite": _managed(ours, headers),
            "memory": _managed(other, headers_of_other),
            "select": _selects(cursor, _ids(ours, headers)),
            "memory store": _loads(in_memory, _ids(other, headers_of_other)),
            "sqlite store": _loads(on_file, _ids(ours, headers)),
            "limit": _limit(Memory(Rows(cursor))),
        }
        samples = await take_turns(candidates, rounds=30 * rounds, each=20, clock=thread_time)
        cursor.connection.close()
    lines = (
        ("managed read / (SELECT + managed memory read)", "sqlite", ("select", "memory")),
        ("managed read / (SELECT + memory's load)", "sqlite", ("select", "memory store")),
        ("the store's load / SELECT", "sqlite store", ("select",)),
    )
    return [_at_most(samples, *line) for line in lines]


def _managed(manager: SessionManager[Any], headers: list[bytes]) -> Run:
    following = cycle(headers)

    async def run(times: int) -> None:
        for _ in range(times):
            session = manager.open([next(following)])
            if session["visits"] != DATA["visits"]:
                raise AssertionError(session.id)
            await manager.commit(session)

    return run


def _limit(sessions: Memory) -> Run:
    """Find the cookie, look for the row of its hash, decode, look at the clock."""
    lines = [sessions.save(b"", DATA) or b"" for _ in range(VISITORS)]
    following = cycle([line.partition(b";")[0] for line in lines])

    async def read(header: bytes) -> Any:
        values = sessions.load(header)
        return values and values["visits"]

    async def run(times: int) -> None:
        for _ in range(times):
            if await read(next(following)) != DATA["visits"]:
                raise AssertionError(sessions)

    return run


def _selects(cursor: apsw.Cursor, ids: list[str]) -> Run:
    following = cycle(map(bytes.fromhex, ids))

    async def run(times: int) -> None:
        for _ in range(times):
            if cursor.execute(SELECT, (next(following), NOW)).get is None:
                raise AssertionError(ids)

    return run


def _loads(store: SQLiteStore | MemoryStore, ids: list[str]) -> Run:
    following = cycle(ids)

    async def run(times: int) -> None:
        for _ in range(times):
            if store.load_nowait(next(following), now=NOW) is None:
                raise AssertionError(ids)

    return run


async def visitors(manager: SessionManager[Any]) -> list[bytes]:
    """The Cookie headers of many sessions with 250 bytes of data."""
    headers: list[bytes] = []
    for _ in range(VISITORS):
        session = await manager.load([])
        session.update(DATA)
        result = await manager.commit(session)
        headers.append(result.headers[0][1].partition(";")[0].encode())
    return headers


def _ids(manager: SessionManager[Any], headers: list[bytes]) -> list[str]:
    return [str(manager.open([header]).id) for header in headers]


def _at_most(samples: Samples, title: str, ours: str, parts: tuple[str, ...]) -> Verdict:
    least = [sum(each) for each in zip(*(samples[part] for part in parts), strict=True)]
    found = ratio(samples[ours], least)
    limit = ratio(samples["limit"], least) if ours == "sqlite" else None
    return at_most(f"SQLite, {title}", found, 1.5, limit)


if __name__ == "__main__":
    print(table(measure()))
