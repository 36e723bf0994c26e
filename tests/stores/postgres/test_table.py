"""The table: how it is made, updated and swept."""

# ruff: noqa: S608 - the table's name is ours

import asyncio
import itertools

import asyncpg
import pytest

from sojourn import ConfigurationError, Outcome, StoreUnavailableError
from sojourn_postgres import PostgresStore, schema

from ._rows import NOBODY, NOW, new_table, opened, record

pytestmark = pytest.mark.anyio


async def test_nodes_that_start_together(server):
    """Of many nodes that start at once on an empty database, each finds or makes the table."""
    options = {"table": "together", "create": True, "deadline": 20}
    stores = [PostgresStore(server.url, **options) for _ in range(5)]
    await asyncio.gather(*(store.aopen() for store in stores))
    for store in stores:
        assert await store.load(NOBODY, now=NOW) is None
        await store.aclose()


async def test_no_right_to_create(server):
    """Who may not create is told so, and goes on once somebody else has made the table."""
    server.sql("CREATE ROLE guest LOGIN; REVOKE CREATE ON SCHEMA public FROM public, guest")
    url, table = server.url.replace("sojourn@", "guest@"), new_table()
    store = PostgresStore(url, table=table, create=True, deadline=20, max_connections=1)
    with pytest.raises(StoreUnavailableError, match="does not allow"):
        await store.aopen()
    assert "f" == server.sql(f"SELECT to_regclass('{table}') IS NOT NULL")
    server.sql(f"{schema(table)}; GRANT ALL ON {table} TO guest")
    assert await store.create(record())
    await store.aclose()


async def test_a_schema_of_its_own(server):
    """A table may live in a schema that is not public, and two schemas do not mix."""
    server.sql("CREATE SCHEMA web; CREATE SCHEMA shop")
    async with (
        opened(server.url, table="web.visits") as web,
        opened(server.url, table="shop.visits") as shop,
    ):
        row = record(owner="ann")
        await web.create(row)
        assert [row] == await web.load_owner("ann", now=NOW)
        assert [] == await shop.load_owner("ann", now=NOW)


@pytest.mark.parametrize("table", ["", "a b", "a;b", "A", '"a"', "a.b.c", "1a", "a'", "a" * 52])
def test_no_other_names(table):
    """A name that would need quotes is refused, wherever it is given."""
    for make in (schema, lambda name: PostgresStore("postgresql://x/y", table=name)):
        with pytest.raises(ConfigurationError, match="lower-case letters"):
            make(table)


def test_printed():
    """The printed schema is the one that the store makes: same table, room for updates, indexes."""
    text = schema("web.visits")
    assert "CREATE TABLE IF NOT EXISTS web.visits" in text
    assert "fillfactor = 80" in text
    assert ["visits_owner", "visits_expiry"] == [
        line.split()[5] for line in text.splitlines() if line.startswith("CREATE INDEX")
    ]


async def test_no_scans(server):
    """Loads, owners and sweeps find their rows by an index when there are many rows."""
    table = new_table()
    async with opened(server.url, table=table) as store:
        server.sql(
            f"INSERT INTO {table} SELECT gen_random_uuid(), decode(repeat('00', 32), 'hex'), "
            "'', 1, 0, 1e9 + n, floor((1e9 + n) / 3600), 'owner' || n FROM "
            f"generate_series(1, 20000) n; ANALYZE {table}"
        )
        wanted = (f"'{NOBODY}'", "0"), ("'owner7'", "0"), ("277777", "1e9 + 9", "1")
        sql = store._sql
        for statement, arguments in zip((sql.load, sql.load_owner, sql.sweep), wanted, strict=True):
            for number, argument in enumerate(arguments, 1):
                statement = statement.replace(f"${number}", argument)  # noqa: PLW2901
            plan = server.sql(f"EXPLAIN (FORMAT JSON) {statement}")
            assert "Index" in plan
            assert "Seq Scan" not in plan


async def test_hot_touches(server):
    """More than nine touches in ten change no index entry."""
    table, row = new_table(), record()
    async with opened(server.url, table=table) as store:
        await store.create(row)
        for turn in range(300):
            until = NOW + 1000 + turn / 10
            touched = await store.touch(row.id, version=1 + turn, expires_at=until, now=NOW)
            assert Outcome.APPLIED == touched
        await store._fetch("SELECT pg_stat_force_next_flush()")
    where = f"FROM pg_stat_user_tables WHERE relname = '{table}'"
    await asyncio.to_thread(server.until, f"n_tup_upd = 300 {where}")
    assert int(server.sql(f"SELECT n_tup_hot_upd {where}")) > 270


async def test_sweeps_side_by_side(server):
    """Nodes that sweep at once remove each expired row once, no other, and wait for nobody."""
    table = new_table()
    async with opened(server.url, table=table) as store:
        for number in range(120):
            await store.create(record(expires_at=NOW + (1 if number % 2 else 5000)))
        nodes = [PostgresStore(server.url, table=table, deadline=20) for _ in range(3)]
        gone = await asyncio.gather(
            *itertools.chain.from_iterable(
                [node.sweep(now=NOW + 2, limit=7) for _ in range(4)] for node in nodes
            )
        )
        assert sum(gone) <= 60
        assert max(gone) <= 7
        assert 60 - sum(gone) == await store.sweep(now=NOW + 2, limit=1000)
        assert 0 == await store.sweep(now=NOW + 2, limit=1000)
        for node in nodes:
            await node.aclose()


async def test_a_sweep_passes_by(server):
    """A row that another transaction holds is left to the next sweep, at once."""
    table = new_table()
    async with opened(server.url, table=table) as store:
        rows = [record(expires_at=NOW + 1) for _ in range(3)]
        for row in rows:
            await store.create(row)
        line = await store._open._taken()
        async with line.connection.transaction():
            lock = f"SELECT 1 FROM {table} WHERE id = $1 FOR UPDATE"
            await line.connection.fetch(lock, rows[1].id)
            assert 2 == await store.sweep(now=NOW + 2, limit=10)
        store._open._give_back(line)
        assert 1 == await store.sweep(now=NOW + 2, limit=10)


@pytest.mark.parametrize("ending", ["DELETE FROM {table}", "UPDATE {table} SET expires_at = 0"])
async def test_a_write_that_waited_for_the_rows_end(server, ending):
    """A write that had to wait while another transaction ended its row finds it gone."""
    table, row = new_table(), record()
    driver = await asyncpg.connect(server.url)
    async with opened(server.url, table=table) as store:
        await store.create(row)
        async with driver.transaction():
            await driver.execute(ending.format(table=table))
            replaced = asyncio.create_task(store.replace(row, version=1, now=NOW))
            touched = asyncio.create_task(
                store.touch(row.id, version=1, expires_at=NOW + 2000, now=NOW)
            )
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> $1"
            while await driver.fetchval(waiting, driver.get_server_pid()) < 2:
                pass  # each look is a round trip, in which the others go on
        assert [Outcome.GONE] * 2 == await asyncio.gather(replaced, touched)
    await driver.close()
