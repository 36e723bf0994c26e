"""A store in memory with levers: it can be down, and it can be made to wait."""

from __future__ import annotations

from collections.abc import Callable

import anyio
from msgspec.structs import replace

from sojourn import Outcome, Record, StoreUnavailableError

_PATIENCE = 10.0


class Rows:
    """Rows that outlive the application that opened them.

    ``calls``: what was asked. ``down``: names of methods that fail. ``held``: those that wait until
    they are no longer in it. ``is_open``: between ``aopen`` and ``aclose``. Servers may run it in a
    thread of their own.
    """

    def __init__(self) -> None:
        self.rows: dict[str, Record] = {}
        self.calls: list[str] = []
        self.down: set[str] = set()
        self.held: set[str] = set()
        self.waiting: int = 0
        self.is_open: bool = False

    async def aopen(self) -> None:
        self.is_open = True

    async def aclose(self) -> None:
        self.is_open = False

    async def load(self, id: str, *, now: float) -> Record | None:
        await self._pull_levers("load")
        return self._live(id, now)

    async def create(self, record: Record) -> bool:
        await self._pull_levers("create")
        return self.rows.setdefault(record.id, record) is record

    async def replace(self, record: Record, *, version: int, now: float) -> Outcome:
        await self._pull_levers("replace")
        row = self._live(record.id, now)
        if row is None:
            return Outcome.GONE
        if row.version != version:
            return Outcome.CONFLICT
        self.rows[record.id] = record
        return Outcome.APPLIED

    async def touch(self, id: str, *, version: int, expires_at: float, now: float) -> Outcome:
        await self._pull_levers("touch")
        row = self._live(id, now)
        if row is None:
            return Outcome.GONE
        if row.version != version:
            return Outcome.CONFLICT
        later = max(expires_at, row.expires_at)
        self.rows[id] = replace(row, version=version + 1, expires_at=later)
        return Outcome.APPLIED

    async def delete(self, id: str) -> bool:
        await self._pull_levers("delete")
        return self.rows.pop(id, None) is not None

    def _live(self, id: str, now: float) -> Record | None:
        row = self.rows.get(id)
        return row if row is not None and row.expires_at > now else None

    def _check(self, name: str) -> None:
        self.calls.append(name)
        if name in self.down:
            raise StoreUnavailableError("made to fail")

    async def _pull_levers(self, name: str) -> None:
        self._check(name)
        if name in self.held:
            self.waiting += 1
            try:
                await until(lambda: name not in self.held)
            finally:
                self.waiting -= 1

    @property
    def writes(self) -> list[str]:
        """The calls that change something."""
        return [name for name in self.calls if name != "load"]


class RowsAtHand(Rows):
    """The same with rows that need no waiting, so that sessions load on first use."""

    def load_nowait(self, id: str, *, now: float) -> Record | None:
        self._check("load")
        return self._live(id, now)


async def until(condition: Callable[[], object], patience: float = _PATIENCE) -> None:
    """Wait for something that another task or thread does. TimeoutError after ``patience`` s."""
    with anyio.fail_after(patience):
        while not condition():  # noqa: ASYNC110 - an event cannot be set from a server's thread
            await anyio.sleep(0.002)
