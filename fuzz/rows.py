"""A store for the targets: a dict that notes what it was asked for."""

# ruff: noqa: D102 - the contract says it

import math

from msgspec.structs import replace

from sojourn import Outcome, Record


class Rows:
    """Rows in a dict. ``asked``: the ids that were loaded."""

    deadline = math.inf

    def __init__(self, rows: dict[str, Record]) -> None:
        self.rows = rows
        self.asked: list[str] = []

    async def load(self, id: str, *, now: float) -> Record | None:
        self.asked.append(id)
        row = self.rows.get(id)
        return row if row is not None and row.expires_at > now else None

    async def create(self, record: Record) -> bool:
        return self.rows.setdefault(record.id, record) is record

    async def replace(self, record: Record, *, version: int, now: float) -> Outcome:
        row = self.rows.get(record.id)
        if row is None or row.expires_at <= now:
            return Outcome.GONE
        if row.version != version:
            return Outcome.CONFLICT
        self.rows[record.id] = record
        return Outcome.APPLIED

    async def touch(self, id: str, *, version: int, expires_at: float, now: float) -> Outcome:
        row = self.rows.get(id)
        if row is None:
            return Outcome.GONE
        later = max(row.expires_at, expires_at)
        newer = replace(row, version=row.version + 1, expires_at=later)
        return await self.replace(newer, version=version, now=now)

    async def delete(self, id: str) -> bool:
        return self.rows.pop(id, None) is not None

    async def aclose(self) -> None:
        pass
