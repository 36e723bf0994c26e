"""A near store in front of a far one: fewer round trips, for a staleness that is stated.

What the near store holds is a copy with a short life, so it can be older than the row by
``staleness`` seconds and no more. Every write goes to the far store, which compares versions: a
stale copy can be read, and can never be written back.
"""

from __future__ import annotations

import math
from typing import cast

import anyio
import msgspec

from ._errors import ConfigurationError
from ._record import Record
from ._store import (
    Outcome,
    Store,
    SupportsDeadline,
    SupportsOpen,
    SupportsOwners,
    SupportsSweep,
)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode


class CachedStore:
    """``far``, with copies of its rows in ``near`` (a MemoryStore, say, which is bounded).

    For at most ``staleness`` seconds after another process revoked, destroyed or rotated a session,
    this process may still accept the former cookie for reading. Its writes fail at once. What this
    process does itself, it sees at once. A cookie that the copy does not know is looked up in
    ``far``, so a login elsewhere is never taken for a stranger.

    Where both stores bound their calls themselves, so does this one, and reading a copy costs no
    timer. Both are opened and closed with this one. Raises ConfigurationError for a ``staleness``
    that is not above 0.
    """

    deadline: float
    """See ``SupportsDeadline``; only there when both stores say theirs."""

    def __init__(self, near: Store, far: Store, *, staleness: float = 1.0) -> None:
        if not 0 < staleness < math.inf:
            raise ConfigurationError("CachedStore(staleness=...): seconds, above 0")
        for name, store in cast("dict[str, object]", {"near": near, "far": far}).items():
            if isinstance(store, type) or not isinstance(store, Store):
                raise ConfigurationError(f"CachedStore({name}): give a sojourn.Store, no URL")
        self._near, self._far, self._staleness = near, far, staleness
        if isinstance(near, SupportsDeadline) and isinstance(far, SupportsDeadline):
            self.deadline = _longest(near.deadline, far.deadline)
        # Ids that are being read from far; False: written since that began.
        self._filling: dict[str, bool] = {}

    async def load(self, id: str, *, now: float) -> Record | None:
        """See ``Store``: at most ``staleness`` seconds old."""
        if id in self._filling:
            # What lies near may have been put there after a write that has ended since.
            return await self._far.load(id, now=now)
        copy = await self._near.load(id, now=now)
        return await self.load_fresh(id, now=now) if copy is None else _decode(copy.payload)

    async def load_fresh(self, id: str, *, now: float) -> Record | None:
        """See ``SupportsFreshLoad``."""
        if id in self._filling:
            return await self._far.load(id, now=now)
        self._filling[id] = True
        try:
            record = await self._far.load(id, now=now)
            await self._near.delete(id)
            if record is not None and self._filling[id]:
                await self._near.create(self._copy(record, now))
        finally:
            await self._filled(id)
        return record

    async def _filled(self, id: str) -> None:
        try:
            if not self._filling[id]:
                # Somebody wrote meanwhile: what was read may be older than that.
                await self._clear(id)
        finally:
            del self._filling[id]

    def _copy(self, record: Record, now: float) -> Record:
        expires_at = min(record.expires_at, now + self._staleness)
        return Record(
            record.id, record.secret_hash, _encode(record), 1, now, expires_at, record.owner
        )

    async def _forget(self, id: str) -> None:
        """Called after each write, whatever came of it."""
        if id in self._filling:
            self._filling[id] = False
        await self._clear(id)

    async def _clear(self, id: str) -> None:
        # A request that was cancelled may have written all the same.
        with anyio.CancelScope(shield=True):
            await self._near.delete(id)

    async def create(self, record: Record) -> bool:
        """See ``Store``."""
        try:
            return await self._far.create(record)
        finally:
            await self._forget(record.id)

    async def replace(self, record: Record, *, version: int, now: float) -> Outcome:
        """See ``Store``."""
        try:
            return await self._far.replace(record, version=version, now=now)
        finally:
            await self._forget(record.id)

    async def touch(self, id: str, *, version: int, expires_at: float, now: float) -> Outcome:
        """See ``Store``."""
        try:
            return await self._far.touch(id, version=version, expires_at=expires_at, now=now)
        finally:
            await self._forget(id)

    async def delete(self, id: str) -> bool:
        """See ``Store``."""
        try:
            return await self._far.delete(id)
        finally:
            await self._forget(id)

    async def load_owner(self, owner: str, *, now: float) -> list[Record]:
        """See ``SupportsOwners``: never from the near store."""
        return await self._owners().load_owner(owner, now=now)

    async def delete_owner(self, owner: str, *, keep: str | None = None) -> int:
        """See ``SupportsOwners``."""
        # Without a time of its own: whatever the far store still has is to be forgotten here.
        known = await self._owners().load_owner(owner, now=0.0)
        try:
            return await self._owners().delete_owner(owner, keep=keep)
        finally:
            # A session that is being read now may have become this owner's a moment ago.
            for id in {record.id for record in known} | set(self._filling):
                await self._forget(id)
            if isinstance(self._near, SupportsOwners):
                with anyio.CancelScope(shield=True):
                    await self._near.delete_owner(owner)

    def _owners(self) -> SupportsOwners:
        if isinstance(self._far, SupportsOwners):
            return self._far
        raise ConfigurationError(f"{type(self._far).__name__} cannot list sessions by owner")

    async def sweep(self, *, now: float, limit: int) -> int:
        """See ``SupportsSweep``: both stores, as far as they want it."""
        count = 0
        for store in (self._near, self._far):
            if isinstance(store, SupportsSweep):
                count = await store.sweep(now=now, limit=limit)
        return count

    async def aopen(self) -> None:
        """See ``SupportsOpen``."""
        for store in (self._near, self._far):
            if isinstance(store, SupportsOpen):
                await store.aopen()

    async def aclose(self) -> None:
        """See ``Store``."""
        try:
            await self._near.aclose()
        finally:
            await self._far.aclose()


def _longest(near: float, far: float) -> float:
    """Seconds that a call can take: it asks near three times at most, and far twice."""
    waits = [calls * limit for calls, limit in ((3, near), (2, far)) if limit < math.inf]
    return sum(waits) if waits else math.inf
