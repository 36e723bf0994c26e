"""Stores that are broken on purpose, each in one way."""

# ruff: noqa: D102 - each class is named after its one fault

import time

import anyio.lowlevel
from honest_store import HonestStore  # pyright: ignore[reportMissingImports]
from msgspec.structs import force_setattr, replace

from sojourn import Outcome


class UpsertingCreate(HonestStore):
    async def create(self, record):
        self.rows[record.id] = record
        return True


class CreateOverExpired(HonestStore):
    async def create(self, record):
        # The newcomer's own creation is the only "now" that it could think of.
        if record.id in self.rows and self.rows[record.id].expires_at > record.created_at + 10:
            return False
        self.rows[record.id] = record
        return True


class ReplaceIgnoresVersion(HonestStore):
    async def replace(self, record, *, version, now):
        if self.live(record.id, now) is None:
            return Outcome.GONE
        self.rows[record.id] = record
        return Outcome.APPLIED


class ReplaceAcceptsNewer(HonestStore):
    async def replace(self, record, *, version, now):
        row = self.live(record.id, now)
        if row is not None and version > row.version:
            version = row.version
        return await super().replace(record, version=version, now=now)


class ReplaceCreates(HonestStore):
    async def replace(self, record, *, version, now):
        if record.id not in self.rows:
            self.rows[record.id] = record
            return Outcome.APPLIED
        return await super().replace(record, version=version, now=now)


class ReplaceRevives(HonestStore):
    async def replace(self, record, *, version, now):
        return await super().replace(record, version=version, now=0)


class ReplaceOffByOne(HonestStore):
    def live(self, id, now):
        row = self.rows.get(id)
        return row if row is not None and row.expires_at >= now else None

    async def load(self, id, *, now):
        return HonestStore.live(self, id, now)


class ReplaceForgetsFormer(HonestStore):
    async def replace(self, record, *, version, now):
        short = replace(record, previous_hash=None, previous_until=None)
        return await super().replace(short, version=version, now=now)


class ReplaceNeverShortens(HonestStore):
    async def replace(self, record, *, version, now):
        row = self.live(record.id, now)
        until = max(record.expires_at, row.expires_at if row else 0)
        later = replace(record, expires_at=until)
        return await super().replace(later, version=version, now=now)


class TouchRevivesExpired(HonestStore):
    async def touch(self, id, *, version, expires_at, now):
        return await super().touch(id, version=version, expires_at=expires_at, now=0)


class TouchResurrects(HonestStore):
    def __init__(self):
        super().__init__()
        self.bin = {}

    async def delete(self, id):
        self.bin[id] = self.rows.get(id)
        return await super().delete(id)

    async def touch(self, id, *, version, expires_at, now):
        if self.bin.get(id) is not None:
            self.rows[id] = self.bin.pop(id)
        return await super().touch(id, version=version, expires_at=expires_at, now=now)


class TouchShortens(HonestStore):
    async def touch(self, id, *, version, expires_at, now):
        outcome = await super().touch(id, version=version, expires_at=expires_at, now=now)
        if outcome is Outcome.APPLIED:
            self.rows[id] = replace(self.rows[id], expires_at=expires_at)
        return outcome


class TouchKeepsVersion(HonestStore):
    async def touch(self, id, *, version, expires_at, now):
        outcome = await super().touch(id, version=version, expires_at=expires_at, now=now)
        if outcome is Outcome.APPLIED:
            self.rows[id] = replace(self.rows[id], version=version)
        return outcome


class TouchIgnoresVersion(HonestStore):
    async def touch(self, id, *, version, expires_at, now):
        row = self.live(id, now)
        version = version if row is None else row.version
        return await super().touch(id, version=version, expires_at=expires_at, now=now)


class LoadOffByOne(HonestStore):
    async def load(self, id, *, now):
        row = self.rows.get(id)
        return row if row is not None and row.expires_at >= now else None


class SecondClock(HonestStore):
    async def load(self, id, *, now):
        return self.live(id, time.time())


class EagerGarbage(HonestStore):
    async def load(self, id, *, now):
        return self.live(id, max(now, time.time()))


class SlidingLoad(HonestStore):
    async def load(self, id, *, now):
        row = self.live(id, now)
        if row is not None:
            self.rows[id] = replace(row, expires_at=max(row.expires_at, now + 1000))
        return row


class SharedRow(HonestStore):
    async def replace(self, record, *, version, now):
        row = self.live(record.id, now)
        outcome = await super().replace(record, version=version, now=now)
        if row is not None and outcome is Outcome.APPLIED:
            for field in record.__struct_fields__:
                force_setattr(row, field, getattr(record, field))
            self.rows[record.id] = row
        return outcome


class TextPayload(HonestStore):
    async def create(self, record):
        text = record.payload.decode("utf-8", "replace")
        return await super().create(replace(record, payload=text.encode()))


class WholeSeconds(HonestStore):
    async def create(self, record):
        return await super().create(replace(record, expires_at=float(int(record.expires_at))))


class EmptyOwner(HonestStore):
    async def create(self, record):
        return await super().create(replace(record, owner=record.owner or ""))


class ShortIds(HonestStore):
    async def create(self, record):
        if any(id[:31] == record.id[:31] for id in self.rows):
            return False
        return await super().create(record)


class Tombstone(HonestStore):
    async def delete(self, id):
        row = self.rows.get(id)
        if row is None or row.payload == b"gone":
            return False
        self.rows[id] = replace(row, payload=b"gone")
        return True

    async def load(self, id, *, now):
        row = self.live(id, now)
        return None if row is None or row.payload == b"gone" else row


class AlwaysDeleted(HonestStore):
    async def delete(self, id):
        await super().delete(id)
        return True


class DeletesWhatItSaw(HonestStore):
    def __init__(self):
        super().__init__()
        self.seen = {}

    async def load(self, id, *, now):
        self.seen[id] = self.live(id, now)
        return self.seen[id]

    async def delete(self, id):
        if id in self.seen and self.rows.get(id) is not self.seen[id]:
            return False
        return await super().delete(id)


class DeletesTheOwner(HonestStore):
    async def delete(self, id):
        row = self.rows.get(id)
        if row is not None and row.owner is not None:
            await self.delete_owner(row.owner)
            return True
        return await super().delete(id)


class ReadsThenCreates(HonestStore):
    async def create(self, record):
        if record.id in self.rows:
            return False
        await anyio.lowlevel.checkpoint()
        self.rows[record.id] = record
        return True


class ReadsThenReplaces(HonestStore):
    async def replace(self, record, *, version, now):
        row = self.live(record.id, now)
        if row is None:
            return Outcome.GONE
        await anyio.lowlevel.checkpoint()
        if row.version != version:
            return Outcome.CONFLICT
        self.rows[record.id] = record
        return Outcome.APPLIED


class ReadsThenTouches(HonestStore):
    async def touch(self, id, *, version, expires_at, now):
        row = self.live(id, now)
        await anyio.lowlevel.checkpoint()
        if row is None or row.version != version:
            return Outcome.GONE if row is None else Outcome.CONFLICT
        self.rows[id] = replace(row, version=version + 1, expires_at=expires_at)
        return Outcome.APPLIED


class HalfAWrite(HonestStore):
    async def replace(self, record, *, version, now):
        row = self.live(record.id, now)
        if row is None or row.version != version:
            return Outcome.GONE if row is None else Outcome.CONFLICT
        self.rows[record.id] = replace(row, payload=record.payload)
        await anyio.lowlevel.checkpoint()
        self.rows[record.id] = record
        return Outcome.APPLIED


class LateAnswers(HonestStore):
    """A connection that still owes the answer to a call that was cancelled."""

    def __init__(self):
        super().__init__()
        self.owed = []

    async def load(self, id, *, now):
        self.owed.append(self.live(id, now))
        await anyio.lowlevel.checkpoint()
        return self.owed.pop(0)


class OneRequestAtATime(HonestStore):
    async def load(self, id, *, now):
        self.asked = id
        await anyio.lowlevel.checkpoint()
        return self.live(self.asked, now)
