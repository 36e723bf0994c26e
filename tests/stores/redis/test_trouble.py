"""A real server in trouble: nothing is promised that is not kept, and it all comes back."""

from __future__ import annotations

import asyncio
import secrets

import pytest
import trio
from msgspec.structs import replace

from sojourn import ConfigurationError, Outcome, Record, StoreUnavailableError
from sojourn_redis import open_store

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
    store = open_store("redis://127.0.0.1:1/0?deadline=1", None)
    with pytest.raises(ConfigurationError, match="runs on asyncio"):
        trio.run(store.aopen)


async def test_restart(own_server):
    """A server that goes away is an error at once, and is used again without a new store."""
    store, row = open_store(own_server.url, None), record()
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
    own_server.ask(b"CONFIG SET requirepass correct\r\n")
    store = open_store(own_server.url.replace("unix://", "unix://default:hunter2@"), None)
    with pytest.raises(StoreUnavailableError, match="password") as caught:
        await store.aopen()
    assert "hunter2" not in str(caught.value)
    await store.aclose()


async def test_out_of_memory(own_server):
    """A full server refuses a new session with an error, and goes on reading and deleting."""
    store, row = open_store(own_server.url, None), record()
    assert await store.create(row)
    own_server.ask(b"CONFIG SET maxmemory 1\r\n")
    with pytest.raises(StoreUnavailableError, match="out of memory"):
        await store.create(record())
    with pytest.raises(StoreUnavailableError, match="out of memory"):
        await store.replace(row, version=1, now=NOW)
    assert await store.load(row.id, now=NOW) == row
    assert await store.delete(row.id)
    await store.aclose()


async def test_replica(own_server):
    """A replica refuses to write, and the error says what to connect to."""
    own_server.ask(b"REPLICAOF 127.0.0.1 1\r\n")
    store = open_store(own_server.url, None)
    with pytest.raises(StoreUnavailableError, match="read-only replica"):
        await store.create(record())
    await store.aclose()


@pytest.mark.parametrize("shift", [b"$2\r\nOK\r\n", b":1\r\n", b"*0\r\n"])
async def test_out_of_step(tmp_path, shift):
    """A reply that cannot be a row is an error, not an absent session."""

    async def serve(reader, writer):
        while data := await reader.read(4096):
            is_load = b"GET" in data
            writer.write(shift if is_load else b"+OK\r\n" * data.count(b"CLIENT"))
        writer.close()

    async with await asyncio.start_unix_server(serve, tmp_path / "s"):
        store = open_store(f"unix://{tmp_path / 's'}?protocol=2", None)
        with pytest.raises(StoreUnavailableError, match="another command"):
            await store.load("0" * 32, now=NOW)
        await store.aclose()


async def test_black_hole(tmp_path):
    """A server that never answers is an error within the deadline, for one call and for many."""

    async def serve(reader, writer):
        while await reader.read(4096):
            pass
        writer.close()

    async with await asyncio.start_unix_server(serve, tmp_path / "s"):
        store = open_store(f"unix://{tmp_path / 's'}?deadline=0.2", None)
        async with asyncio.timeout(1):
            loads = [store.load("0" * 32, now=NOW) for _ in range(50)]
            results = await asyncio.gather(*loads, return_exceptions=True)
        assert {type(result) for result in results} == {StoreUnavailableError}
        await store.aclose()


async def test_another_id(server):
    """A row under another's key is an error, never another session's data."""
    store, row, other = open_store(f"{server.url}?prefix=shift:", None), record(), record()
    assert await store.create(row)
    assert await store.create(other)
    server.ask(f"COPY shift:{other.id} shift:{row.id} REPLACE\r\n".encode())
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
    own_server.ask(f"ACL SETUSER app on >pw ~sojourn:* {rights}\r\n".encode())
    store = open_store(own_server.url.replace("unix://", "unix://app:pw@"), None)
    await store.aopen()
    row = replace(record(), owner="user:42")
    assert await store.create(row)
    await asyncio.gather(*(store.load(row.id, now=NOW) for _ in range(3)))
    assert await store.touch(row.id, version=1, expires_at=NOW + 2000, now=NOW) is Outcome.APPLIED
    assert await store.replace(row, version=2, now=NOW) is Outcome.APPLIED
    assert await store.load_owner("user:42", now=NOW) == [row]
    assert await store.delete_owner("user:42") == 1
    assert not await store.delete(row.id)
    await store.aclose()


async def test_kill_under_load(own_server):
    """Killed and started again under load, the server is used again, and no call hangs."""
    store = open_store(own_server.url, None)
    stopping = asyncio.Event()
    failures = 0

    async def visit():
        nonlocal failures
        while not stopping.is_set():
            row = record()
            try:
                assert await store.create(row)
                assert await store.load(row.id, now=NOW) in (row, None)
            except StoreUnavailableError:
                failures += 1
                await asyncio.sleep(0)

    visits = [asyncio.create_task(visit()) for _ in range(20)]
    await asyncio.to_thread(own_server.stop)
    while not failures:  # noqa: ASYNC110 - the visits know no event
        await asyncio.sleep(0)
    await asyncio.to_thread(own_server.start)
    row = record()
    assert await store.create(row)
    assert await store.load(row.id, now=NOW) == row
    stopping.set()
    await asyncio.gather(*visits)
    await store.aclose()


async def test_cancelled_under_load(server):
    """A cancelled call takes nobody's reply: the others get their own rows."""
    store = open_store(f"{server.url}?prefix=cancel:", None)
    rows = [record() for _ in range(30)]
    await asyncio.gather(*(store.create(row) for row in rows))
    for steps in range(12):
        loads = [asyncio.create_task(store.load(row.id, now=NOW)) for row in rows]
        for _ in range(steps):
            await asyncio.sleep(0)
        for load in loads[::2]:
            load.cancel()
        found = await asyncio.gather(*loads, return_exceptions=True)
        assert found[1::2] == rows[1::2]
    assert await store.load(rows[0].id, now=NOW) == rows[0]
    await store.aclose()
