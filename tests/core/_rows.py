"""Rows in a dict, for the core's own tests: the contract of a store in its plainest form.

``Bare`` can do what every store must, ``Rows`` has owners and sweeping too, ``NowaitRows`` loads
without waiting and never leaves the process.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from sojourn import Outcome, Record

Meanwhile = Callable[[], Awaitable[object]]


class Bare:
    """A store without any optional ability.

    - ``calls``: the methods that were called, in order.
    - ``failing``: what a method raises, by its name or by "*".
    - ``meanwhile``: what other requests do just before a method, once; by its name.
    - ``pause``: awaited in each call, so that other tasks may go first.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Record] = {}
        self.calls: list[str] = []
        self.failing: dict[str, BaseException] = {}
        self.meanwhile: dict[str, Meanwhile] = {}
        self.pause: Meanwhile | None = None
        self.lives = 0

    async def _called(self, name: str) -> None:
        self.calls.append(name)
        meanwhile = self.meanwhile.pop(name, None)
        if meanwhile is not None:
            await meanwhile()
        if self.pause is not None:
            await self.pause()
        self._fail(name)

    def _fail(self, name: str) -> None:
        error = self.failing.get(name) or self.failing.get("*")
        if error is not None:
            raise error

    def _live(self, id: str, now: float) -> Record | None:
        record = self.rows.get(id)
        return record if record is not None and now < record.expires_at else None

    async def load(self, id: str, *, now: float) -> Record | None:
        """See ``Store``; so are the others."""
        await self._called("load")
        return self._live(id, now)

    async def create(self, record: Record) -> bool:
        """See ``Store``."""
        await self._called("create")
        if record.id in self.rows:
            return False
        self.rows[record.id] = record
        return True

    async def replace(self, record: Record, *, version: int, now: float) -> Outcome:
        """See ``Store``."""
        await self._called("replace")
        return self._guarded(record, version, now)

    async def touch(self, id: str, *, version: int, expires_at: float, now: float) -> Outcome:
        """See ``Store``."""
        await self._called("touch")
        old = self._live(id, now)
        if old is None:
            return Outcome.GONE
        later = max(old.expires_at, expires_at)
        return self._guarded(replace(old, version=version + 1, expires_at=later), version, now)

    def _guarded(self, record: Record, version: int, now: float) -> Outcome:
        old = self._live(record.id, now)
        if old is None:
            return Outcome.GONE
        if old.version != version:
            return Outcome.CONFLICT
        self.rows[record.id] = record
        return Outcome.APPLIED

    async def delete(self, id: str) -> bool:
        """See ``Store``."""
        await self._called("delete")
        return self.rows.pop(id, None) is not None

    async def aclose(self) -> None:
        """See ``Store``."""
        await self._called("aclose")
        self.lives -= 1


class Rows(Bare):
    """A store with owners, sweeping and something to open."""

    async def aopen(self) -> None:
        """See ``SupportsOpen``."""
        await self._called("aopen")
        self.lives += 1

    async def sweep(self, *, now: float, limit: int) -> int:
        """See ``SupportsSweep``."""
        await self._called("sweep")
        expired = [id for id, record in self.rows.items() if record.expires_at <= now][:limit]
        for id in expired:
            del self.rows[id]
        return len(expired)

    async def load_owner(self, owner: str, *, now: float) -> list[Record]:
        """See ``SupportsOwners``."""
        await self._called("load_owner")
        owned = [r for r in self.rows.values() if r.owner == owner and now < r.expires_at]
        return sorted(owned, key=lambda record: record.created_at)

    async def delete_owner(self, owner: str, *, keep: str | None = None) -> int:
        """See ``SupportsOwners``."""
        await self._called("delete_owner")
        ids = [r.id for r in self.rows.values() if r.owner == owner and r.id != keep]
        for id in ids:
            del self.rows[id]
        return len(ids)


class NowaitRows(Rows):
    """The same, at hand without waiting."""

    deadline = math.inf

    def load_nowait(self, id: str, *, now: float) -> Record | None:
        """See ``SupportsLoadNowait``."""
        self.calls.append("load")
        self._fail("load")
        return self._live(id, now)
