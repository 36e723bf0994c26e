"""The disk or a lock holds up the writer: the loop turns, and reads go on."""

import threading
import time
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from sojourn import Outcome
from sojourn_sqlite import SQLiteStore, _writer

from ._disk import watched
from ._rows import NOW, new, using

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Both kinds of loop."""
    return request.param


async def test_a_lock_of_seconds(tmp_path, lock, anyio_backend):
    """While another process holds up the writer for five seconds, the loop turns and reads go on.

    A turn is two reads and a change of tasks, and a thousand is a small part of what a busy machine
    does in that time. A loop that waited for the writer would do a few.
    """
    seconds = 5 if anyio_backend == "asyncio" else 1
    async with using(SQLiteStore(tmp_path / "a.db", deadline=60)) as store:
        row, written, turns = new(), [], 0
        await store.create(row)

        async def write():
            written.append(await store.create(new()))

        unlock = lock()
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(write)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                assert store.load_nowait(row.id, now=NOW) == row
                assert await store.load(row.id, now=NOW) == row
                await anyio.lowlevel.checkpoint()
                turns += 1
            assert (written, turns >= 200 * seconds) == ([], True)
            unlock()
        assert written == [True] * 20


@asynccontextmanager
async def _hanging(disk, kind, name):
    """The next such call of the writer hangs until the block ends, which starts when it does."""
    begun, go_on = threading.Event(), threading.Event()

    def watch(call):
        if (call.kind, call.name) == (kind, name):
            begun.set()
            go_on.wait(30)
        return False

    disk.watch = watch
    try:
        yield begun
    finally:
        disk.watch = lambda _: False
        go_on.set()


async def test_a_checkpoint_that_hangs(tmp_path, monkeypatch):
    """The write before a checkpoint is answered, and reads go on, while the disk is syncing."""
    monkeypatch.setattr(_writer, "_CHECKPOINT_AFTER", 5)  # two rows, of three pages each
    with watched() as disk:
        async with using(SQLiteStore(tmp_path / "a.db", deadline=60)) as store:
            row, later = new(), []

            async def write():
                later.append(await store.create(new()))

            async with (
                anyio.create_task_group() as group,
                _hanging(disk, "sync", "a.db") as begun,
            ):
                assert await store.create(new())
                assert await store.create(row)
                await anyio.to_thread.run_sync(begun.wait)
                group.start_soon(write)
                for _ in range(100):
                    assert store.load_nowait(row.id, now=NOW) == row
                    assert await store.load(row.id, now=NOW) == row
                    assert await store.load_owner("nobody", now=NOW) == []
                assert later == []
            assert later == [True]


async def test_a_commit_that_hangs(tmp_path):
    """A write is not answered, and not seen, before the disk has synced it; reads do not wait."""
    with watched() as disk:
        async with using(SQLiteStore(tmp_path / "a.db", deadline=60)) as store:
            row, done = new(), []
            assert await store.create(row)

            async def logout():
                done.append(await store.delete(row.id))

            async with (
                anyio.create_task_group() as group,
                _hanging(disk, "sync", "a.db-wal") as begun,
            ):
                group.start_soon(logout)
                await anyio.to_thread.run_sync(begun.wait)
                for _ in range(100):
                    assert store.load_nowait(row.id, now=NOW) == row
                    await anyio.lowlevel.checkpoint()
                assert done == []
            assert done == [True]
            assert store.load_nowait(row.id, now=NOW) is None
            touched = await store.touch(row.id, version=1, expires_at=NOW + 9, now=NOW)
            assert touched is Outcome.GONE
