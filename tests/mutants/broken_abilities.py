"""Stores whose optional abilities are broken on purpose, each in one way."""

# ruff: noqa: D102 - each class is named after its one fault

from honest_store import HonestStore  # pyright: ignore[reportMissingImports]
from msgspec.structs import replace


class SweepsTheLiving(HonestStore):
    async def sweep(self, *, now, limit):
        return await super().sweep(now=now + 1, limit=limit)


class SweepsAll(HonestStore):
    async def sweep(self, *, now, limit):
        return await super().sweep(now=now, limit=10**9)


class SweepsWhatItRemembers(HonestStore):
    def __init__(self):
        super().__init__()
        self.ends = {}

    async def create(self, record):
        self.ends[record.id] = record.expires_at
        return await super().create(record)

    async def sweep(self, *, now, limit):
        gone = [id for id, end in self.ends.items() if end <= now and id in self.rows][:limit]
        for id in gone:
            del self.rows[id]
        return len(gone)


class ForgetsToCount(HonestStore):
    async def sweep(self, *, now, limit):
        await super().sweep(now=now, limit=limit)
        return 0


class OwnerPrefix(HonestStore):
    async def load_owner(self, owner, *, now):
        rows = self.rows.values()
        return [r for r in rows if (r.owner or "?").startswith(owner) and r.expires_at > now]


class OwnerIgnoringCase(HonestStore):
    async def delete_owner(self, owner, *, keep=None):
        names = {row.owner for row in self.rows.values() if row.owner is not None}
        same = [name for name in names if name.casefold() == owner.casefold()]
        return sum([await super(OwnerIgnoringCase, self).delete_owner(n, keep=keep) for n in same])


class OwnerListsTheDead(HonestStore):
    async def load_owner(self, owner, *, now):
        return await super().load_owner(owner, now=0)


class OwnerInAnyOrder(HonestStore):
    async def load_owner(self, owner, *, now):
        return [r for r in self.rows.values() if r.owner == owner and r.expires_at > now]


class FirstOwnerOnly(HonestStore):
    def __init__(self):
        super().__init__()
        self.first = {}

    async def create(self, record):
        self.first.setdefault(record.id, record.owner)
        return await super().create(record)

    async def load_owner(self, owner, *, now):
        rows = [self.live(id, now) for id, name in self.first.items() if name == owner]
        return sorted([row for row in rows if row], key=lambda row: row.created_at)


class IndexBeforeTheGuard(HonestStore):
    def __init__(self):
        super().__init__()
        self.names = {}

    async def create(self, record):
        self.names[record.id] = record.owner
        return await super().create(record)

    async def delete_owner(self, owner, *, keep=None):
        gone = [id for id, name in self.names.items() if name == owner and id != keep]
        return sum([await self.delete(id) for id in gone])


class KeepsNothing(HonestStore):
    async def delete_owner(self, owner, *, keep=None):
        return await super().delete_owner(owner)


class RevokesTheIndexOnly(HonestStore):
    async def delete_owner(self, owner, *, keep=None):
        mine = [r for r in self.rows.values() if r.owner == owner and r.id != keep]
        for row in mine:
            self.rows[row.id] = replace(row, owner=None)
        return len(mine)


class StaleCache(HonestStore):
    def __init__(self, rows):
        super().__init__(rows)
        self.cache = {}

    async def load(self, id, *, now):
        self.cache.setdefault(id, self.live(id, now))
        return self.cache[id]


class ForgetsOnClose(HonestStore):
    async def aclose(self):
        self.rows.clear()


class ClosesOnce(HonestStore):
    async def aclose(self):
        del self.rows


class NowaitIsStale(HonestStore):
    def load_nowait(self, id, *, now):
        return self.rows.get(id)
