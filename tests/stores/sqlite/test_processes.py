"""Several processes on one file, and processes that end in the middle."""

import multiprocessing
import os
import threading
from functools import partial
from pathlib import Path

import anyio
import pytest

from sojourn import Outcome, SessionManager
from sojourn.testing import check_appends, check_rows, client_cookie
from sojourn_sqlite import SQLiteStore

from ._killed import kill_again_and_again
from ._rows import NOW, new, using


def test_no_commit_is_lost(tmp_path):
    """Four processes with 250 commits each on one session: all 1,000 are in it, and none failed."""
    made = partial(SQLiteStore, tmp_path / "a.db", durability="normal", deadline=30)
    header = anyio.run(_visitor, made)
    assert check_appends(made, header, processes=4, tasks=5, calls=50) == 1000


async def _visitor(made):
    async with SessionManager(made(), sweep_every=None) as manager:
        return await client_cookie(manager, {"n": 1})


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_rows_are_linear(tmp_path, backend):
    """What tasks of several processes saw of two rows has an order that explains it."""
    made = partial(SQLiteStore, tmp_path / "a.db", deadline=30)
    assert check_rows(made, processes=2, tasks=4, calls=25, backend=backend) == 200


def test_rows_are_linear_with_faults(tmp_path):
    """The same while calls, or their answers, get lost."""
    made = partial(SQLiteStore, tmp_path / "a.db")
    assert check_rows(made, processes=2, tasks=5, calls=20, faults=0.1) > 50


def test_processes_that_start_together(tmp_path):
    """All of several processes can open a file that does not exist yet."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(4)
    processes = [
        context.Process(target=_open_and_write, args=(tmp_path / "a.db", barrier)) for _ in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
        process.kill()
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]


def _open_and_write(path, barrier):
    async def work():
        for number in range(3):
            barrier.wait(20)
            async with using(SQLiteStore(f"{path}{number}", deadline=30)) as store:
                row = new()
                assert await store.create(row)
                assert await store.load(row.id, now=NOW) == row

    anyio.run(work)


def test_a_killed_process_loses_nothing_acknowledged(tmp_path):
    """After kill -9 at any moment all that was acknowledged is there, logouts too."""
    kill_again_and_again(tmp_path / "a.db", times=5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_in_the_middle(tmp_path):
    """A store in use crosses forks: child and parent both go on writing, and nothing is lost."""
    store = SQLiteStore(tmp_path / "a.db", durability="normal", deadline=30)
    first = new(payload=b"0")
    anyio.run(store.create, first)
    stop, failed = threading.Event(), []

    def keep_writing():
        try:
            while not stop.is_set():
                anyio.run(store.create, new())
                store.load_nowait(first.id, now=NOW)
        except Exception as error:  # noqa: BLE001 - the main thread tells
            failed.append(error)

    threads = [threading.Thread(target=keep_writing) for _ in range(2)]
    for thread in threads:
        thread.start()
    children = [_forked(store, first.id) for _ in range(8)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    stop.set()
    for thread in threads:
        thread.join(20)
    assert (codes, failed) == ([0] * 8, [])
    row = store.load_nowait(first.id, now=NOW)
    assert row
    assert (row.version, row.payload) == (1 + 8 * 5, b"0")
    anyio.run(store.aclose)
    assert [file.name for file in Path(tmp_path).iterdir()] == ["a.db"]


def _forked(store, id):
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        anyio.run(_touch, store, id)
        code = 0
    finally:
        os._exit(code)


async def _touch(store, id):
    done = 0
    while done < 5:
        version = store.load_nowait(id, now=NOW).version
        outcome = await store.touch(id, version=version, expires_at=NOW + 101, now=NOW)
        done += outcome is Outcome.APPLIED
    await store.aclose()
