"""The optional abilities of a store: sweeping, owners, loading without waiting, other objects."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sojourn import (
    Outcome,
    Record,
    Store,
    SupportsDeadline,
    SupportsFreshLoad,
    SupportsLoadNowait,
    SupportsOwners,
    SupportsSweep,
)

from ._clock import ManualClock
from ._promises import remedy
from ._store_fixtures import MakeStore, StoreFixtures, capable, new_record

_EXACT = "Compare owners as whole texts, byte by byte: no pattern, no prefix, no folding of case."


class SweepTests(StoreFixtures):
    """What ``SupportsSweep`` promises."""

    @remedy("Remove where expires_at <= now, and nothing else.")
    async def test_a_sweep_spares_the_living(
        self, store: Store, sweeper: SupportsSweep, clock: ManualClock
    ) -> None:
        """A sweep removes what is expired at ``now``, says how many, and spares the rest."""
        now = clock() + 50
        ends = [now - 20, now - 0.5, now, now + 0.5, now + 20]
        records = [new_record(clock(), expires_at=end) for end in ends]
        for record in records:
            await store.create(record)
        assert await sweeper.sweep(now=now, limit=100) == 3
        left = [await store.load(record.id, now=now) for record in records]
        assert left == [None, None, None, *records[3:]]
        assert all([await store.create(record) for record in records[:3]])
        assert not any([await store.create(record) for record in records[3:]])

    @remedy("Stop after limit rows; the manager calls again.")
    async def test_a_sweep_goes_in_batches(
        self, store: Store, sweeper: SupportsSweep, clock: ManualClock
    ) -> None:
        """One call removes at most ``limit`` rows, and calling again gets all of them."""
        for _ in range(5):
            await store.create(new_record(clock(), expires_at=clock() + 10))
        now = clock.advance(10)
        counts = [await sweeper.sweep(now=now, limit=2) for _ in range(4)]
        assert counts == [2, 2, 1, 0]

    @remedy("Let a sweep ask for the deadline of now, not for one that it remembers.")
    async def test_a_sweep_sees_a_moved_deadline(
        self, store: Store, sweeper: SupportsSweep, clock: ManualClock
    ) -> None:
        """A row whose deadline was moved is spared until the new one, and then goes."""
        touched, replaced = (new_record(clock(), expires_at=clock() + 10) for _ in range(2))
        await store.create(touched)
        await store.create(replaced)
        until = clock() + 60
        await store.touch(touched.id, version=1, expires_at=until, now=clock())
        later = replace(replaced, version=2, expires_at=until)
        await store.replace(later, version=1, now=clock())
        assert await sweeper.sweep(now=until - 1, limit=10) == 0
        assert await store.load(touched.id, now=until - 1) is not None
        assert await sweeper.sweep(now=until, limit=10) == 2


class OwnerTests(StoreFixtures):
    """What ``SupportsOwners`` promises."""

    @remedy("Filter by owner and by expires_at > now, and sort by created_at.")
    async def test_an_owner_s_rows_are_listed(
        self, store: Store, owners: SupportsOwners, clock: ManualClock
    ) -> None:
        """An owner's live rows are listed, oldest first, and nobody else's."""
        start = clock()
        mine = [new_record(start - age, expires_at=start + 50, owner="user:1") for age in (1, 3, 2)]
        expired = new_record(start - 9, expires_at=start + 5, owner="user:1")
        others = [new_record(start, owner=owner) for owner in ("user:2", None)]
        for record in [*mine, expired, *others]:
            await store.create(record)
        listed = await owners.load_owner("user:1", now=start + 5)
        assert listed == sorted(mine, key=lambda record: record.created_at)
        assert await owners.load_owner("user:3", now=start) == []

    @remedy("Move the row in the index in the same step that writes it.")
    async def test_the_index_follows_the_row(
        self, store: Store, owners: SupportsOwners, clock: ManualClock
    ) -> None:
        """A row is listed under the owner that it has now, with its present values."""
        record = new_record(clock())
        await store.create(record)
        for version, owner in enumerate(["user:1", "user:2", "user:2", None], start=1):
            record = replace(record, version=version + 1, owner=owner)
            assert await store.replace(record, version=version, now=clock()) is Outcome.APPLIED
            for name in ("user:1", "user:2"):
                expected = [record] if name == owner else []
                assert await owners.load_owner(name, now=clock()) == expected

    @remedy("Keep the index in step with touch and delete.")
    async def test_touched_and_deleted_rows_are_listed_as_they_are(
        self, store: Store, owners: SupportsOwners, clock: ManualClock
    ) -> None:
        """A touched row stays listed until its new deadline; a deleted one is not listed."""
        touched, deleted = (new_record(clock(), owner="user:1") for _ in range(2))
        await store.create(touched)
        await store.create(deleted)
        until = touched.expires_at + 100
        await store.touch(touched.id, version=1, expires_at=until, now=clock())
        await store.delete(deleted.id)
        expected = replace(touched, version=2, expires_at=until)
        assert await owners.load_owner("user:1", now=until - 1) == [expected]
        assert await owners.load_owner("user:1", now=until) == []

    @remedy("Write nothing to the index when the version does not match.")
    async def test_a_refused_write_moves_no_owner(
        self, store: Store, owners: SupportsOwners, clock: ManualClock
    ) -> None:
        """A replace in conflict, a second create and a late replace leave the index alone."""
        record = new_record(clock(), owner="user:1")
        await store.create(record)
        stolen = replace(record, version=9, owner="user:2")
        assert await store.create(stolen) is False
        assert await store.replace(stolen, version=8, now=clock()) is Outcome.CONFLICT
        assert await store.replace(stolen, version=1, now=record.expires_at) is Outcome.GONE
        assert await owners.load_owner("user:2", now=clock()) == []
        assert await owners.delete_owner("user:2") == 0
        assert await store.load(record.id, now=clock()) == record

    @remedy("Delete by owner in one step, but for the row to keep, and count what went.")
    async def test_an_owner_s_rows_go_at_once(
        self, store: Store, owners: SupportsOwners, clock: ManualClock
    ) -> None:
        """All rows of an owner go but the one to keep; others' rows stay; the number is right."""
        mine = [new_record(clock() - age, owner="user:1") for age in range(4)]
        other = new_record(clock(), owner="user:2")
        for record in [*mine, other]:
            await store.create(record)
        assert await owners.delete_owner("user:1", keep=mine[1].id) == 3
        assert await owners.load_owner("user:1", now=clock()) == [mine[1]]
        assert await owners.delete_owner("user:1", keep=other.id) == 1
        assert await owners.delete_owner("user:1") == 0
        assert await store.load(other.id, now=clock()) == other

    @remedy("Remove the rows themselves, so that a late write finds nothing.")
    async def test_a_revoked_row_takes_no_late_write(
        self, store: Store, owners: SupportsOwners, clock: ManualClock
    ) -> None:
        """After delete_owner a late replace or touch is GONE, and the row is not listed."""
        record = new_record(clock(), owner="user:1")
        await store.create(record)
        await owners.delete_owner("user:1")
        late, until = replace(record, version=2), clock() + 5000
        assert await store.replace(late, version=1, now=clock()) is Outcome.GONE
        touched = await store.touch(record.id, version=1, expires_at=until, now=clock())
        assert touched is Outcome.GONE
        assert await owners.load_owner("user:1", now=clock()) == []

    @remedy(_EXACT)
    @pytest.mark.parametrize(
        ("owner", "stranger"),
        [
            ("user:1", "user:10"),
            ("user:1", "user:%"),
            ("user:1", "user:_"),
            ("user:1", "*"),
            ("user:1", "user:1 "),
            ("anna", "Anna"),
            ("ä", "a\u0308"),
            ("o'neill", "oneill"),
            ("a\\", "a"),
            ("a:b", "a"),
            ("[1]", "1"),
            ("{1}", "1"),
        ],
    )
    async def test_owners_are_compared_exactly(
        self, store: Store, owners: SupportsOwners, clock: ManualClock, owner: str, stranger: str
    ) -> None:
        """Owners are exact texts: no pattern, prefix or other spelling reaches another's rows."""
        record = new_record(clock(), owner=owner)
        await store.create(record)
        for name in (stranger, ""):
            assert await owners.load_owner(name, now=clock()) == []
            assert await owners.delete_owner(name) == 0
        assert await owners.load_owner(owner, now=clock()) == [record]


class NowaitTests(StoreFixtures):
    """What ``SupportsLoadNowait`` and ``SupportsDeadline`` promise."""

    @remedy("Let both read the same rows by the same rule.")
    async def test_load_nowait_is_load(
        self, store: Store, nowait: SupportsLoadNowait, clock: ManualClock
    ) -> None:
        """Without waiting the answers are the same: live, changed, expired, deleted, missing."""
        record = new_record(clock())
        await store.create(record)
        assert nowait.load_nowait(record.id, now=clock()) == record
        newer = replace(record, version=2, payload=b"2")
        await store.replace(newer, version=1, now=clock())
        assert nowait.load_nowait(record.id, now=record.expires_at - 1) == newer
        assert nowait.load_nowait(record.id, now=record.expires_at) is None
        await store.delete(record.id)
        assert nowait.load_nowait(record.id, now=clock()) is None
        assert nowait.load_nowait("0" * 32, now=clock()) is None

    @remedy("Give the seconds after which your calls raise StoreUnavailableError, or inf.")
    async def test_a_deadline_is_a_time(self, make_store: MakeStore) -> None:
        """A store that bounds its calls says after how many seconds."""
        bounded = capable(make_store(), SupportsDeadline)  # type: ignore[type-abstract]
        assert bounded.deadline > 0


class OtherObjectTests(StoreFixtures):
    """What holds between two objects over the same rows, as in two processes."""

    @remedy("Read each row afresh: a cache in one process does not see another's writes.")
    async def test_writes_are_seen_at_once(
        self, store: Store, other: Store, clock: ManualClock
    ) -> None:
        """What one object writes, the other one sees with its next call."""
        record = new_record(clock())
        await store.create(record)
        assert await other.load(record.id, now=clock()) == record
        newer = replace(record, version=2, payload=b"2")
        assert await other.replace(newer, version=1, now=clock()) is Outcome.APPLIED
        assert await present(store, record.id, clock()) == newer
        assert await store.replace(newer, version=1, now=clock()) is Outcome.CONFLICT
        assert await other.delete(record.id) is True
        assert await present(store, record.id, clock()) is None

    @remedy("Write durably before you answer.")
    async def test_rows_outlive_the_object(
        self, store: Store, other: Store, clock: ManualClock
    ) -> None:
        """A row outlives the object that wrote it."""
        record: Record = new_record(clock())
        await other.create(record)
        await other.aclose()
        assert await store.load(record.id, now=clock()) == record


async def present(store: Store, id: str, now: float) -> Record | None:
    """The row as it is now; a cache says by ``SupportsFreshLoad`` that its load may be older."""
    load = store.load_fresh if isinstance(store, SupportsFreshLoad) else store.load
    return await load(id, now=now)
