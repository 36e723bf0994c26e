"""The contract of ``sojourn.Store``, sentence by sentence: the guarded writes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sojourn import Outcome, Record, Store

from ._clock import ManualClock
from ._promises import remedy
from ._store_fixtures import StoreFixtures, new_record

_GUARD = "One statement: UPDATE ... WHERE id = ? AND version = ? AND expires_at > ?"
_WHY = "If it changed no row, look whether a live row is there: CONFLICT if so, else GONE."


class ReplaceTests(StoreFixtures):
    """What ``replace`` promises."""

    @remedy("Write every field of the record.")
    @pytest.mark.parametrize(
        "changes",
        [
            {"payload": b"new"},
            {"secret_hash": b"\x01" * 32},
            {"owner": "user:2"},
            {"owner": None},
            {"previous_hash": b"\x02" * 32, "previous_until": 2.5},
            {"previous_hash": None, "previous_until": None},
            {"created_at": 1.5},
        ],
        ids="-".join,
    )
    async def test_replace_writes_every_field(
        self, store: Store, clock: ManualClock, changes: dict[str, object]
    ) -> None:
        """With the right version the new record takes the old one's place, in every field."""
        old = new_record(
            clock(), owner="user:1", previous_hash=b"\x03" * 32, previous_until=clock() + 30
        )
        await store.create(old)
        new = replace(old, version=2, **changes)
        assert await store.replace(new, version=1, now=clock()) is Outcome.APPLIED
        assert await store.load(old.id, now=clock()) == new

    @remedy(_GUARD)
    @pytest.mark.parametrize("version", [1, 3, 4, 0])
    async def test_replace_compares_the_version(
        self, store: Store, clock: ManualClock, version: int
    ) -> None:
        """With another version than the row's, replace answers CONFLICT and writes nothing."""
        record = await _at_version_two(store, clock)
        new = replace(record, version=version + 1, payload=b"late", expires_at=clock() + 9000)
        assert await store.replace(new, version=version, now=clock()) is Outcome.CONFLICT
        assert await store.load(record.id, now=clock()) == record

    @remedy("Never insert in replace: " + _GUARD)
    async def test_replace_never_creates(self, store: Store, clock: ManualClock) -> None:
        """Replacing a missing row answers GONE, and there is still no row."""
        record = new_record(clock())
        for version in (0, 1):
            assert await store.replace(record, version=version, now=clock()) is Outcome.GONE
        assert await store.load(record.id, now=clock()) is None
        assert await store.create(record)

    @remedy(f"{_GUARD}. {_WHY}")
    @pytest.mark.parametrize("late", [0.0, 0.5, 5000.0])
    @pytest.mark.parametrize("version", [1, 2])
    async def test_replace_never_revives(
        self, store: Store, clock: ManualClock, late: float, version: int
    ) -> None:
        """An expired row is GONE for replace, from expires_at on, whatever the version."""
        record = new_record(clock())
        await store.create(record)
        now = record.expires_at + late
        new = replace(record, version=version + 1, expires_at=now + 100)
        assert await store.replace(new, version=version, now=now) is Outcome.GONE
        assert await store.load(record.id, now=now) is None

    @remedy("Write the record's own expires_at, also if it is earlier.")
    async def test_replace_may_shorten(self, store: Store, clock: ManualClock) -> None:
        """Replace sets the deadline, earlier or later."""
        record = new_record(clock())
        await store.create(record)
        shorter = replace(record, version=2, expires_at=clock() + 5)
        await store.replace(shorter, version=1, now=clock())
        assert await store.load(record.id, now=clock() + 5) is None
        longer = replace(record, version=3, expires_at=clock() + 9000)
        assert await store.replace(longer, version=2, now=clock()) is Outcome.APPLIED
        assert await store.load(record.id, now=clock() + 8999) == longer

    @remedy("Change the one row with the record's id.")
    async def test_replace_spares_the_others(self, store: Store, clock: ManualClock) -> None:
        """Replacing one row leaves the others, also those of its owner and version."""
        first, second = (new_record(clock(), owner="user:1") for _ in range(2))
        await store.create(first)
        await store.create(second)
        await store.replace(replace(first, version=2, payload=b"2"), version=1, now=clock())
        assert await store.load(second.id, now=clock()) == second


class TouchTests(StoreFixtures):
    """What ``touch`` promises."""

    @remedy("Set expires_at and version + 1, and nothing else.")
    async def test_touch_moves_the_deadline_only(self, store: Store, clock: ManualClock) -> None:
        """Touch moves the deadline, and the version grows by one; all else stays."""
        record = new_record(clock(), owner="user:1", previous_hash=b"\x01" * 32)
        record = replace(record, previous_until=clock() + 30)
        await store.create(record)
        until = record.expires_at + 0.25
        outcome = await store.touch(record.id, version=1, expires_at=until, now=clock())
        assert outcome is Outcome.APPLIED
        expected = replace(record, version=2, expires_at=until)
        assert await store.load(record.id, now=clock()) == expected

    @remedy("Keep the later of the two: expires_at = max(expires_at, ?), version = version + 1.")
    @pytest.mark.parametrize("earlier", [0.0, 1.0, 999.0, 5000.0])
    async def test_touch_never_shortens(
        self, store: Store, clock: ManualClock, earlier: float
    ) -> None:
        """For an earlier deadline it stays as it is; the version grows all the same."""
        record = new_record(clock())
        await store.create(record)
        until = record.expires_at - earlier
        outcome = await store.touch(record.id, version=1, expires_at=until, now=clock())
        assert outcome is Outcome.APPLIED
        assert await store.load(record.id, now=clock()) == replace(record, version=2)

    @remedy(_GUARD)
    @pytest.mark.parametrize("version", [0, 1, 3])
    async def test_touch_compares_the_version(
        self, store: Store, clock: ManualClock, version: int
    ) -> None:
        """With another version than the row's, touch answers CONFLICT and moves nothing."""
        record = await _at_version_two(store, clock)
        until = clock() + 9000
        outcome = await store.touch(record.id, version=version, expires_at=until, now=clock())
        assert outcome is Outcome.CONFLICT
        assert await store.load(record.id, now=clock()) == record

    @remedy("Never insert in touch: " + _GUARD)
    async def test_touch_never_creates(self, store: Store, clock: ManualClock) -> None:
        """Touching a missing row answers GONE, and there is still no row."""
        id = "f" * 32
        outcome = await store.touch(id, version=1, expires_at=clock() + 100, now=clock())
        assert outcome is Outcome.GONE
        assert await store.load(id, now=clock()) is None

    @remedy(f"{_GUARD}. {_WHY}")
    @pytest.mark.parametrize("late", [0.0, 0.5, 5000.0])
    @pytest.mark.parametrize("version", [1, 2])
    async def test_touch_never_revives(
        self, store: Store, clock: ManualClock, late: float, version: int
    ) -> None:
        """An expired row is GONE for touch, from expires_at on, whatever the version."""
        record = new_record(clock())
        await store.create(record)
        now = record.expires_at + late
        outcome = await store.touch(record.id, version=version, expires_at=now + 100, now=now)
        assert outcome is Outcome.GONE
        assert await store.load(record.id, now=now) is None


async def _at_version_two(store: Store, clock: ManualClock) -> Record:
    record = new_record(clock())
    await store.create(record)
    record = replace(record, version=2, payload=b"second")
    assert await store.replace(record, version=1, now=clock()) is Outcome.APPLIED
    return record
