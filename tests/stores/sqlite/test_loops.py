"""Several event loops on one store, deadlines, and the writer's order."""

import gc
import threading

import anyio
import anyio.lowlevel
import anyio.to_thread
import apsw
import pytest

from sojourn import Outcome
from sojourn_sqlite import SQLiteStore, SQLiteStoreError, Trouble
from sojourn_sqlite._waiting import Job

from ._rows import NOW, new, using


def test_several_loops_share_a_store(tmp_path):
    """Loops of both kinds in several threads write through one store, and each gets its answers."""
    store, failed = SQLiteStore(tmp_path / "a.db", durability="normal", deadline=60), []

    async def visit():
        for _ in range(10):
            row = new()
            assert await store.create(row)
            assert await store.load(row.id, now=NOW) == row
            assert [r.id for r in await store.load_owner("nobody", now=NOW)] == []
            assert await store.delete(row.id)

    async def many():
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(visit)

    def run(backend):
        try:
            anyio.run(many, backend=backend)
        except BaseException as error:  # noqa: BLE001 - the main thread tells
            failed.append(error)

    threads = [threading.Thread(target=run, args=(b,)) for b in ("asyncio", "trio") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    anyio.run(store.aclose)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_writer_that_hangs_is_slow(tmp_path, anyio_backend):
    """A call ends at its deadline even if the disk does not answer; the loop and reads go on."""
    async with using(SQLiteStore(tmp_path / "a.db", deadline=60)) as store:
        row, begun, go_on = new(), threading.Event(), threading.Event()
        await store.create(row)
        store.deadline, refused = 0.2, []

        async def hang():
            try:
                await store._do(store._writer, lambda _: begun.set() or go_on.wait(10))
            except SQLiteStoreError as error:
                refused.append(error.trouble)

        async with anyio.create_task_group() as group:
            group.start_soon(hang)
            await anyio.to_thread.run_sync(begun.wait)
            with pytest.raises(SQLiteStoreError, match="within the deadline"):
                await store.delete(row.id)
            assert await store.load(row.id, now=NOW) == row
        assert refused == [Trouble.SLOW]
        store.deadline = 60
        go_on.set()
        # What nobody waits for any more is not begun.
        assert await store.touch(row.id, version=1, expires_at=NOW, now=NOW) is Outcome.APPLIED


def _traced(cursor, statements):
    """Note each statement that begins on this connection."""
    cursor.connection.exec_trace = lambda _cursor, sql, _bindings: not statements.append(sql)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_waiting_writes_share_a_transaction(tmp_path, anyio_backend):
    """A hundred writes that wait together take a few transactions and not a hundred."""
    begun = []
    async with using(SQLiteStore(tmp_path / "a.db")) as store:
        await store._do(store._writer, _traced, begun)
        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(store.create, new())
        assert sum(text.startswith("INSERT") for text in begun) == 100
        assert sum(text == "COMMIT" for text in begun) < 20


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_flood_is_written_in_parts(tmp_path, anyio_backend):
    """However many writes wait, each transaction takes fewer than a thousand of them."""
    done = []
    async with using(SQLiteStore(tmp_path / "a.db", durability="normal", deadline=60)) as store:
        await store._do(store._writer, _traced, done)
        async with anyio.create_task_group() as group:
            for _ in range(1200):
                group.start_soon(store.create, new())
        kinds = "".join(text[:1] for text in done if text.startswith(("INSERT", "COMMIT")))
        sizes = [len(part) for part in kinds.split("C")]
        assert sum(sizes) == 1200
        assert max(sizes) < 1000


def jobs():
    """How many somebody still holds."""
    return sum(type(each) is Job for each in gc.get_objects())


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_an_answered_write_is_forgotten(tmp_path, anyio_backend):
    """Soon after its answer a write is gone from memory, and no collector had to look for it."""
    gc.collect()
    of_others = jobs()
    async with using(SQLiteStore(tmp_path / "a.db")) as store:
        gc.disable()
        try:
            async with anyio.create_task_group() as group:
                for _ in range(3):
                    group.start_soon(store.create, new())
            with anyio.fail_after(10):
                while jobs() > of_others:
                    await anyio.lowlevel.checkpoint()
        finally:
            gc.enable()


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_write_that_nobody_waits_for_is_done(tmp_path, anyio_backend):
    """A write that began is carried out, even if its task is cancelled in the same turn."""
    async with using(SQLiteStore(tmp_path / "a.db")) as store:
        row, begun = new(), []

        async def write():
            begun.append(row)
            await store.create(row)

        async with anyio.create_task_group() as group:
            group.start_soon(write)
            while not begun:
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        # What is queued later is done later.
        assert not await store.create(row)
        assert await store.load(row.id, now=NOW) == row


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_system_without_threads(tmp_path, anyio_backend, monkeypatch):
    """If the system gives no thread, each who waits is told so, and later ones get theirs."""
    store, refused = SQLiteStore(tmp_path / "a.db"), []

    def start(self):
        raise RuntimeError("can't start new thread")

    async def write():
        with pytest.raises(SQLiteStoreError) as error:
            await store.create(new())
        refused.append(error.value.trouble)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(write)
    assert refused == [Trouble.BROKEN] * 3
    assert await store.create(new())
    await store.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_commit_that_fails_is_no_success(tmp_path, anyio_backend):
    """If the disk fails a statement, its batch is undone, and the others are done again."""
    async with using(SQLiteStore(tmp_path / "a.db")) as store:
        row, other, begun, go_on = new(), new(), threading.Event(), threading.Event()
        tries = []

        def break_once(cursor):
            cursor.execute("DELETE FROM sessions")
            tries.append(cursor.connection.in_transaction)
            raise apsw.exception_for(apsw.SQLITE_IOERR)

        await store.create(row)
        broken = []

        async def work():
            with pytest.raises(SQLiteStoreError) as refused:
                await store._do(store._writer, break_once)
            broken.append(refused.value.trouble)

        async with anyio.create_task_group() as group:
            group.start_soon(store._do, store._writer, lambda _: begun.set() or go_on.wait(10))
            await anyio.to_thread.run_sync(begun.wait)
            for waiting, (call, *arguments) in enumerate([(work,), (store.create, other)], 1):
                group.start_soon(call, *arguments)
                while store._writer._queue.qsize() < waiting:
                    await anyio.lowlevel.checkpoint()
            go_on.set()
        assert (broken, tries) == ([Trouble.BROKEN], [True, True])
        assert await store.load(row.id, now=NOW) == row
        assert await store.load(other.id, now=NOW) == other
