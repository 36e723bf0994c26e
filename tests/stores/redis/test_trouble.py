"""A real server in trouble: nothing is promised that is not kept, and it all comes back."""

from __future__ import annotations

import asyncio
import socket

import pytest
import trio

from sojourn import ConfigurationError, Outcome, StoreUnavailableError
from sojourn_redis import open_store

from ._rows import NOW, new, using
from ._servers import RedisServer, running

pytestmark = pytest.mark.anyio


def test_trio_is_refused():
    """On trio the store says at its opening that it runs on asyncio."""
    store = open_store("redis://127.0.0.1:1/0?deadline=1", None)
    with pytest.raises(ConfigurationError, match="runs on asyncio"):
        trio.run(store.aopen)


def test_one_loop_after_another(server, prefix):
    """A store that was closed is of use again, on another event loop as well."""
    store, row = open_store(f"{server.url}?prefix={prefix}&deadline=20", None), new()

    async def visit(call):
        try:
            return await call()
        finally:
            await store.aclose()

    assert asyncio.run(visit(lambda: store.create(row)))
    assert row == asyncio.run(visit(lambda: store.load(row.id, now=NOW)))
    assert asyncio.run(visit(lambda: store.delete(row.id)))


async def test_restart(own_server):
    """A server that goes away is an error at once, and is used again without a new store."""
    store, row = open_store(own_server.url, None), new()
    assert await store.create(row)
    own_server.stop()
    with pytest.raises(StoreUnavailableError, match="cannot be reached"):
        await store.load(row.id, now=NOW)
    own_server.start()
    assert await store.load(row.id, now=NOW) is None
    assert await store.create(row)
    assert await store.load(row.id, now=NOW) == row
    await store.aclose()


@pytest.mark.parametrize(
    "place", ["unix://user:hunter2@/no/where", "redis://user:hunter2@127.0.0.1:1"]
)
async def test_no_password(place):
    """A message never holds the URL's password."""
    store = open_store(place, None)
    with pytest.raises(StoreUnavailableError) as caught:
        await store.aopen()
    assert "hunter2" not in str(caught.value)
    await store.aclose()


async def test_wrong_password(own_server):
    """A wrong password is an error that says so, without it."""
    own_server.ask("CONFIG SET requirepass correct")
    store = open_store(own_server.url.replace("unix://", "unix://default:hunter2@"), None)
    with pytest.raises(StoreUnavailableError, match="password") as caught:
        await store.aopen()
    assert "hunter2" not in str(caught.value)
    await store.aclose()


async def test_out_of_memory(own_server):
    """A full server refuses a new session with an error, and goes on reading and deleting."""
    store, row = open_store(own_server.url, None), new()
    assert await store.create(row)
    own_server.ask("CONFIG SET maxmemory 1")
    with pytest.raises(StoreUnavailableError, match="out of memory"):
        await store.create(new())
    with pytest.raises(StoreUnavailableError, match="out of memory"):
        await store.replace(row, version=1, now=NOW)
    assert await store.load(row.id, now=NOW) == row
    assert await store.delete(row.id)
    await store.aclose()


async def test_out_of_memory_within_a_script(tmp_path):
    """The oldest servers say so in other words; the error is the same."""
    with running(RedisServer(tmp_path / "own", kind="redis-6.2")) as server:
        async with using(server.url, deadline=20) as store:
            row = new()
            assert await store.create(row)
            server.ask("CONFIG SET maxmemory 1")
            with pytest.raises(StoreUnavailableError, match="out of memory"):
                await store.replace(row, version=1, now=NOW)


async def test_replica(own_server):
    """A replica refuses to write, and the error says what to connect to."""
    own_server.ask("REPLICAOF 127.0.0.1 1")
    store = open_store(own_server.url, None)
    with pytest.raises(StoreUnavailableError, match="read-only replica"):
        await store.create(new())
    await store.aclose()


async def test_another_id(server):
    """A row under another's key is an error, never another session's data."""
    store, row, other = open_store(f"{server.url}?prefix=shift:", None), new(), new()
    assert await store.create(row)
    assert await store.create(other)
    server.ask(f"COPY shift:{other.id} shift:{row.id} REPLACE\r\n")
    with pytest.raises(StoreUnavailableError, match="another command"):
        await store.load(row.id, now=NOW)
    await store.aclose()


COMMANDS = (
    "get mget set del eval evalsha ping info getrange setrange pttl pexpire time "
    "zadd zcard zrange zrem zscore"
)


async def test_smallest_rights(own_server):
    """The commands that the README names are all that the store needs."""
    rights = " ".join(f"+{name}" for name in COMMANDS.split())
    own_server.ask(f"ACL SETUSER app on >pw ~sojourn:* {rights}\r\n")
    store = open_store(own_server.url.replace("unix://", "unix://app:pw@"), None)
    await store.aopen()
    row = new(owner="user:42")
    assert await store.create(row)
    await asyncio.gather(*(store.load(row.id, now=NOW) for _ in range(3)))
    assert await store.touch(row.id, version=1, expires_at=NOW + 2000, now=NOW) is Outcome.APPLIED
    assert await store.replace(row, version=2, now=NOW) is Outcome.APPLIED
    assert await store.load_owner("user:42", now=NOW) == [row]
    assert await store.delete_owner("user:42") == 1
    assert not await store.delete(row.id)
    await store.aclose()


async def test_too_few_replicas(own_server):
    """A server that may not write without replicas says so."""
    own_server.ask("CONFIG SET min-replicas-to-write 1")
    async with using(own_server.url, deadline=20) as store:
        with pytest.raises(StoreUnavailableError, match="min-replicas-to-write"):
            await store.create(new())


async def test_no_connection_left(tmp_path):
    """A server that takes no more connections is an error, and is used when it does again."""
    with running(RedisServer(tmp_path / "own", "--maxclients", "1")) as server:
        async with using(server.url, deadline=20) as store:
            with socket.socket(socket.AF_UNIX) as other:
                other.connect(str(server.socket))
                other.sendall(b"PING\r\n")
                assert other.recv(100) == b"+PONG\r\n"
                with pytest.raises(StoreUnavailableError):
                    await store.load(new().id, now=NOW)
            while True:
                try:
                    assert await store.load(new().id, now=NOW) is None
                    break
                except StoreUnavailableError:
                    await asyncio.sleep(0)


async def test_a_demoted_server_is_left(own_server, tmp_path):
    """After a server refused to write, the next call looks anew for one that does."""
    address = tmp_path / "address"
    address.symlink_to(own_server.socket)
    own_server.ask("REPLICAOF 127.0.0.1 1")
    with running(RedisServer(tmp_path / "new")) as promoted:
        async with using(f"unix://{address}") as store:
            with pytest.raises(StoreUnavailableError, match="read-only replica"):
                await store.create(new())
            address.unlink()
            address.symlink_to(promoted.socket)
            assert await store.create(new())


@pytest.mark.parametrize(
    ("policy", "warned"), [("noeviction", False), ("allkeys-lru", True), ("volatile-ttl", True)]
)
async def test_eviction(own_server, caplog, policy, warned):
    """A server that may drop live sessions is a warning at the start, with the remedy."""
    own_server.ask(f"CONFIG SET maxmemory-policy {policy}")
    async with using(own_server.url, deadline=20) as store:
        await store.aopen()
    found = [one.getMessage() for one in caplog.records if one.name == "sojourn"]
    assert warned == any(policy in text and "set it to noeviction" in text for text in found)


async def test_the_server_never_drops_a_row_early(server, prefix):
    """After every write the row has a time to live, and it is past the row's deadline."""
    async with using(server.url, prefix=prefix, deadline=20) as store:
        row = new(expires_at=NOW + 100)
        ttl = f"PTTL {prefix}{row.id}"
        assert await store.create(row)
        assert int(server.ask(ttl)[1:]) > 100_000
        until_ = NOW + 500
        assert Outcome.APPLIED is await store.touch(row.id, version=1, expires_at=until_, now=NOW)
        assert int(server.ask(ttl)[1:]) > 500_000
        later = new(id=row.id, version=3, expires_at=NOW + 900)
        assert Outcome.APPLIED is await store.replace(later, version=2, now=NOW)
        assert int(server.ask(ttl)[1:]) > 900_000
        sooner = new(id=row.id, version=4, expires_at=NOW + 50)
        assert Outcome.APPLIED is await store.replace(sooner, version=3, now=NOW)
        assert 50_000 < int(server.ask(ttl)[1:]) < 900_000
