"""The index of an owner: it may name too much, never too little, and heals when it is read."""

import asyncio

import pytest

from ._rows import NOW, new, using

pytestmark = pytest.mark.anyio
OWNER = "user:1"


def index_of(server, prefix):
    """The key of the one index that is there."""
    return server.ask(f"KEYS {prefix}owner:*").splitlines()[2].decode()


def size(server, prefix):
    """How many ids the index holds."""
    return int(server.ask(f"ZCARD {index_of(server, prefix)}")[1:])


async def test_what_is_gone_leaves_the_index(server, prefix):
    """An id whose row is gone for long leaves the index when that is read."""
    async with using(server.url, prefix=prefix, deadline=20) as store:
        gone, left = new(owner=OWNER), new(owner=OWNER)
        assert await store.create(gone)
        assert await store.create(left)
        assert await store.delete(gone.id)
        server.ask(f"ZADD {index_of(server, prefix)} 1 {gone.id} 1 {left.id}")
        assert [left] == await store.load_owner(OWNER, now=NOW)
        assert 1 == size(server, prefix)


async def test_a_row_on_its_way_keeps_its_entry(server, prefix):
    """Reading an index between its entry and the row does not take the entry away."""
    async with using(server.url, prefix=prefix, deadline=20) as store:
        row = new(owner=OWNER)
        await store._index.add(row.id, OWNER, store._server.until())
        assert [] == await store.load_owner(OWNER, now=NOW)
        assert 0 == await store.delete_owner(OWNER)
        assert await store.create(row)
        assert [row] == await store.load_owner(OWNER, now=NOW)
        assert 1 == await store.delete_owner(OWNER)


async def test_a_large_index_heals_by_itself(server, prefix):
    """An owner who logs in again and again does not leave an index that grows for ever."""
    async with using(server.url, prefix=prefix, deadline=20) as store:
        for _ in range(63):
            row = new(owner=OWNER)
            assert await store.create(row)
            assert await store.delete(row.id)
            server.ask(f"ZADD {index_of(server, prefix)} 1 {row.id}")
        assert 63 == size(server, prefix)
        assert await store.create(new(owner=OWNER))
        assert 1 == size(server, prefix)


async def test_an_index_outlives_its_rows(server, prefix):
    """The index lives longer than any session can."""
    async with using(server.url, prefix=prefix, deadline=20) as store:
        assert await store.create(new(owner=OWNER))
        days = int(server.ask(f"TTL {index_of(server, prefix)}")[1:]) / 86400
        assert days > 399


async def test_on_a_cluster(cluster, prefix):
    """An owner's rows on several servers are found, and ended, by one index."""
    async with using(cluster.url, prefix=prefix, deadline=20) as store:
        rows = [new(owner=OWNER, created_at=NOW + number) for number in range(30)]
        assert all(await asyncio.gather(*map(store.create, rows)))
        assert 3 == len({cluster.node_of(f"{prefix}{row.id}").port for row in rows})
        assert rows == await store.load_owner(OWNER, now=NOW)
        assert 29 == await store.delete_owner(OWNER, keep=rows[7].id)
        assert [rows[7]] == await store.load_owner(OWNER, now=NOW)
