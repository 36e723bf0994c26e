"""The limit over SQLite: the same reads and writes in a few lines, without a library around them.

No deadlines, no cancellation, no busy file, no forks, no checksums. Nobody should use it. It shows
what a read, and a write that shares its transaction, cannot do without on this machine.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import apsw

from ._sqlite_load import NOW, READ, Table, change_together, writing


class Limit:
    """Reads on the loop; the writes of one turn in a list, which a thread commits at once."""

    def __init__(self, table: Table, durability: str) -> None:
        self.table = table
        self._reader = apsw.Connection(str(table.path)).cursor()
        self._writer = writing(table.path, durability)
        self._thread = ThreadPoolExecutor(1)
        self._waiting: list[tuple[Any, ...]] = []

    async def read(self, row: int) -> None:
        """See ``Side``."""
        values = (bytes.fromhex(self.table.ids[row]), NOW)
        assert self._reader.execute(READ, values).get is not None  # noqa: S101

    async def write(self, row: int) -> None:
        """See ``Side``."""
        version = self.table.versions[row]
        record = self.table.changed(row)
        if not self._waiting:
            self._turn = asyncio.create_task(self._commit())
        self._waiting.append((record.payload, bytes.fromhex(record.id), version))
        await self._turn

    async def _commit(self) -> None:
        waiting, self._waiting = self._waiting, []
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, change_together, self._writer, waiting)

    async def close(self) -> None:
        """See ``Side``."""
        self._thread.shutdown()
        self._writer.connection.close()
        self._reader.connection.close()


class Rows:
    """What ``_limit.Memory`` keeps in a dict, in the table of a store."""

    _SELECT = "SELECT * FROM sessions WHERE id = ? AND expires_at > ?"
    _INSERT = (
        "INSERT INTO sessions (id, secret_hash, payload, version, created_at, expires_at, checksum)"
        " VALUES (?, ?, ?, 1, 0.0, 1e10, 0)"
    )

    def __init__(self, cursor: apsw.Cursor) -> None:
        self._execute = cursor.execute

    def get(self, key: bytes) -> bytes | None:
        """The payload."""
        row = self._execute(self._SELECT, (key[:16], NOW)).get
        return None if row is None else row[2]

    def __setitem__(self, key: bytes, payload: bytes) -> None:
        self._execute(self._INSERT, (key[:16], key, payload))
