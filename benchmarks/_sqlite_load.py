"""Many tasks on one file at once: the store and aiosqlite do the same reads and writes."""

from __future__ import annotations

import asyncio
import random
import secrets
import sqlite3
import statistics
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import aiosqlite
import apsw

from sojourn import Outcome, Record
from sojourn_sqlite import SQLiteStore
from sojourn_sqlite._schema import Durability

ROWS, TASKS, READS = 10_000, 64, 0.9
PAYLOAD_BYTES = 250
NOW, LATER = 1_800_000_000.0, 1_900_000_000.0

READ = "SELECT payload, version FROM sessions WHERE id = ? AND expires_at > ?"
WRITE = "UPDATE sessions SET payload = ?, version = version + 1 WHERE id = ? AND version = ?"


class Table:
    """What a file must hold after the work: each row's id, its version and that one's payload."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ids: list[str] = [secrets.token_hex(16) for _ in range(ROWS)]
        self.versions = [1] * ROWS

    def record(self, row: int) -> Record:
        """The row as it should be now."""
        version = self.versions[row]
        payload = _payload(row, version)
        return Record(self.ids[row], bytes(32), payload, version, NOW, LATER)

    def changed(self, row: int) -> Record:
        """The row after one more write, which is noted as done."""
        self.versions[row] += 1
        return self.record(row)

    async def fill(self) -> None:
        """Create the file and all rows."""
        store = SQLiteStore(self.path)
        for first in range(0, ROWS, 500):
            rows = range(first, first + 500)
            await asyncio.gather(*(store.create(self.record(row)) for row in rows))
        await store.aclose()

    def check(self) -> None:
        """Read everything with another program's eyes. Raises AssertionError if a write is lost."""
        with sqlite3.connect(self.path) as connection:
            found = connection.execute("SELECT id, version, payload FROM sessions").fetchall()
        connection.close()
        payloads = map(_payload, range(ROWS), self.versions)
        wanted = zip(map(bytes.fromhex, self.ids), self.versions, payloads, strict=True)
        if sorted(found) != sorted(wanted):
            raise AssertionError(f"{self.path.name}: the rows are not what was written")


def _payload(row: int, version: int) -> bytes:
    """No two rows and no two versions have the same: SQLite skips what does not change."""
    return (row << 64 | version).to_bytes(PAYLOAD_BYTES, "big")


class Side(Protocol):
    """One way to use the file."""

    table: Table

    async def read(self, row: int) -> None:
        """Read this row."""

    async def write(self, row: int) -> None:
        """Change this row, and return when that is committed."""

    async def close(self) -> None:
        """Give the file back."""


class Ours:
    """The store."""

    def __init__(self, table: Table, durability: Durability) -> None:
        self.table = table
        self.store = SQLiteStore(table.path, durability=durability)

    async def read(self, row: int) -> None:
        found = await self.store.load(self.table.ids[row], now=NOW)
        assert found is not None  # noqa: S101

    async def write(self, row: int) -> None:
        version = self.table.versions[row]
        record = self.table.changed(row)
        outcome = await self.store.replace(record, version=version, now=NOW)
        assert outcome is Outcome.APPLIED  # noqa: S101

    async def close(self) -> None:
        await self.store.aclose()


class Theirs:
    """aiosqlite: one connection, in WAL and as durable. Each write is a transaction of its own."""

    def __init__(self, table: Table, connection: aiosqlite.Connection) -> None:
        self.table = table
        self.connection = connection

    @classmethod
    async def open(cls, table: Table, durability: Durability) -> Theirs:
        """Connect."""
        connection = await aiosqlite.connect(table.path, isolation_level=None)
        for pragma in ("journal_mode = WAL", f"synchronous = {durability}", "secure_delete = ON"):
            await connection.execute(f"PRAGMA {pragma}")
        return cls(table, connection)

    async def read(self, row: int) -> None:
        values = (bytes.fromhex(self.table.ids[row]), NOW)
        async with self.connection.execute(READ, values) as cursor:
            found = await cursor.fetchone()
        assert found is not None  # noqa: S101

    async def write(self, row: int) -> None:
        version = self.table.versions[row]
        record = self.table.changed(row)
        values = (record.payload, bytes.fromhex(record.id), version)
        async with self.connection.execute(WRITE, values) as cursor:
            assert cursor.rowcount == 1  # noqa: S101

    async def close(self) -> None:
        await self.connection.close()


class Bare:
    """apsw alone, which holds up the loop for each transaction."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.cursor = writing(table.path, "FULL")

    def write(self, row: int) -> None:
        """See ``Side``."""
        version = self.table.versions[row]
        record = self.table.changed(row)
        values = (record.payload, bytes.fromhex(record.id), version)
        self.cursor.execute("BEGIN IMMEDIATE")
        assert self.cursor.execute(WRITE, values).connection.changes() == 1  # noqa: S101
        self.cursor.execute("COMMIT")

    def write_together(self, rows: Iterable[int]) -> None:
        """``write`` for these, in one transaction."""
        versions = [self.table.versions[row] for row in rows]
        records = [self.table.changed(row) for row in rows]
        values = [
            (record.payload, bytes.fromhex(record.id), version)
            for record, version in zip(records, versions, strict=True)
        ]
        change_together(self.cursor, values)

    def close(self) -> None:
        """See ``Side``."""
        self.cursor.connection.close()


def writing(path: Path, durability: str) -> apsw.Cursor:
    """A connection that writes as the store's does."""
    cursor = apsw.Connection(str(path)).cursor()
    for pragma in (f"synchronous = {durability}", "secure_delete = ON"):
        cursor.execute(f"PRAGMA {pragma}").fetchall()
    return cursor


def change_together(cursor: apsw.Cursor, changes: list[tuple[Any, ...]]) -> None:
    """Change rows in one transaction: (payload, id, version) each. AssertionError if one is not."""
    before = cursor.connection.total_changes()
    cursor.execute("BEGIN IMMEDIATE")
    cursor.executemany(WRITE, changes)
    cursor.execute("COMMIT")
    assert cursor.connection.total_changes() - before == len(changes)  # noqa: S101


class Mixed:
    """A load of so many operations; remembers how long each read took, in seconds.

    What is read and what is written is decided before the clock starts.
    """

    def __init__(self, side: Side) -> None:
        self._side = side
        self.reads: list[float] = []

    async def __call__(self, times: int) -> float:
        plans = [_plan(task, times // TASKS) for task in range(TASKS)]
        started = perf_counter()
        async with asyncio.TaskGroup() as group:
            for plan in plans:
                group.create_task(self._work(plan))
        return perf_counter() - started

    async def _work(self, plan: list[tuple[int, bool]]) -> None:
        side = self._side
        for row, is_read in plan:
            if is_read:
                begin = perf_counter()
                await side.read(row)
                self.reads.append(perf_counter() - begin)
            else:
                await side.write(row)

    @property
    def p99(self) -> float:
        """Milliseconds that 99 of 100 reads stayed below."""
        return statistics.quantiles(self.reads, n=100)[98] * 1e3


def _plan(task: int, times: int) -> list[tuple[int, bool]]:
    """Rows, each with whether it is read. Each task has rows of its own: no write meets another."""
    chance = random.Random(task)  # noqa: S311
    return [
        (chance.randrange(ROWS // TASKS) * TASKS + task, chance.random() < READS)
        for _ in range(times)
    ]
