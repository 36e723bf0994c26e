import logging
import secrets

import pytest
from msgspec.structs import replace

from sojourn import ConfigurationError, Record, StoreError
from sojourn_memory import MemoryFullError, MemoryStore

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """The event loop that a test runs on."""
    return request.param


def row(*, born=0.0, expires=100.0, owner=None):
    """A row of one session."""
    return Record(
        id=secrets.token_hex(16),
        secret_hash=secrets.token_bytes(32),
        payload=b"payload",
        version=1,
        created_at=born,
        expires_at=expires,
        owner=owner,
    )


async def filled(*rows, max_sessions=None):
    """A store that holds these rows, and has no place for another unless told so."""
    store = MemoryStore(max_sessions=max_sessions or len(rows))
    for each in rows:
        assert await store.create(each)
    return store


async def survivors(store, *rows, now=0.0):
    """Which of these rows are still there."""
    return [await store.load(each.id, now=now) is not None for each in rows]


async def test_a_flood_of_visitors_is_bounded_and_logs_nobody_out():
    """Ten thousand anonymous sessions leave the store at its bound, and every owner's row in it."""
    owned = [row(owner=f"user:{n}") for n in range(50)]
    store = await filled(*owned, max_sessions=100)
    for n in range(10_000):
        assert await store.create(row(born=n / 10_000))
    assert len(store) == 100
    assert all(await survivors(store, *owned))


async def test_expired_rows_make_room_first():
    """A full store drops an expired row of an owner before a live anonymous one."""
    expired, live = row(expires=10.0, owner="user:1"), row(expires=11.0)
    store = await filled(expired, live)
    newcomer = row(born=10.05, expires=200.0)
    assert await store.create(newcomer)
    assert await survivors(store, live, newcomer) == [True, True]
    assert len(store) == 2


async def test_the_nearest_deadline_makes_room():
    """A full store drops the anonymous row that would have expired first."""
    late, early, owned = row(expires=900.0), row(expires=500.0), row(expires=100.0, owner="user:1")
    store = await filled(late, early, owned)
    newcomer = row(expires=800.0)
    await store.create(newcomer)
    assert await survivors(store, late, early, owned, newcomer) == [True, False, True, True]


async def test_activity_moves_a_row_away_from_the_exit():
    """A touched row has its new deadline when room is made."""
    touched, idle = row(expires=500.0), row(expires=600.0)
    store = await filled(touched, idle)
    await store.touch(touched.id, version=1, expires_at=700.0, now=1.0)
    await store.create(row(expires=800.0))
    assert await survivors(store, touched, idle) == [True, False]


@pytest.mark.parametrize("owner", [None, "user:9"])
async def test_nobody_who_logged_in_makes_room(owner):
    """A store full of owners' rows refuses a new one with a 503 that names the remedy."""
    rows = [row(owner=f"user:{n}") for n in range(3)]
    store = await filled(*rows)
    with pytest.raises(MemoryFullError, match=r"max_sessions.*sqlite") as refused:
        await store.create(row(owner=owner))
    assert isinstance(refused.value, StoreError)
    assert refused.value.status_code == 503
    assert all(await survivors(store, *rows))


async def test_a_full_store_takes_no_row_twice():
    """Creating an id that exists makes no room for it."""
    first, second = row(), row()
    store = await filled(first, second)
    assert not await store.create(first)
    assert await survivors(store, first, second) == [True, True]


async def test_new_rows_take_expired_ones_along():
    """Without any sweeper a store that is half full shrinks with each row that is created."""
    store = await filled(*(row(expires=5.0) for _ in range(100)), max_sessions=110)
    for n in range(54):
        await store.create(row(born=10.0, expires=1000.0 + n))
    assert len(store) <= 55


async def test_eviction_is_told_once(caplog):
    """The operator reads once that anonymous sessions end early."""
    store = await filled(row(), row())
    for _ in range(5):
        await store.create(row())
    told = [record for record in caplog.records if "is full" in record.getMessage()]
    assert [record.levelno for record in told] == [logging.WARNING]


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "10", None])
def test_the_bound_is_a_whole_number(wrong):
    """Anything else than a positive whole number is refused where it is given."""
    with pytest.raises(ConfigurationError, match="max_sessions"):
        MemoryStore(max_sessions=wrong)


async def test_ids_that_overlap_are_told_apart():
    """An id whose bytes also appear across two neighbours is found in its own place."""
    ids = ["01" + "00" * 15, "00" * 16, "00" * 15 + "02"]
    store = await filled(*(replace(row(owner="user:1"), id=id) for id in ids))
    assert await store.delete("00" * 16)
    assert [r.id for r in await store.load_owner("user:1", now=0.0)] == [ids[0], ids[2]]
    assert await store.sweep(now=100.0, limit=10) == 2
    assert len(store) == 0


async def test_sweeping_forgets_the_owner_too():
    """An owner whose rows were swept has none, neither after an hour nor within the moment."""
    soon, late = row(expires=100.0, owner="user:1"), row(expires=5000.0, owner="user:1")
    store = await filled(soon, late)
    assert await store.sweep(now=3700.0, limit=1) == 1
    assert await store.load_owner("user:1", now=0.0) == [late]
    assert await store.sweep(now=5000.0, limit=10) == 1
    assert await store.load_owner("user:1", now=0.0) == []
    assert await store.delete_owner("user:1") == 0


@pytest.mark.parametrize("lifetime", [10.03, 1800.03, 43_200.3, 2_592_003.3, 1e9 + 3.3])
async def test_a_sweep_finds_what_has_just_expired(lifetime):
    """A row goes at its very deadline, also amid others that live a moment longer."""
    just = row(expires=lifetime)
    later = [row(expires=lifetime + n / 100, owner="user:1") for n in range(1, 9)]
    store = await filled(*later, just, max_sessions=100)
    assert await store.sweep(now=lifetime - 0.01, limit=10) == 0
    assert await store.sweep(now=lifetime, limit=10) == 1
    assert await survivors(store, *later, now=lifetime) == [True] * 8
    assert await store.sweep(now=lifetime + 0.045, limit=3) == 3
    assert await store.sweep(now=lifetime + 0.045, limit=3) == 1
    assert await survivors(store, *later, now=lifetime) == [False] * 4 + [True] * 4


async def test_a_full_store_finds_what_has_just_expired():
    """An owner's row that expired a moment ago makes room before a live anonymous one does."""
    expired, live = row(expires=1800.03, owner="user:1"), row(expires=1800.2)
    store = await filled(expired, live)
    assert await store.create(row(born=1800.05, expires=3600.0))
    assert await survivors(store, live, now=1800.1) == [True]
    assert await store.load_owner("user:1", now=0.0) == []
