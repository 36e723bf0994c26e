"""Many tasks on one file at once: the store and aiosqlite do the same reads and writes."""

from __future__ import annotations

import asyncio
import random
import secrets
import sqlite3
import statistics
from pathlib import Path
from time import perf_counter
from typing import Protocol

import aiosqlite

from sojourn import Outcome, Record
from sojourn_sqlite import SQLiteStore
from sojourn_sqlite._schema import Durability

ROWS, TASKS, READS = 10_000, 64, 0.9
PAYLOAD_BYTES = 250
NOW, LATER = 1_800_000_000.0, 1_900_000_000.0

READ = "SELECT payload, version FROM sessions WHERE id = ? AND expires_at > ?"
WRITE = "UPDATE sessions SET payload = ?, version = version + 1 WHERE id = ? AND version = ?"


class Table:
    """What a file must hold after the work: ids, and the version and payload of each row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ids: list[str] = [secrets.token_hex(16) for _ in range(ROWS)]
        self.versions = [1] * ROWS
        self.payloads: list[bytes] = [secrets.token_bytes(PAYLOAD_BYTES) for _ in range(ROWS)]

    def record(self, row: int) -> Record:
        """The row as it should be now."""
        payload, version = self.payloads[row], self.versions[row]
        return Record(self.ids[row], bytes(32), payload, version, NOW, LATER)

    def changed(self, row: int) -> Record:
        """The row after one more write, which is noted as done."""
        self.versions[row] += 1
        self.payloads[row] = secrets.token_bytes(PAYLOAD_BYTES)
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
        wanted = zip(map(bytes.fromhex, self.ids), self.versions, self.payloads, strict=True)
        if sorted(found) != sorted(wanted):
            raise AssertionError(f"{self.path.name}: the rows are not what was written")


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
    """sqlite3 alone, which holds up the loop for each transaction."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.connection = sqlite3.connect(table.path, isolation_level=None)
        for pragma in ("synchronous = FULL", "secure_delete = ON"):
            self.connection.execute(f"PRAGMA {pragma}")

    def write(self, row: int) -> None:
        """See ``Side``."""
        version = self.table.versions[row]
        record = self.table.changed(row)
        values = (record.payload, bytes.fromhex(record.id), version)
        self.connection.execute("BEGIN IMMEDIATE")
        assert self.connection.execute(WRITE, values).rowcount == 1  # noqa: S101
        self.connection.execute("COMMIT")

    def close(self) -> None:
        """See ``Side``."""
        self.connection.close()


class Mixed:
    """A load of so many operations; remembers how long each read took, in seconds."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self.reads: list[float] = []

    async def __call__(self, times: int) -> None:
        async with asyncio.TaskGroup() as group:
            for task in range(TASKS):
                group.create_task(self._work(task, times // TASKS))

    async def _work(self, task: int, times: int) -> None:
        side, chance = self._side, random.Random(task)  # noqa: S311
        for _ in range(times):
            # Each task has rows of its own, so that no write meets another version.
            row = chance.randrange(ROWS // TASKS) * TASKS + task
            if chance.random() < READS:
                begin = perf_counter()
                await side.read(row)
                self.reads.append(perf_counter() - begin)
            else:
                await side.write(row)

    @property
    def p99(self) -> float:
        """Milliseconds that 99 of 100 reads stayed below."""
        return statistics.quantiles(self.reads, n=100)[98] * 1e3
