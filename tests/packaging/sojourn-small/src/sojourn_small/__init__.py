"""Sessions in one SQLite file, the simplest way."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
from msgspec.structs import replace

from sojourn import ConfigurationError, Outcome, Record, StoreContext, StoreUnavailableError

ROWS = """
    CREATE TABLE IF NOT EXISTS rows
    (id TEXT PRIMARY KEY, version INTEGER, expires_at REAL, record BLOB) WITHOUT ROWID
"""
encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Record).decode


class SmallStore:
    """Rows in a file. The calls are short, so they run on the event loop."""

    deadline = 2.0

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    async def load(self, id: str, *, now: float) -> Record | None:
        found = self._run(
            "SELECT record, version, expires_at FROM rows WHERE id = ? AND expires_at > ?", id, now
        ).fetchone()
        if found is None:
            return None
        try:
            record = decode(found[0])
        except msgspec.DecodeError:
            return None
        return replace(record, version=found[1], expires_at=found[2])

    async def create(self, record: Record) -> bool:
        values = record.id, record.version, record.expires_at, encode(record)
        return self._run("INSERT OR IGNORE INTO rows VALUES (?, ?, ?, ?)", *values).rowcount == 1

    async def replace(self, record: Record, *, version: int, now: float) -> Outcome:
        changed = self._run(
            "UPDATE rows SET version = ?, expires_at = ?, record = ?"
            " WHERE id = ? AND version = ? AND expires_at > ?",
            *(record.version, record.expires_at, encode(record), record.id, version, now),
        )
        return self._outcome(changed, record.id, now)

    async def touch(self, id: str, *, version: int, expires_at: float, now: float) -> Outcome:
        changed = self._run(
            "UPDATE rows SET version = version + 1, expires_at = max(expires_at, ?)"
            " WHERE id = ? AND version = ? AND expires_at > ?",
            *(expires_at, id, version, now),
        )
        return self._outcome(changed, id, now)

    async def delete(self, id: str) -> bool:
        return self._run("DELETE FROM rows WHERE id = ?", id).rowcount == 1

    async def aclose(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    async def sweep(self, *, now: float, limit: int) -> int:
        some = "SELECT id FROM rows WHERE expires_at <= ? LIMIT ?"
        return self._run(f"DELETE FROM rows WHERE id IN ({some})", now, limit).rowcount

    def _outcome(self, changed: sqlite3.Cursor, id: str, now: float) -> Outcome:
        if changed.rowcount == 1:
            return Outcome.APPLIED
        live = self._run("SELECT 1 FROM rows WHERE id = ? AND expires_at > ?", id, now)
        return Outcome.GONE if live.fetchone() is None else Outcome.CONFLICT

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    self._path, timeout=self.deadline, isolation_level=None
                )
                self._connection.execute(ROWS)
            return self._connection.execute(statement, values)
        except sqlite3.OperationalError as error:
            raise StoreUnavailableError(f"SQLite failed: {type(error).__name__}") from error


def open_store(url: str, context: StoreContext) -> SmallStore:
    """What the entry point names: a store for ``small:///sessions.db``. Opens nothing yet."""
    path = url.removeprefix("small:///")
    if path in ("", url):
        raise ConfigurationError("small: give it a file, as in small:///sessions.db")
    return SmallStore(Path(path))
