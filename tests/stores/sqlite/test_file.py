"""What is in the file, and what is not."""

import gc
import sqlite3
import stat
import threading
import time
import weakref

import anyio
import anyio.lowlevel
import apsw
import pytest

from sojourn import SessionManager
from sojourn.testing import client_cookie
from sojourn_sqlite import SQLiteStore

from ._rows import NOW, new, using

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Both kinds of loop."""
    return request.param


def _threads_but(others):
    """The store's threads that are not among those of other tests."""
    threads = [thread for thread in threading.enumerate() if thread not in others]
    return [thread for thread in threads if thread.name.startswith("sojourn-sqlite")]


def _bytes(folder):
    return b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize(("durability", "level"), [("full", 2), ("normal", 1)])
async def test_what_a_connection_is_set_to(tmp_path, durability, level):
    """The writer is in WAL, as durable as asked for, and deletes by overwriting."""
    async with using(SQLiteStore(tmp_path / "a.db", durability=durability)) as store:

        def settings(connection):
            names = ("journal_mode", "synchronous", "secure_delete", "auto_vacuum")
            return [connection.execute(f"PRAGMA {name}").get for name in names]

        assert await store._do(store._writer, settings) == ["wal", level, 1, 2]


async def test_nobody_waits_on_the_loop(tmp_path, monkeypatch):
    """What an application sets on all connections of apsw does not make ours wait for locks."""
    monkeypatch.setattr(apsw, "connection_hooks", [lambda new: new.set_busy_timeout(5000)])
    async with using(SQLiteStore(tmp_path / "a.db")) as store:
        for worker in (store._writer, store._reading):
            assert await store._do(worker, lambda c: c.execute("PRAGMA busy_timeout").get) == 0


async def test_only_the_owner_reads_the_files(tmp_path):
    """The file and its companions have mode 0600; a file that others could read is narrowed."""
    (tmp_path / "a.db").touch(mode=0o644)
    (tmp_path / "a.db").chmod(0o644)
    for name, expected in (("a.db", 0o640), ("b.db", 0o600)):
        async with using(SQLiteStore(tmp_path / name)) as store:
            await store.create(new())
            modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob(f"{name}*")}
            assert len(list(tmp_path.glob(f"{name}*"))) == 3
            assert modes == {expected}


async def test_closing_leaves_one_file(tmp_path):
    """After aclose the WAL is in the file and removed, and no thread is left."""
    others = set(threading.enumerate())
    store = SQLiteStore(tmp_path / "a.db")
    async with using(store):
        await store.create(new())
        assert store.load_nowait("0" * 32, now=NOW) is None
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]
    end = time.monotonic() + 5
    while _threads_but(others):
        assert time.monotonic() < end
        await anyio.lowlevel.checkpoint()


async def test_a_store_that_nobody_closed_ends_its_threads(tmp_path):
    """A store that is garbage stops its threads and closes its file."""
    others = set(threading.enumerate())
    store = SQLiteStore(tmp_path / "a.db")
    await store.create(new())
    gone = weakref.ref(store)
    del store
    gc.collect()
    assert gone() is None
    for thread in _threads_but(others):
        thread.join(20)
        assert not thread.is_alive()
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


async def test_no_secret_is_in_the_files(tmp_path):
    """The token of a cookie is nowhere in the file or the WAL, nor is its second half."""
    store = SQLiteStore(tmp_path / "a.db")
    async with SessionManager(store, sweep_every=None) as manager:
        header = await client_cookie(manager, {"name": "needle"}, owner="user:1")
        token = header.partition("=")[2].encode()
        content = _bytes(tmp_path)
        assert b"needle" in content
        for part in (token, token[-20:], token[-43:]):
            assert len(part) >= 20
            assert part not in content


async def test_deleted_data_is_not_in_the_files(tmp_path):
    """After the next sweep nothing of a deleted session is left, in the file or in the WAL."""
    async with using(SQLiteStore(tmp_path / "a.db")) as store:
        rows = [new(payload=b"needle" * 500, owner="needle:owner") for _ in range(5)]
        for row in rows:
            await store.create(row)
        await store.create(new())
        assert b"needle" in _bytes(tmp_path)
        for row in rows:
            await store.delete(row.id)
        await store.sweep(now=NOW, limit=100)
        await _tidied(store)
        assert b"needle" not in _bytes(tmp_path)


async def test_churn_does_not_grow_the_file(tmp_path):
    """Twenty thousand sessions that come and expire leave a file as large as after two thousand."""
    path, sizes = tmp_path / "a.db", []
    async with using(SQLiteStore(path, durability="normal")) as store:
        for generation in range(10):
            now = NOW + generation * 1000

            async def visit(now=now):
                for _ in range(20):
                    assert await store.create(new(expires_at=now + 10, payload=bytes(200)))

            async with anyio.create_task_group() as group:
                for _ in range(100):
                    group.start_soon(visit)
            while await store.sweep(now=now + 10, limit=500) == 500:
                pass
            await _tidied(store)
            sizes.append(sum(file.stat().st_size for file in tmp_path.iterdir()))
        assert await store._do(store._reading, _count) == 0
    assert max(sizes) <= sizes[0] * 1.25, sizes
    assert path.stat().st_size < 2_000_000


async def _tidied(store):
    """The writer tidies up before it takes the next job."""
    await store._do(store._writer, lambda _: None)


def _count(connection):
    return connection.execute("SELECT count(*) FROM sessions").get


async def test_space_is_given_back(tmp_path):
    """After a rush the file shrinks to what lives and a few spare pages, while it is in use."""
    path, row = tmp_path / "a.db", new()
    async with using(SQLiteStore(path, durability="normal")) as store:
        async with anyio.create_task_group() as group:
            for _ in range(500):
                group.start_soon(store.create, new(expires_at=NOW, payload=bytes(9000)))
        await store.create(row)
        size = sum(file.stat().st_size for file in tmp_path.iterdir())
        assert size > 4_500_000
        while await store.sweep(now=NOW, limit=100) == 100:
            pass
        end = time.monotonic() + 20
        while sum(file.stat().st_size for file in tmp_path.iterdir()) > 1_200_000:
            assert time.monotonic() < end
            await anyio.lowlevel.checkpoint()
        assert await store.load(row.id, now=NOW) == row


async def test_the_schema(tmp_path):
    """The table is STRICT, its key is the public id, expiry and owner have an index each."""
    async with using(SQLiteStore(tmp_path / "a.db")):
        pass
    connection = sqlite3.connect(tmp_path / "a.db")

    def ask(sql):
        return connection.execute(sql).fetchall()

    assert ask("SELECT strict FROM pragma_table_list('sessions')") == [(1,)]
    assert ask("SELECT name FROM pragma_table_info('sessions') WHERE pk") == [("id",)]
    indexes = (
        "SELECT l.name, i.name FROM pragma_index_list('sessions') l, pragma_index_info(l.name) i"
    )
    assert {
        ("sessions_by_expiry", "expires_at"),
        ("sessions_by_owner", "owner"),
        ("sqlite_autoindex_sessions_1", "id"),
    } == set(ask(indexes))
    assert ask("PRAGMA user_version") == [(1,)]
    connection.close()


async def test_the_queries_use_the_indexes(tmp_path):
    """Owners and expired rows are found by an index and not by a scan."""
    async with using(SQLiteStore(tmp_path / "a.db")):
        pass
    connection = sqlite3.connect(tmp_path / "a.db")
    for where in ("owner = 'x' AND expires_at > 1", "expires_at <= 1 ORDER BY expires_at"):
        plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT id FROM sessions WHERE {where}")  # noqa: S608
        assert "USING INDEX sessions_by_" in plan.fetchone()[3]
    connection.close()
