"""The store against a plain dict, with its indexes looked at after each step."""

import asyncio
import math
from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from sojourn import Outcome, Record
from sojourn_memory import MemoryStore
from sojourn_memory._calendar import bucket_end

IDS = [f"{n:032x}" for n in (0, 1, 2, 1 << 8, 1 << 64, (1 << 128) - 1)]
ids = st.sampled_from(IDS)
owners = st.sampled_from([None, "", "user:1", "user:2", "ü"])
lifetimes = st.sampled_from([0.0, 0.05, 1.0, 1.125, 60.0, 1800.0, 43_200.5, 2.6e6, 1e300, math.inf])


def done(coroutine):
    """The result of a call that never waits."""
    return asyncio.run(coroutine)


class MemoryMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.store, self.rows, self.now = MemoryStore(max_sessions=8), {}, 1000.0

    def live(self, id):
        """The row as the model has it, unless it has expired."""
        record = self.rows.get(id)
        return record if record is not None and record.expires_at > self.now else None

    @rule(id=ids, owner=owners, life=lifetimes, payload=st.binary(max_size=8))
    def create(self, id, owner, life, payload):
        """A new row may take expired ones along, and nothing else."""
        record = Record(id, b"h" * 32, payload, 1, self.now, self.now + life, owner)
        assert done(self.store.create(record)) is (id not in self.rows)
        if id not in self.rows:
            self.rows = {id: kept for id, kept in self.rows.items() if self.holds(kept)}
            self.rows[id] = record

    def holds(self, record):
        """Whether the row is still there; only an expired one may be gone."""
        there = any(key == int(record.id, 16) for shard in self.store._shards for key in shard)
        assert there or record.expires_at <= self.now
        return there

    @rule(id=ids, owner=owners, life=lifetimes, by=st.integers(0, 1))
    def replace(self, id, owner, life, by):
        """Replace writes the live row of that version only."""
        record, live = self.rows.get(id), self.live(id)
        version = (record.version if record else 1) + by
        new = Record(id, b"n" * 32, b"n", version + 1, self.now, self.now + life, owner)
        outcome = done(self.store.replace(new, version=version, now=self.now))
        expected = Outcome.GONE if live is None else Outcome.CONFLICT if by else Outcome.APPLIED
        assert outcome is expected
        if outcome is Outcome.APPLIED:
            self.rows[id] = new

    @rule(id=ids, life=lifetimes)
    def touch(self, id, life):
        """Touch moves the deadline to later only."""
        live = self.live(id)
        version = live.version if live else 1
        outcome = done(
            self.store.touch(id, version=version, expires_at=self.now + life, now=self.now)
        )
        assert outcome is (Outcome.GONE if live is None else Outcome.APPLIED)
        if live is not None:
            until = max(live.expires_at, self.now + life)
            self.rows[id] = replace(live, version=version + 1, expires_at=until)

    @rule(id=ids)
    def delete(self, id):
        """Delete says whether there was a row."""
        assert done(self.store.delete(id)) is (self.rows.pop(id, None) is not None)

    @rule(owner=owners.filter(lambda owner: owner is not None), keep=st.none() | ids)
    def delete_owner(self, owner, keep):
        """All rows of one owner go, but for the one to keep."""
        gone = [id for id, r in self.rows.items() if r.owner == owner and id != keep]
        assert done(self.store.delete_owner(owner, keep=keep)) == len(gone)
        for id in gone:
            del self.rows[id]

    @rule(limit=st.integers(1, 3))
    def sweep(self, limit):
        """A sweep removes as many expired rows as it may, and finds every one."""
        expired = [id for id, record in self.rows.items() if record.expires_at <= self.now]
        count = done(self.store.sweep(now=self.now, limit=limit))
        assert count == min(limit, len(expired))
        self.rows = {id: record for id, record in self.rows.items() if self.holds(record)}

    @rule(seconds=st.sampled_from([0.01, 0.06, 0.125, 1.0, 59.9, 1800.0, 43_200.0, 1e7]))
    def wait(self, seconds):
        """Time passes."""
        self.now += seconds

    @invariant()
    def rows_load_as_in_the_model(self):
        """What is live loads equal, and nothing else loads."""
        for id in IDS:
            assert self.store.load_nowait(id, now=self.now) == self.live(id)
        assert len(self.store) == len(self.rows)

    @invariant()
    def owners_see_their_live_rows(self):
        """The index gives each owner's live rows, oldest first."""
        for owner in ("", "user:1", "user:2", "ü"):
            listed = done(self.store.load_owner(owner, now=self.now))
            assert [r.created_at for r in listed] == sorted(r.created_at for r in listed)
            assert {r.id: r for r in listed} == {
                id: r for id in IDS if (r := self.live(id)) is not None and r.owner == owner
            }

    @invariant()
    def each_row_is_filed_once(self):
        """Each row is in one calendar once, in a bucket that ends at its deadline or later."""
        for calendar, owned in ((self.store._anonymous, False), (self.store._owned, True)):
            filed = Counter()
            for end, bucket in calendar._buckets.items():
                for at in range(0, len(bucket), 16):
                    id = bucket[at : at + 16].hex()
                    assert self.rows[id].expires_at <= end
                    assert end == bucket_end(self.rows[id].expires_at, self.rows[id].created_at)
                    filed[id] += 1
            rows = [id for id, r in self.rows.items() if (r.owner is not None) == owned]
            assert filed == Counter(rows)
            assert sorted(calendar._ends) == sorted(calendar._buckets)


TestMemoryMachine = MemoryMachine.TestCase
TestMemoryMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
