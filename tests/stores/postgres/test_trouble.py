"""A real server in trouble: nothing is promised that is not kept, and it all comes back."""

# ruff: noqa: S608 - the table's name is ours

import asyncio
import time
from contextlib import asynccontextmanager

import pytest

from sojourn import Outcome, SessionManager, StoreUnavailableError
from sojourn.testing import Browser, client_cookie
from sojourn_postgres import PostgresStore, open_store

from ._rows import (
    DEADLINE,
    NOBODY,
    NOW,
    PATIENCE,
    WRITES,
    new_table,
    opened,
    record,
    until,
    url_through,
)

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def within(seconds):
    """The block raises StoreUnavailableError, and takes no longer."""
    async with asyncio.timeout(seconds):
        with pytest.raises(StoreUnavailableError) as caught:
            yield caught


TROUBLES = {
    "down": (lambda proxy: proxy.refuse(), "cannot be reached"),
    "black hole": (lambda proxy: proxy.black_hole(), "within the deadline"),
    "slow to answer": (lambda proxy: proxy.hold_replies(), "within the deadline"),
    "slow to hear": (lambda proxy: proxy.hold_requests(), "within the deadline"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_trouble_passes(proxy, trouble):
    """Trouble is an error within the deadline, however many call at once, and then it is over."""
    make, told = TROUBLES[trouble]
    row = record()
    async with opened(url_through(proxy), deadline=DEADLINE, max_connections=3) as store:
        await store.create(row)
        make(proxy)
        async with asyncio.timeout(PATIENCE):
            calls = [store.load(row.id, now=NOW) for _ in range(20)]
            results = await asyncio.gather(*calls, return_exceptions=True)
        assert {StoreUnavailableError} == {type(result) for result in results}
        assert told in str(results[0])
        proxy.heal()
        assert row == await store.load(row.id, now=NOW)


async def test_a_visitor_keeps_the_cookie(proxy):
    """While the store is down a visitor is no stranger: no answer, and no other cookie."""
    async with opened(url_through(proxy), deadline=DEADLINE) as store:
        manager = SessionManager(store, sweep_every=None)
        browser = Browser(manager, await client_cookie(manager, {"a": 1}))
        before = browser.header
        proxy.refuse()
        with pytest.raises(StoreUnavailableError):
            await browser.load()
        proxy.heal()
        session = await browser.load()
        session["a"] = 2
        proxy.refuse()
        with pytest.raises(StoreUnavailableError):
            await browser.respond(session)
        proxy.heal()
        assert (before, 1) == (browser.header, (await browser.load())["a"])


async def test_cut_off_while_idle(proxy):
    """Connections that were cut while nobody used them are not used again."""
    async with opened(url_through(proxy)) as store:
        row = record()
        await store.create(row)
        await asyncio.gather(*(store.load(row.id, now=NOW) for _ in range(10)))
        proxy.cut()
        await until(lambda: all(line.connection.is_closed() for line in store._open._idle))
        assert row == await store.load(row.id, now=NOW)


@pytest.mark.parametrize("name", WRITES)
async def test_a_lost_answer(proxy, name):
    """A write whose answer got lost is an error, has happened, and does not happen twice."""
    row = record()
    async with opened(url_through(proxy)) as store:
        if name != "create":
            await store.create(row)
        await WRITES[name](store, record())  # so that the statement is prepared
        proxy.hold_replies()
        call = asyncio.create_task(WRITES[name](store, row))
        await proxy.until(lambda proxy: proxy.held)
        proxy.cut()
        async with within(PATIENCE):
            await call
        proxy.heal()
        again = {"create": False, "delete": False}.get(name, Outcome.CONFLICT)
        assert again == await WRITES[name](store, row)
        found = await store.load(row.id, now=NOW)
        assert {"create": 1, "delete": None}.get(name, 2) == (found and found.version)


SHIFTS = {
    "one twice": lambda proxy: proxy.repeat_replies(1),
    "one never": lambda proxy: proxy.drop_replies(1),
    "all one late": lambda proxy: proxy.shift_replies(),
}


@pytest.mark.parametrize("shift", SHIFTS.values(), ids=SHIFTS)
async def test_out_of_step(proxy, shift):
    """Answers that come one late are nobody else's rows, and soon nobody's trouble."""
    rows = [record() for _ in range(6)]
    options = {"deadline": DEADLINE, "max_connections": 1}
    async with opened(url_through(proxy), **options) as store:
        for row in rows:
            await store.create(row)
        await store.load(NOBODY, now=NOW)
        # asyncpg tells the loop of an answer that nobody asked for, and ends the connection.
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        shift(proxy)
        calls = [store.load(row.id, now=NOW) for row in rows]
        results = await asyncio.gather(*calls, return_exceptions=True)
        for row, found in zip(rows, results, strict=True):
            assert found == row or isinstance(found, StoreUnavailableError)
        proxy.heal()
        await proxy.until(lambda proxy: proxy.held == 0)
        for row in rows:
            assert row == await store.load(row.id, now=NOW)


async def test_another_row(server):
    """A row that is not the one that was asked for is an error, never another session's data."""
    async with opened(server.url) as store:
        row = record()
        await store.create(row)
        store._sql.load = store._sql.load.replace("id = $1", "id <> $1")
        with pytest.raises(StoreUnavailableError, match="another row"):
            await store.load(NOBODY, now=NOW)


async def test_pool_exhausted(server):
    """Waiting for a connection counts towards the deadline; what blocked it is given up."""
    async with opened(server.url, max_connections=1, deadline=DEADLINE) as store:
        blocked = asyncio.create_task(store._fetch("SELECT pg_sleep(60)"))
        async with within(PATIENCE) as caught:
            await asyncio.gather(store.load(NOBODY, now=NOW), blocked)
        assert "within the deadline" in str(caught.value)
        await asyncio.wait([blocked])
        assert await store.load(NOBODY, now=NOW) is None


async def test_too_many_connections(server):
    """A server that has no connection left is an error that says what to lower."""
    server.sql("DROP ROLE IF EXISTS few; CREATE ROLE few LOGIN CONNECTION LIMIT 1")
    server.sql("GRANT ALL ON SCHEMA public TO few")
    url = server.url.replace("sojourn@", "few@")
    async with opened(url) as store:
        other = open_store(url, None)
        with pytest.raises(StoreUnavailableError, match="lower max_connections"):
            await other.aopen()
        assert await store.load(NOBODY, now=NOW) is None


@pytest.mark.parametrize(("code", "told"), [("53100", "full disk"), ("53200", "out of memory")])
async def test_no_room(server, code, told):
    """A server without room refuses what it must, goes on reading and deleting, and recovers."""
    table, row = new_table(), record()
    async with opened(server.url, table=table) as store:
        await store.create(row)
        server.sql(
            f"CREATE FUNCTION {table}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '{code}'; END$$; "
            f"CREATE TRIGGER full_up BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION {table}()"
        )
        for write in (store.create(record()), WRITES["replace"](store, row)):
            with pytest.raises(StoreUnavailableError, match=told):
                await write
        assert row == await store.load(row.id, now=NOW)
        server.sql(f"DROP TRIGGER full_up ON {table}")
        assert Outcome.APPLIED == await WRITES["replace"](store, row)
        assert await store.delete(row.id)


@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
async def test_another_programs_lock(server, limit):
    """The server ends a statement that waits for a lock, where the URL says so; it never writes."""
    table, row = new_table(), record()
    async with opened(server.url, **{"table": table, limit: 50, "max_connections": 1}) as store:
        await store.create(row)
        async with opened(server.url) as other:
            line = await other._open._taken()
            async with line.connection.transaction():
                await line.connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
                with pytest.raises(StoreUnavailableError, match=limit):
                    await WRITES["replace"](store, row)
            other._open._give_back(line)
        assert row == await store.load(row.id, now=NOW)
        assert Outcome.APPLIED == await WRITES["replace"](store, row)


async def test_read_only(server):
    """A primary that has become read-only refuses writes, goes on reading, and recovers."""
    server.sql("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN SUPERUSER")
    row = record()
    async with opened(server.url.replace("sojourn@", "reader@")) as store:
        await store.create(row)
        server.sql("ALTER ROLE reader SET default_transaction_read_only = on")
        await store._open.aclose()
        store._open = None
        with pytest.raises(StoreUnavailableError, match="is read-only"):
            await store.delete(row.id)
        assert row == await store.load(row.id, now=NOW)
        server.sql("ALTER ROLE reader RESET default_transaction_read_only")
        with pytest.raises(StoreUnavailableError, match="is read-only"):
            await store.delete(row.id)
        assert await store.delete(row.id)


async def test_no_table(server):
    """Without the table, opening says what to run, and works once somebody ran it."""
    from sojourn_postgres import schema

    store = PostgresStore(server.url, table="by_hand")
    with pytest.raises(StoreUnavailableError, match="run sojourn_postgres"):
        await store.aopen()
    server.sql(schema("by_hand"))
    server.sql(schema("by_hand"))
    await store.aopen()
    assert await store.create(record())
    await store.aclose()


async def test_a_migration_under_way(server):
    """A table that is changed under the store's prepared statements is an error once at most."""
    table, row = new_table(), record()
    async with opened(server.url, table=table, max_connections=1) as store:
        await store.create(row)
        await store.load(row.id, now=NOW)
        server.sql(f"ALTER TABLE {table} ALTER COLUMN version TYPE numeric")
        server.sql(f"ALTER TABLE {table} ALTER COLUMN owner TYPE varchar(500)")
        await asyncio.gather(store.load(row.id, now=NOW), return_exceptions=True)
        assert row.version == (await store.load(row.id, now=NOW)).version


async def test_a_corrupt_payload(server):
    """A payload that somebody wrote over is a new visitor; the row stays where it is."""
    table = new_table()
    async with opened(server.url, table=table) as store:
        manager = SessionManager(store, sweep_every=None)
        browser = Browser(manager, await client_cookie(manager, {"a": 1}))
        server.sql(rf"UPDATE {table} SET payload = '\xc1c1c1'")
        assert (await browser.load()).is_new
        assert "1" == server.sql(f"SELECT count(*) FROM {table}")


async def test_restart(own_server):
    """A server that was killed is an error, and then used again by the same store, rows intact."""
    async with opened(own_server.url) as store:
        row = record()
        assert await store.create(row)
        await asyncio.to_thread(own_server.stop)
        with pytest.raises(StoreUnavailableError, match="cannot be reached"):
            await store.load(row.id, now=NOW)
        await asyncio.to_thread(own_server.start)
        assert row == await store.load(row.id, now=NOW)


async def test_idle_for_long(server, monkeypatch):
    """A connection that nobody used for minutes is not trusted any more."""
    from sojourn_postgres import _connections

    async with opened(server.url) as store:
        await store.load(NOBODY, now=NOW)
        (old,) = store._open._idle
        monkeypatch.setattr(_connections, "IDLE_SECONDS", -(time.monotonic() + 1e6))
        await store.load(NOBODY, now=NOW)
        assert old.connection.is_closed()
        assert 1 == store._open._count
