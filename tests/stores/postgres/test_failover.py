"""A replica, and what becomes of promises when it is promoted."""

import asyncio
import shutil

import pytest
from tests.stores._proxy import Proxy

from sojourn import ConfigurationError, StoreUnavailableError
from sojourn_postgres import open_store
from sojourn_postgres._dialing import places

from ._rows import DEADLINE, NOW, new_table, opened, record
from .conftest import new_folder

pytestmark = pytest.mark.anyio

FOLLOWS = "SELECT FROM pg_stat_replication WHERE state = 'streaming'"


@pytest.fixture
def stream(own_server):
    """What stands between the primary and its replica."""
    with Proxy(own_server.socket) as proxy:
        yield proxy


@pytest.fixture
def replica(own_server, stream, folders):
    """A hot standby of the server, which follows it."""
    folder = new_folder(folders)
    with own_server.replica_in(folder, stream.port) as replica:
        own_server.until(f"EXISTS ({FOLLOWS})")
        yield replica
    shutil.rmtree(folder)


def synchronous(server):
    """From now on the server acknowledges what its replica has."""
    server.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
    server.sql("SELECT pg_reload_conf()")
    server.until(f"EXISTS ({FOLLOWS} AND sync_state = 'sync')")


def both(first, second, **options):
    """The URL of two servers."""
    query = "".join(f"&{key}={value}" for key, value in options.items())
    return f"postgresql://sojourn@/postgres?host={first.folder},{second.folder}{query}"


async def test_replicas_are_not_read(own_server, replica):
    """The primary is found wherever it stands in the URL, and a replica alone is refused."""
    row = record()
    async with opened(own_server.url, table="known") as store:
        await store.create(row)
    for url in (both(own_server, replica), both(replica, own_server)):
        async with opened(url, table="known") as store:
            assert row == await store.load(row.id, now=NOW)
    alone = open_store(f"{replica.url}&table=known", None)
    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match="is a replica"):
            await alone.load(row.id, now=NOW)


async def test_failover(own_server, replica):
    """With synchronous replication a failover undoes nothing, and the same store goes on."""
    synchronous(own_server)
    kept, revoked = record(), record()
    async with opened(both(own_server, replica)) as store:
        await store.create(kept)
        await store.create(revoked)
        assert await store.delete(revoked.id)
        await asyncio.to_thread(own_server.stop)
        with pytest.raises(StoreUnavailableError):
            await store.load(kept.id, now=NOW)
        await asyncio.to_thread(replica.promote)
        assert kept == await store.load(kept.id, now=NOW)
        assert await store.load(revoked.id, now=NOW) is None
        assert await store.create(record())


async def test_what_a_failover_undoes(own_server, replica, stream):
    """Without it a failover undoes what the replica had not got, logouts too, and no more."""
    early, revoked, late = record(), record(), record()
    async with opened(both(own_server, replica), table="undone") as store:
        await store.create(early)
        await store.create(revoked)
        sent = own_server.sql("SELECT pg_current_wal_lsn()")
        await asyncio.to_thread(replica.until, f"pg_last_wal_replay_lsn() >= '{sent}'")
        stream.refuse()
        assert await store.delete(revoked.id)
        assert await store.create(late)
        await asyncio.to_thread(own_server.stop)
        await asyncio.to_thread(replica.promote)
        await asyncio.gather(store.load(early.id, now=NOW), return_exceptions=True)
        rows = [await store.load(row.id, now=NOW) for row in (early, revoked, late)]
    assert [early, revoked, None] == rows


async def test_unacknowledged_is_an_error(own_server, replica, stream):
    """A synchronous replica that is cut off makes writes errors, not promises."""
    synchronous(own_server)
    row, table = record(), new_table()
    async with opened(own_server.url, table=table) as store:
        await store.create(row)
        stream.refuse()
        async with opened(own_server.url, table=table, create="false", deadline=DEADLINE) as hasty:
            with pytest.raises(StoreUnavailableError, match="within the deadline"):
                await hasty.delete(row.id)
        stream.heal()
        await asyncio.to_thread(own_server.until, f"EXISTS ({FOLLOWS} AND sync_state = 'sync')")
        assert not await store.delete(row.id)


async def test_a_dead_host_costs_no_time(server, proxy):
    """A host that swallows everything does not keep the store from the one that answers."""
    dead = proxy.port
    proxy.black_hole()
    with Proxy(server.socket) as alive:
        url = (
            f"postgresql://sojourn@127.0.0.1:{dead},127.0.0.1:{alive.port}/postgres?sslmode=disable"
        )
        row = record()
        async with opened(url) as store:
            await store.create(row)
            alive.cut()
            assert 2 == sum([await _answers(store, row) for _ in range(3)][-2:])
        # The one that answers now is asked first, and forgotten once it hangs itself.
        async with opened(url, deadline=DEADLINE, table="turned") as store:
            alive.black_hole()
            proxy.heal()
            await asyncio.gather(*(_answers(store, row) for _ in range(3)))
            assert await store.load(row.id, now=NOW) is None
            alive.heal()


async def _answers(store, row):
    try:
        return row == await store.load(row.id, now=NOW)
    except StoreUnavailableError:
        return False


@pytest.mark.parametrize("target", ["any", "standby", "prefer-standby", "read-only", "what"])
def test_no_other_target(target):
    """A URL that asks for replicas is refused when the store is made."""
    with pytest.raises(ConfigurationError, match="target_session_attrs"):
        open_store(f"postgresql://u@a,b/x?target_session_attrs={target}", None)


PLACES = {
    "postgresql://u:p@a/x": ["postgresql://u:p@a/x"],
    "postgresql:///x": ["postgresql:///x"],
    "postgresql://u:p@a:1,[::1]:2,c/x?k=v": [
        "postgresql://u:p@a:1/x?k=v",
        "postgresql://u:p@[::1]:2/x?k=v",
        "postgresql://u:p@c/x?k=v",
    ],
    "postgresql://u@/x?host=a,b&port=1,2": [
        "postgresql://u@/x?host=a&port=1",
        "postgresql://u@/x?host=b&port=2",
    ],
    "postgresql://u@/x?host=a,b&port=1": [
        "postgresql://u@/x?host=a&port=1",
        "postgresql://u@/x?host=b&port=1",
    ],
}


@pytest.mark.parametrize("url", PLACES)
def test_a_url_for_each_host(url):
    """Each host of a URL gets one of its own, with its port and everything else."""
    assert PLACES[url] == places(url)
