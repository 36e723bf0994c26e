"""What takes minutes: eight busy processes, a million sessions, a hundred kills."""

import multiprocessing
from functools import partial

import anyio
import pytest

from sojourn import SessionManager
from sojourn.testing import client_cookie
from sojourn_sqlite import SQLiteStore

from ._killed import kill_again_and_again
from ._rows import NOW, new, using

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("durability", ["full", "normal"])
def test_eight_processes_on_one_session(tmp_path, durability):
    """Eight processes with 1,000 commits each on one session: all 8,000 are in it, none failed."""
    path, context = tmp_path / "a.db", multiprocessing.get_context("spawn")
    header = anyio.run(_visitor, path)
    each = partial(_count_up, path, durability, header)
    processes = [context.Process(target=each) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(1000)
        process.kill()
    assert [process.exitcode for process in processes] == [0] * 8
    assert anyio.run(_counted, path, header) == 8000


async def _visitor(path):
    async with SessionManager(SQLiteStore(path), sweep_every=None) as manager:
        return await client_cookie(manager, {"n": 0})


async def _counted(path, header):
    async with SessionManager(SQLiteStore(path), sweep_every=None) as manager:
        return (await manager.load([header.encode()]))["n"]


def _count_up(path, durability, header):
    """1,000 requests, five at a time, that each add one."""

    async def visit(manager):
        for _ in range(200):
            session = await manager.load([header.encode()])
            session.modify("n", lambda n: n + 1)
            await manager.commit(session)

    async def work():
        store = SQLiteStore(path, durability=durability, deadline=60)
        async with (
            SessionManager(store, sweep_every=None, deadline=60) as manager,
            anyio.create_task_group() as group,
        ):
            for _ in range(5):
                group.start_soon(visit, manager)

    anyio.run(work)


def test_a_million_sessions_come_and_expire(tmp_path):
    """A file that a million sessions went through is no larger than after the first of them."""
    sizes = anyio.run(_churned, tmp_path)
    assert len(sizes) == 100
    assert max(sizes) <= sizes[0] * 1.25, sizes


async def _churned(folder):
    """The size of all files after each 10,000 sessions that came and expired."""
    sizes = []
    async with using(SQLiteStore(folder / "a.db", deadline=60)) as store:
        for generation in range(100):
            now = NOW + generation * 1000

            async def visit(now=now):
                for _ in range(20):
                    assert await store.create(new(expires_at=now + 10, payload=bytes(200)))

            async with anyio.create_task_group() as group:
                for _ in range(500):
                    group.start_soon(visit)
            while await store.sweep(now=now + 10, limit=500) == 500:
                pass
            await store.sweep(now=now + 10, limit=500)
            sizes.append(sum(file.stat().st_size for file in folder.iterdir()))
        count = "SELECT count(*) FROM sessions"
        assert await store._do(store._reading, lambda c: c.execute(count).get) == 0
    return sizes


def test_a_hundred_kills(tmp_path):
    """After each of a hundred kills -9 all that was acknowledged is there, logouts too."""
    kill_again_and_again(tmp_path / "a.db", times=100)
