"""The contract of ``sojourn.Store``, sentence by sentence: load, create and delete."""

from __future__ import annotations

import math

import pytest
from msgspec.structs import replace

from sojourn import Outcome, Store, SupportsOpen

from ._clock import ManualClock
from ._promises import remedy
from ._store_fixtures import Corrupt, MakeStore, StoreFixtures, new_record, opened

_EXACTLY = "Compare with the argument now and with no clock: a row is live while expires_at > now."


class LoadTests(StoreFixtures):
    """What ``load`` promises."""

    @remedy("Keep every field of the record, floats as 64-bit floats and bytes as bytes.")
    async def test_a_created_row_comes_back_equal(self, store: Store, clock: ManualClock) -> None:
        """What was created comes back equal in every field."""
        record = new_record(
            clock() + 0.125,
            payload=bytes(range(256)),
            owner="user:42",
            previous_hash=b"\x00" * 32,
            previous_until=clock() + 30.0625,
        )
        assert await store.create(record)
        assert await store.load(record.id, now=clock()) == record

    @remedy("Give None, not an empty value, for what is not there.")
    async def test_optional_fields_stay_none(self, store: Store, clock: ManualClock) -> None:
        """A row without owner and without a former secret comes back without them."""
        record = new_record(clock())
        await store.create(record)
        loaded = await store.load(record.id, now=clock())
        assert loaded is not None
        assert (loaded.owner, loaded.previous_hash, loaded.previous_until) == (None, None, None)

    @remedy("Store the payload as opaque bytes: no text column, no length limit below 262144.")
    async def test_payloads_are_opaque_bytes(self, store: Store, clock: ManualClock) -> None:
        """Any payload comes back: empty, binary, or as large as a session may be."""
        for payload in (b"", b"\x00", b"\xff\xfe\x00'\";--", b"\x80" * 262_144):
            record = new_record(clock(), payload=payload)
            await store.create(record)
            assert await store.load(record.id, now=clock()) == record

    @remedy("Answer None for an id that has no row.")
    async def test_a_missing_row_is_none(self, store: Store, clock: ManualClock) -> None:
        """An id without a row loads as None."""
        await store.create(new_record(clock()))
        assert await store.load("0" * 32, now=clock()) is None

    @remedy(_EXACTLY)
    async def test_expiry_is_exact(self, store: Store, clock: ManualClock) -> None:
        """A row is live up to the last moment before expires_at, and expired at expires_at."""
        record = new_record(clock(), expires_at=clock() + 10.5)
        await store.create(record)
        just_before = math.nextafter(record.expires_at, 0)
        assert await store.load(record.id, now=just_before) == record
        assert await store.load(record.id, now=record.expires_at) is None
        assert await store.load(record.id, now=record.expires_at + 1000) is None

    @remedy(_EXACTLY)
    async def test_stores_have_no_clock(self, store: Store, clock: ManualClock) -> None:
        """Only ``now`` counts: the same row is expired for a later now and live for an earlier."""
        record = new_record(clock())
        await store.create(record)
        assert await store.load(record.id, now=record.expires_at + 86400) is None
        assert await store.load(record.id, now=clock()) == record

    @remedy("Let a server's own time-to-live end well after expires_at: it is garbage collection.")
    async def test_a_slow_clock_loses_nothing(self, store: Store, clock: ManualClock) -> None:
        """A worker whose clock is 30 seconds behind the server's keeps its short sessions."""
        behind = clock() - 30
        record = new_record(behind, expires_at=behind + 10)
        await store.create(record)
        assert await store.load(record.id, now=behind) == record
        longer = replace(record, version=2, expires_at=behind + 12)
        assert await store.replace(longer, version=1, now=behind) is Outcome.APPLIED
        until = behind + 14
        moved = await store.touch(record.id, version=2, expires_at=until, now=behind)
        assert moved is Outcome.APPLIED
        assert await store.load(record.id, now=behind + 13) is not None

    @remedy("Let load read and nothing else: no last-seen column, no sliding time-to-live.")
    async def test_load_writes_nothing(self, store: Store, clock: ManualClock) -> None:
        """Loading changes neither version nor deadline, however often and late it happens."""
        record = new_record(clock())
        await store.create(record)
        for _ in range(3):
            assert await store.load(record.id, now=record.expires_at - 1) == record
        assert await store.load(record.id, now=record.expires_at) is None

    @remedy("Hand out a value that the caller cannot change behind your back.")
    async def test_rows_are_values(self, store: Store, clock: ManualClock) -> None:
        """What was loaded does not change when the row does."""
        record = new_record(clock())
        await store.create(record)
        loaded = await store.load(record.id, now=clock())
        copy = replace(record)
        newer = replace(record, version=2, payload=b"newer")
        await store.replace(newer, version=1, now=clock())
        assert loaded == copy
        assert await store.load(record.id, now=clock()) == newer

    @remedy("Catch what your decoder raises, answer None, and leave the row where it is.")
    async def test_a_corrupt_row_is_none(
        self, store: Store, clock: ManualClock, corrupt: Corrupt | None
    ) -> None:
        """A row that cannot be read is None, and stays where it is."""
        if corrupt is None:
            pytest.skip("the fixture corrupt is not supplied")
        record = new_record(clock())
        await store.create(record)
        await corrupt(record.id)
        assert await store.load(record.id, now=clock()) is None
        assert not await store.create(record)


class CreateTests(StoreFixtures):
    """What ``create`` promises."""

    @remedy("Insert, and do nothing if the id exists: no upsert.")
    async def test_create_never_overwrites(self, store: Store, clock: ManualClock) -> None:
        """Creating an id that exists answers False and changes nothing."""
        record = new_record(clock())
        assert await store.create(record) is True
        again = replace(record, payload=b"another", version=7, expires_at=clock() + 5)
        assert await store.create(again) is False
        assert await store.load(record.id, now=clock()) == record

    @remedy("An expired row still has its id until it is swept or deleted.")
    async def test_create_never_overwrites_an_expired_row(
        self, store: Store, clock: ManualClock
    ) -> None:
        """An expired row that was not swept keeps its id: False, and nothing changes."""
        record = new_record(clock(), expires_at=clock() + 10)
        await store.create(record)
        clock.advance(20)
        assert await store.create(replace(record, expires_at=clock() + 100)) is False
        assert await store.load(record.id, now=clock()) is None

    @remedy("Key the rows by the whole id.")
    async def test_rows_do_not_mix(self, store: Store, clock: ManualClock) -> None:
        """Rows with similar ids are different rows."""
        first = new_record(clock(), id="a" * 31 + "0")
        second = new_record(clock(), id="a" * 31 + "1", payload=b"second")
        assert await store.create(first)
        assert await store.create(second)
        assert await store.load(first.id, now=clock()) == first
        assert await store.load(second.id, now=clock()) == second


class DeleteTests(StoreFixtures):
    """What ``delete`` promises."""

    @remedy("Say whether a row went.")
    async def test_delete_says_whether_there_was_a_row(
        self, store: Store, clock: ManualClock
    ) -> None:
        """Deleting answers True once, and False for what is not there."""
        record = new_record(clock())
        await store.create(record)
        assert await store.delete(record.id) is True
        assert await store.delete(record.id) is False
        assert await store.delete("0" * 32) is False

    @remedy("Remove the row itself; a tombstone must not answer load, replace or touch.")
    async def test_a_deleted_row_is_gone(self, store: Store, clock: ManualClock) -> None:
        """After delete the row neither loads nor can be written."""
        record = new_record(clock())
        await store.create(record)
        await store.delete(record.id)
        late = replace(record, version=2)
        assert await store.load(record.id, now=clock()) is None
        assert await store.replace(late, version=1, now=clock()) is Outcome.GONE
        until = clock() + 5000
        touched = await store.touch(record.id, version=1, expires_at=until, now=clock())
        assert touched is Outcome.GONE
        assert await store.load(record.id, now=clock()) is None

    @remedy("Delete by id alone; the version does not matter.")
    async def test_delete_ignores_the_version(self, store: Store, clock: ManualClock) -> None:
        """A row is deleted whatever its version is."""
        record = new_record(clock())
        await store.create(record)
        await store.replace(replace(record, version=2), version=1, now=clock())
        assert await store.delete(record.id) is True
        assert await store.load(record.id, now=clock()) is None

    @remedy("Delete the one row with this id.")
    async def test_delete_spares_the_others(self, store: Store, clock: ManualClock) -> None:
        """Deleting one row leaves the others, also those of its owner."""
        gone, stays = (new_record(clock(), owner="user:1") for _ in range(2))
        await store.create(gone)
        await store.create(stays)
        await store.delete(gone.id)
        assert await store.load(stays.id, now=clock()) == stays

    @remedy("Delete expired rows as well, so that their ids are free.")
    async def test_an_expired_row_can_be_deleted(self, store: Store, clock: ManualClock) -> None:
        """Deleting an expired row removes it, too: afterwards its id is free."""
        record = new_record(clock(), expires_at=clock() + 10)
        await store.create(record)
        clock.advance(20)
        await store.delete(record.id)
        fresh = replace(record, expires_at=clock() + 100)
        assert await store.create(fresh) is True
        assert await store.load(record.id, now=clock()) == fresh


class CloseTests(StoreFixtures):
    """What ``aclose`` and ``aopen`` promise."""

    @remedy("Let aclose forget what it closed, and do nothing if there is nothing to close.")
    async def test_aclose_may_be_called_twice(self, make_store: MakeStore) -> None:
        """A store can be closed twice, and before any use."""
        unused, used = make_store(), make_store()
        await unused.aclose()
        await opened(used)
        await used.load("0" * 32, now=0)
        for store in (unused, used):
            await store.aclose()
            await store.aclose()

    @remedy("Let aopen open again what aclose closed.")
    async def test_a_store_can_be_opened_again(
        self, make_store: MakeStore, clock: ManualClock
    ) -> None:
        """A closed store that was opened again works; rows that outlive objects are still there."""
        store, record = make_store(), new_record(clock())
        if not isinstance(store, SupportsOpen):
            pytest.skip("the store does not say SupportsOpen")
        await store.aopen()
        await store.create(record)
        await store.aclose()
        await store.aopen()
        if self.shares_rows:
            assert await store.load(record.id, now=clock()) == record
        assert await store.create(new_record(clock()))
        await store.aclose()
