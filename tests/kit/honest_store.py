"""The smallest honest store: what every mutant is a change of."""

# ruff: noqa: D102 - the contract says it

import math

from msgspec.structs import replace

from sojourn import Outcome, Record


class HonestStore:
    """Rows in a dict; each method is one step, since none of them awaits."""

    deadline = math.inf

    def __init__(self, rows: dict[str, Record] | None = None) -> None:
        self.rows: dict[str, Record] = {} if rows is None else rows

    def live(self, id: str, now: float) -> Record | None:
        """The row, unless it is missing or expired."""
        row = self.rows.get(id)
        return row if row is not None and row.expires_at > now else None

    async def load(self, id: str, *, now: float) -> Record | None:
        return self.live(id, now)

    async def create(self, record: Record) -> bool:
        if record.id in self.rows:
            return False
        self.rows[record.id] = record
        return True

    async def replace(self, record: Record, *, version: int, now: float) -> Outcome:
        row = self.live(record.id, now)
        if row is None:
            return Outcome.GONE
        if row.version != version:
            return Outcome.CONFLICT
        self.rows[record.id] = record
        return Outcome.APPLIED

    async def touch(self, id: str, *, version: int, expires_at: float, now: float) -> Outcome:
        row = self.live(id, now)
        if row is None:
            return Outcome.GONE
        if row.version != version:
            return Outcome.CONFLICT
        until = max(row.expires_at, expires_at)
        self.rows[id] = replace(row, version=version + 1, expires_at=until)
        return Outcome.APPLIED

    async def delete(self, id: str) -> bool:
        return self.rows.pop(id, None) is not None

    async def aclose(self) -> None:
        pass

    async def sweep(self, *, now: float, limit: int) -> int:
        expired = [row.id for row in self.rows.values() if row.expires_at <= now][:limit]
        for id in expired:
            del self.rows[id]
        return len(expired)

    async def load_owner(self, owner: str, *, now: float) -> list[Record]:
        rows = [row for row in self.rows.values() if row.owner == owner and row.expires_at > now]
        return sorted(rows, key=lambda row: row.created_at)

    async def delete_owner(self, owner: str, *, keep: str | None = None) -> int:
        gone = [row.id for row in self.rows.values() if row.owner == owner and row.id != keep]
        for id in gone:
            del self.rows[id]
        return len(gone)
