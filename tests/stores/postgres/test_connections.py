"""The stack of connections: cancelled, crowded, closed."""

import asyncio

import pytest

from sojourn import Outcome, StoreUnavailableError

from ._rows import (
    DEADLINE,
    NOBODY,
    NOW,
    PATIENCE,
    WRITES,
    opened,
    record,
    until,
    url_through,
)

pytestmark = pytest.mark.anyio


def _count(store) -> int:
    """How many connections it has."""
    return store._open._count


@pytest.mark.parametrize("name", WRITES)
async def test_cancelled_anywhere(server, name):
    """A write that is cancelled after any number of the loop's turns is all or nothing."""
    async with opened(server.url, max_connections=1) as store:
        await WRITES[name](store, record())
        for turns in range(40):
            row = record()
            if name != "create":
                await store.create(row)
            call = asyncio.create_task(WRITES[name](store, row))
            for _ in range(turns):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.wait([call])
            found = await store.load(row.id, now=NOW)
            assert (found and found.version) in {"create": (None, 1), "delete": (1, None)}.get(
                name, (1, 2)
            )
        assert (1, {}) == (store._open._count, store._open._busy)


async def test_cancelled_while_connecting(proxy):
    """A call that is cancelled while it connects takes no room from the others."""
    async with opened(url_through(proxy), max_connections=2) as store:
        await store._open.aclose()
        store._open = None
        # Older releases of asyncpg tell the loop of each attempt that was given up.
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        proxy.hold_replies()
        for _ in range(6):
            seen = proxy.accepted
            calls = [asyncio.create_task(store.load(NOBODY, now=NOW)) for _ in range(4)]
            await proxy.until(lambda proxy, seen=seen: proxy.accepted == seen + 2)
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)
        assert 0 == _count(store)
        proxy.release()
        assert [None] * 4 == await asyncio.gather(*(store.load(NOBODY, now=NOW) for _ in "1234"))
        assert 2 == _count(store)


async def test_cancelled_under_load(server):
    """Among many calls on few connections, those that are not cancelled get their own rows."""
    async with opened(server.url, max_connections=3) as store:
        rows = [record() for _ in range(30)]
        await asyncio.gather(*(store.create(row) for row in rows))
        for turns in range(0, 24, 2):
            loads = [asyncio.create_task(store.load(row.id, now=NOW)) for row in rows]
            for _ in range(turns):
                await asyncio.sleep(0)
            for load in loads[::2]:
                load.cancel()
            found = await asyncio.gather(*loads, return_exceptions=True)
            assert rows[1::2] == found[1::2]
        await asyncio.gather(*(store.load(row.id, now=NOW) for row in rows))
        assert {} == store._open._busy
        assert len(store._open._idle) == store._open._count <= 3


async def test_never_more_than_the_limit(proxy):
    """However many call at once, there are no more connections than max_connections."""
    async with opened(url_through(proxy), max_connections=3) as store:
        await asyncio.gather(*(store.create(record()) for _ in range(50)))
        assert 3 == proxy.connections == proxy.accepted


async def test_one_after_another_needs_one(proxy):
    """Calls that do not overlap share one connection."""
    async with opened(url_through(proxy)) as store:
        for _ in range(20):
            await store.load(NOBODY, now=NOW)
        assert 1 == proxy.accepted


async def test_closing(proxy):
    """Closing ends every connection, also one in use, and the store opens again on its own."""
    async with opened(url_through(proxy), deadline=PATIENCE) as store:
        await asyncio.gather(*(store.create(record()) for _ in range(10)))
        proxy.hold_replies()
        late = asyncio.create_task(store.load(NOBODY, now=NOW))
        await proxy.until(lambda proxy: proxy.held)
        proxy.release()
        await store.aclose()
        assert await late is None
        await proxy.until(lambda proxy: proxy.connections == 0)
        assert await store.load(NOBODY, now=NOW) is None
        await store.aclose()
        await store.aclose()
        await proxy.until(lambda proxy: proxy.connections == 0)


async def test_closing_a_server_that_hangs(proxy):
    """Closing takes no longer than the deadline when the server does not answer."""
    async with opened(url_through(proxy), deadline=DEADLINE) as store:
        await store.load(NOBODY, now=NOW)
        proxy.black_hole()
        async with asyncio.timeout(PATIENCE):
            await store.aclose()
        proxy.heal()


async def test_the_deadline_counts_from_the_call(proxy):
    """Each call has its own deadline: an old one's end does not end a young one."""
    async with opened(url_through(proxy), deadline=DEADLINE, max_connections=2) as store:
        row = record()
        await store.create(row)
        await asyncio.gather(store.load(row.id, now=NOW), store.load(row.id, now=NOW))
        proxy.hold_replies()
        old = asyncio.create_task(store.load(row.id, now=NOW))
        await proxy.until(lambda proxy: proxy.held == 1)
        await until(lambda: asyncio.get_running_loop().time() > _due(store) - DEADLINE / 2)
        young = asyncio.create_task(store.load(row.id, now=NOW))
        await asyncio.wait([old])
        assert not young.done()
        proxy.release()
        assert row == await young
        with pytest.raises(StoreUnavailableError, match="within the deadline"):
            await old


def _due(store):
    return next(iter(store._open._busy)).due


async def test_a_refused_statement_keeps_the_connection(server):
    """What the server refuses costs no connection, and no other call."""
    async with opened(server.url, max_connections=1) as store:
        row = record()
        await store.create(row)
        (line,) = store._open._idle
        with pytest.raises(StoreUnavailableError, match="CheckViolationError"):
            await store.create(record(secret_hash=b"short"))
        assert [line] == store._open._idle
        assert Outcome.APPLIED == await WRITES["touch"](store, row)
