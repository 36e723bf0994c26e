"""A real server in trouble: nothing is promised that is not kept, and it all comes back."""

from __future__ import annotations

import asyncio
import secrets

import pytest
import trio

from sojourn import ConfigurationError, Record, StoreUnavailableError
from sojourn_postgres import PostgresStore, open_store

pytestmark = pytest.mark.anyio
NOW = 4_000_000_000.0


def record() -> Record:
    """A row that lives for long."""
    return Record(
        secrets.token_hex(16),
        secrets.token_bytes(32),
        b"payload",
        1,
        NOW,
        NOW + 1000,
        None,
        None,
        None,
    )


def test_trio_is_refused():
    """On trio the store says at its opening that it runs on asyncio."""
    store = open_store("postgresql://u@127.0.0.1:1/x?deadline=1", None)
    with pytest.raises(ConfigurationError, match="runs on asyncio"):
        trio.run(store.aopen)


async def test_restart(own_server):
    """A server that was killed is an error, and then used again by the same store, rows intact."""
    store, row = PostgresStore(own_server.url, create=True), record()
    await store.aopen()
    assert await store.create(row)
    own_server.stop()
    with pytest.raises(StoreUnavailableError, match="cannot be reached"):
        await store.load(row.id, now=NOW)
    own_server.start()
    assert await store.load(row.id, now=NOW) == row
    await store.aclose()


async def test_no_password():
    """A message never holds the URL's password."""
    store = open_store("postgresql://u:hunter2@127.0.0.1:1/x", None)
    with pytest.raises(StoreUnavailableError) as caught:
        await store.aopen()
    assert "hunter2" not in str(caught.value)
    await store.aclose()


async def test_black_hole(tmp_path):
    """A server that never answers is an error within the deadline."""

    async def serve(reader, writer):
        while await reader.read(4096):
            pass
        writer.close()

    async with await asyncio.start_unix_server(serve, tmp_path / ".s.PGSQL.5432"):
        store = open_store(f"postgresql://u@/x?host={tmp_path}&deadline=0.2", None)
        async with asyncio.timeout(1):
            with pytest.raises(StoreUnavailableError, match="within the deadline"):
                await store.load("0" * 32, now=NOW)
        await store.aclose()


async def test_pool_exhausted(server):
    """Waiting for a connection counts towards the deadline, and a cancelled call frees its own."""
    store = PostgresStore(server.url, table="pool", create=True, max_connections=1, deadline=0.5)
    await store.aopen()
    blocked = asyncio.create_task(store._fetch("SELECT pg_sleep(5)"))
    async with asyncio.timeout(2):
        with pytest.raises(StoreUnavailableError, match="within the deadline"):
            await asyncio.gather(store.load("0" * 32, now=NOW), blocked)
        await asyncio.wait([blocked])
        assert await store.load("0" * 32, now=NOW) is None
    await store.aclose()


async def test_hot_touches(server):
    """More than nine touches in ten change no index entry."""
    store, row = PostgresStore(server.url, table="hot", create=True), record()
    await store.aopen()
    await store.create(row)
    for turn in range(500):
        await store.touch(row.id, version=1 + turn, expires_at=NOW + 1000 + turn / 10, now=NOW)
    counts = "SELECT n_tup_hot_upd, n_tup_upd FROM pg_stat_user_tables WHERE relname = 'hot'"
    await store._fetch("SELECT pg_stat_force_next_flush()")
    async with asyncio.timeout(10):
        while (found := (await store._fetch(counts))[0])[1] < 500:  # noqa: ASYNC110 - the server has none
            await asyncio.sleep(0)
    assert found[0] / found[1] > 0.9
    await store.aclose()


async def test_sweeps_side_by_side(server):
    """Two nodes that sweep at once remove each row once."""
    stores = [PostgresStore(server.url, table="swept", create=True) for _ in range(2)]
    await stores[0].aopen()
    for _ in range(100):
        assert await stores[0].create(record())
    gone = await asyncio.gather(*(store.sweep(now=NOW + 2000, limit=60) for store in stores))
    rest = await stores[0].sweep(now=NOW + 2000, limit=1000)
    assert sum(gone) + rest == 100
    for store in stores:
        await store.aclose()
