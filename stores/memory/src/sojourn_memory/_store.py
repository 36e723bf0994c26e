"""``MemoryStore``: rows in a dict of one process."""

from __future__ import annotations

import logging
import math

from sojourn import ConfigurationError, Outcome, Record, StoreError

from . import _rows
from ._calendar import Calendar, bucket_end
from ._owners import OwnerIndex
from ._shards import MASK, shards

logger = logging.getLogger("sojourn")

_APPLIED = Outcome.APPLIED  # to look it up takes 90 ns in 3.11

_CLEANED_PER_CREATE = 2
"""Expired rows that a new row takes with it: more than one, so that cleaning outruns creating.
While the store is less than half full they are left to the sweeper, whose counts then say more."""


class MemoryFullError(StoreError):
    """The store is full of sessions that have an owner, and none of them makes room."""

    status_code = 503


class MemoryStore:
    """Sessions in the memory of this process: for tests, demos and services of one process.

    ``max_sessions`` bounds it. When it is full, a new session takes the place of an expired one,
    else of the anonymous one whose deadline is nearest. Nobody who logged in loses a session to
    make room, or a flood of visitors could log everybody out: when all belong to owners, ``create``
    raises MemoryFullError, which is answered with 503.

    Rows are kept encoded, about 300 bytes for a session with 115 bytes of payload. No call takes
    longer because there are many rows: expired ones go a few at a time, with the manager's
    sweeper and, once the store is half full, with each new session.

    ``aclose`` keeps the rows, because a test client starts and stops the application again and
    again over one store. The first opening in a process says in the log, as a warning, that rows
    stay in this process: Python shows warnings of a logger without any set-up, so a developer sees
    it before a second worker is started, and no test fails of it as it could of ``warnings.warn``.

    Raises ConfigurationError if ``max_sessions`` is not a positive whole number.
    """

    deadline: float = math.inf
    """See ``SupportsDeadline``: no call leaves the process."""

    one_process: bool = True
    """See ``SupportsOneProcess``."""

    def __init__(self, *, max_sessions: int = 100_000) -> None:
        self._max_sessions = _checked(max_sessions)
        self._shards = shards()
        self._count = 0
        self._anonymous, self._owned = Calendar(), Calendar()
        self._owners = OwnerIndex()
        self._has_evicted = False

    def __len__(self) -> int:
        """How many rows there are, expired ones that were not swept included."""
        return self._count

    # Store

    def load_nowait(self, id: str, *, now: float) -> Record | None:
        key = int(id, 16)
        row = self._shards[key & MASK].get(key)
        if row is None:
            return None
        record = _rows.unpack(id, row)
        return record if record.expires_at > now else None

    async def load(self, id: str, *, now: float) -> Record | None:
        return self.load_nowait(id, now=now)

    async def create(self, record: Record) -> bool:
        key = int(record.id, 16)
        shard = self._shards[key & MASK]
        if key in shard:
            return False
        row = _rows.pack(record)
        self._make_room(record.created_at)
        shard[key] = row
        self._count += 1
        self._file(bytes.fromhex(record.id), row)
        return True

    async def replace(self, record: Record, *, version: int, now: float) -> Outcome:
        key = int(record.id, 16)
        shard = self._shards[key & MASK]
        old = shard.get(key)
        outcome = _outcome(old, version, now)
        if old is None or outcome is not _APPLIED:
            return outcome
        shard[key] = new = _rows.pack(record)
        if not _rows.are_filed_alike(old, new):
            self._refile(record.id, old, new)
        return _APPLIED

    async def touch(self, id: str, *, version: int, expires_at: float, now: float) -> Outcome:
        key = int(id, 16)
        shard = self._shards[key & MASK]
        old = shard.get(key)
        outcome = _outcome(old, version, now)
        if old is None or outcome is not _APPLIED:
            return outcome
        shard[key] = new = _rows.touched(old, expires_at=expires_at)
        if not _rows.are_filed_alike(old, new):
            self._refile(id, old, new)
        return _APPLIED

    async def delete(self, id: str) -> bool:
        return self._delete(bytes.fromhex(id))

    async def aopen(self) -> None:
        """See ``SupportsOpen``."""
        _say_where_rows_are()

    async def aclose(self) -> None:
        """Nothing to release; the rows stay."""

    # SupportsSweep

    async def sweep(self, *, now: float, limit: int) -> int:
        return self._drop_ended(now, limit) or self._drop_current(now, limit)

    # SupportsOwners

    async def load_owner(self, owner: str, *, now: float) -> list[Record]:
        rows = ((id, self._row(id)) for id in self._owners.ids(owner))
        live = (_rows.unpack(id.hex(), row) for id, row in rows if _rows.times(row)[0] > now)
        return sorted(live, key=lambda record: record.created_at)

    async def delete_owner(self, owner: str, *, keep: str | None = None) -> int:
        kept = None if keep is None else bytes.fromhex(keep)
        return sum(self._delete(id) for id in self._owners.ids(owner) if id != kept)

    # The rows and their two indexes

    def _row(self, id: bytes) -> bytes:
        key = int.from_bytes(id, "big")
        return self._shards[key & MASK][key]

    def _file(self, id: bytes, row: bytes) -> None:
        owner = _rows.owner(row)
        self._calendar(owner).add(id, bucket_end(*_rows.times(row)))
        if owner is not None:
            self._owners.add(owner, id)

    def _unfile(self, id: bytes, row: bytes) -> None:
        owner = _rows.owner(row)
        self._calendar(owner).remove(id, bucket_end(*_rows.times(row)))
        if owner is not None:
            self._owners.remove(owner, id)

    def _refile(self, id: str, old: bytes, new: bytes) -> None:
        raw = bytes.fromhex(id)
        self._unfile(raw, old)
        self._file(raw, new)

    def _calendar(self, owner: str | None) -> Calendar:
        return self._anonymous if owner is None else self._owned

    def _delete(self, id: bytes) -> bool:
        key = int.from_bytes(id, "big")
        row = self._shards[key & MASK].pop(key, None)
        if row is None:
            return False
        self._count -= 1
        self._unfile(id, row)
        return True

    def _drop_popped(self, id: bytes) -> None:
        """Remove the row of an id that was just taken out of its calendar."""
        key = int.from_bytes(id, "big")
        owner = _rows.owner(self._shards[key & MASK].pop(key))
        self._count -= 1
        if owner is not None:
            self._owners.remove(owner, id)

    # Expiry, and making room

    def _drop_ended(self, now: float, limit: int) -> int:
        """Remove at most so many rows from buckets that have ended; says how many."""
        count = 0
        for calendar in (self._anonymous, self._owned):
            while count < limit and (id := calendar.pop(until=now)) is not None:
                self._drop_popped(id)
                count += 1
        return count

    def _drop_current(self, now: float, limit: int) -> int:
        """The same for the expired ones in the buckets that ``now`` falls into."""
        count = 0
        for calendar in (self._anonymous, self._owned):
            for id in calendar.current(now):
                if count < limit and _rows.times(self._row(id))[0] <= now:
                    count += self._delete(id)
        return count

    def _make_room(self, now: float) -> None:
        """Have a place for one row. ``now``: a new row's birth, the only time ``create`` knows."""
        if 2 * self._count >= self._max_sessions:
            self._drop_ended(now, _CLEANED_PER_CREATE)
        if self._count < self._max_sessions or self._drop_current(now, 1):
            return
        id = self._anonymous.pop()
        if id is None:
            raise MemoryFullError(
                f"all {self._count} sessions belong to owners, and none makes room; raise "
                "MemoryStore(max_sessions=...), or use a store on disk: sqlite:///sessions.db"
            )
        self._drop_popped(id)
        self._report_eviction()

    def _report_eviction(self) -> None:
        if not self._has_evicted:
            self._has_evicted = True
            logger.warning(
                "MemoryStore is full (max_sessions=%d): anonymous sessions end early from now on",
                self._max_sessions,
            )

    def __repr__(self) -> str:
        return f"<MemoryStore of {self._count} rows>"


def _outcome(row: bytes | None, version: int, now: float) -> Outcome:
    """Whether a write of this version would be applied to this row."""
    if row is None:
        return Outcome.GONE
    expires_at, _, _, present = _rows.start(row)
    if expires_at <= now:
        return Outcome.GONE
    return _APPLIED if present == version else Outcome.CONFLICT


def _checked(max_sessions: object) -> int:
    if not isinstance(max_sessions, int) or max_sessions < 1:
        raise ConfigurationError("MemoryStore(max_sessions=...): a whole number, 1 or more")
    return max_sessions


_said: list[bool] = []


def _say_where_rows_are() -> None:
    if not _said:
        _said.append(True)
        logger.warning(
            "MemoryStore keeps sessions in this process: they end with it, and other workers do "
            "not see them; for more than that, use a store such as sqlite:///sessions.db"
        )
