"""Real concurrency: tasks in several processes on a few rows, and the check of what they saw."""

from __future__ import annotations

import multiprocessing
import random
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import anyio
from msgspec import Struct
from msgspec.structs import replace

from sojourn import Outcome, Record, SessionManager, Store, StoreError

from ._browser import Browser
from ._history import HistoryStore, Operation
from ._linear import check_history
from ._promises import BrokenPromiseError
from ._store_fixtures import new_record, opened
from ._wrappers import FailingStore

MakeStore = Callable[[], Store]
"""Makes a store over the shared rows; a class or a ``functools.partial``: it gets pickled."""

NOW = 4_000_000_000.0
"""Seconds; far off, so that no row expires and no server collects one."""


class Load(Struct, frozen=True):
    """How much work: each of ``processes`` has ``tasks`` that make ``calls`` each on ``ids``.

    ``faults``: the share of calls that never arrive, and of those whose answer is lost.
    """

    ids: tuple[str, ...]
    processes: int = 2
    tasks: int = 5
    calls: int = 20
    seed: int = 0
    faults: float = 0.0
    backend: str = "asyncio"


class Job(Struct, frozen=True):
    """What each process does."""

    worker: Callable[[MakeStore, Load, int], Any]
    make_store: MakeStore
    load: Load


def check_rows(make_store: MakeStore, *, rows: int = 2, **load: Any) -> int:
    """Let processes work on the same rows, and check the history; says how many calls there were.

    Raises BrokenPromiseError with the shortest impossible beginning of one row's history.
    """
    ids = tuple(secrets.token_hex(16) for _ in range(rows))
    operations = _in_processes(Job(_rows_worker, make_store, Load(ids, **load)))
    check_history(operations)
    return len(operations)


def check_appends(make_store: MakeStore, header: str, **load: Any) -> int:
    """Let requests in several processes each append a token to one session, and look for lost ones.

    ``header``: the Cookie header of a session in that store, from ``client_cookie``. A request that
    failed may have appended its token or not. Says how many were acknowledged.
    """
    sent = _in_processes(Job(_append_worker, make_store, Load((header,), **load)))
    found: list[str] = anyio.run(_tokens, make_store, header)
    acknowledged = {token for token, is_sure in sent if is_sure}
    lost = acknowledged - set(found)
    invented = set(found) - {token for token, _ in sent}
    if lost or invented or len(found) != len(set(found)):
        raise BrokenPromiseError(
            f"no acknowledged change is lost, none comes twice (6, 7): {len(lost)} of "
            f"{len(acknowledged)} lost, {len(found) - len(set(found))} twice",
            remedy="Let replace compare the version and write in one step, on every connection.",
        )
    return len(acknowledged)


# Processes


def _in_processes(job: Job) -> list[Any]:
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(job.load.processes), context.Queue()
    processes = [
        context.Process(target=_run, args=(job, number, barrier, results))
        for number in range(job.load.processes)
    ]
    for process in processes:
        process.start()
    try:
        answers = [results.get(timeout=60) for _ in processes]
    finally:
        for process in processes:
            process.join(timeout=10)
            process.kill()
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [item for answer in answers for item in answer]


def _run(job: Job, number: int, barrier: Any, results: Any) -> None:
    try:
        barrier.wait(timeout=30)
        work = partial(job.worker, job.make_store, job.load, number)
        results.put(anyio.run(work, backend=job.load.backend))
    except BaseException as error:  # noqa: BLE001 - the parent raises it
        results.put(error)


def _faulty(store: Store, load: Load, process: int) -> Store:
    """The store, with calls that fail by chance, before or after they took effect."""
    if not load.faults:
        return store
    chance = random.Random(f"{load.seed} {process}")  # noqa: S311 - reproducible

    def fails(number: int, name: str) -> bool:  # noqa: ARG001 - any call may
        return name not in ("aopen", "aclose") and chance.random() < load.faults

    return FailingStore(FailingStore(store, fails), fails, after=True)


# Rows


async def _rows_worker(make_store: MakeStore, load: Load, number: int) -> list[Operation]:
    store = _faulty(make_store(), load, number)
    await opened(store)
    history = HistoryStore(store)
    async with anyio.create_task_group() as group:
        for task in range(load.tasks):
            chance = random.Random(f"{load.seed} {number} {task}")  # noqa: S311 - reproducible
            group.start_soon(visit_rows, history, load.ids, load.calls, chance)
    await store.aclose()
    return history.operations


async def visit_rows(store: Store, ids: Sequence[str], calls: int, chance: random.Random) -> None:
    """Make this many calls on these rows, mostly guarded writes of what was just loaded."""
    known: Record | None = None
    for _ in range(calls):
        id = chance.choice(ids)
        name = chance.choices(["load", "write", "touch", "create", "delete"], [3, 5, 2, 2, 1])[0]
        try:
            if name == "load" or (known is None and name in ("write", "touch")):
                known = await store.load(id, now=NOW)
            elif name == "create":
                await store.create(_fresh(id, chance))
            elif name == "delete":
                await store.delete(id)
            elif known is not None and await _write(store, name, known, chance):
                known = None
        except StoreError:
            known = None


async def _write(store: Store, name: str, known: Record, chance: random.Random) -> bool:
    """Replace or touch the row as it was last seen; True: look again."""
    version = known.version
    if name == "touch":
        until = known.expires_at + 1
        done = await store.touch(known.id, version=version, expires_at=until, now=NOW)
    else:
        newer = replace(known, version=version + 1, payload=chance.randbytes(8))
        done = await store.replace(newer, version=version, now=NOW)
    return done is not Outcome.GONE


def _fresh(id: str, chance: random.Random) -> Record:
    return new_record(NOW, id=id, payload=chance.randbytes(8), expires_at=NOW + 10**6)


# Appends


def _appended(token: str, found: list[str]) -> list[str]:
    return [*found, token]


async def _append_worker(make_store: MakeStore, load: Load, number: int) -> list[tuple[str, bool]]:
    store = _faulty(make_store(), load, number)
    manager: SessionManager[Any] = SessionManager(store, sweep_every=None, deadline=20)
    sent: list[tuple[str, bool]] = []

    async def append(task: int) -> None:
        for call in range(load.calls):
            token = f"{number}.{task}.{call}"
            try:
                async with Browser(manager, load.ids[0]).request() as session:
                    session.modify("tokens", partial(_appended, token), [])
            except StoreError:
                sent.append((token, False))
            else:
                sent.append((token, True))

    async with manager, anyio.create_task_group() as group:
        for task in range(load.tasks):
            group.start_soon(append, task)
    return sent


async def _tokens(make_store: MakeStore, header: str) -> list[str]:
    manager: SessionManager[Any] = SessionManager(make_store(), sweep_every=None)
    async with manager, Browser(manager, header).request() as session:
        found: list[str] = session.get("tokens", [])
        return found
