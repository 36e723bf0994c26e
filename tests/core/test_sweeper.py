"""Promise 22: expired rows go, in small batches, whatever happens."""

from __future__ import annotations

import anyio
import pytest

from sojourn import SessionsSwept, StoreFailed, StoreUnavailableError
from sojourn._sweeper import BATCH

from ._rows import Bare, Rows
from ._site import Site

pytestmark = pytest.mark.anyio

SOON = 0.001


async def _expired(site: Site, count: int) -> None:
    for _ in range(count):
        await site.visitor(a=1)
    site.clock.now += 1801


async def test_sweep_removes_what_has_expired_and_nothing_else(site: Site) -> None:
    """Expired rows go, live ones stay, and the count is told."""
    await _expired(site, 3)
    live = await site.visitor(b=1)
    assert 3 == await site.manager.sweep()
    assert {"b": 1} == await live.sees()
    assert [SessionsSwept(count=3)] == site.events
    assert 0 == await site.manager.sweep()


@pytest.mark.parametrize("count", [0, BATCH - 1, BATCH, BATCH + 1, 2 * BATCH])
async def test_sweep_in_batches(count: int) -> None:
    """No store call gets more than a batch; a full one is followed by another."""
    site = Site(Rows())
    template = (await site.visitor(a=1)).site.row
    from msgspec.structs import replace

    rows = {f"{n:032x}": replace(template, id=f"{n:032x}") for n in range(count)}
    site.store.rows = rows
    site.clock.now += 1801
    site.store.calls.clear()
    assert count == await site.manager.sweep()
    assert ["sweep"] * (count // BATCH + 1) == site.store.calls
    assert [SessionsSwept(count=count)] == site.events


async def test_others_go_first_between_two_batches() -> None:
    """Between two batches every other task gets its turn."""
    site = Site(Rows())
    counts = iter([BATCH, BATCH, 0])
    turns: list[str] = []

    async def sweep(*, now: float, limit: int) -> int:
        turns.append("sweep")
        return next(counts)

    async def others() -> None:
        for _ in range(2):
            turns.append("other")
            await anyio.lowlevel.checkpoint()

    site.store.sweep = sweep
    async with anyio.create_task_group() as group:
        group.start_soon(others)
        assert 2 * BATCH == await site.manager.sweep()
    first, last = turns.index("sweep"), len(turns) - turns[::-1].index("sweep")
    assert "other" in turns[first:last]


async def test_sweep_of_a_store_that_is_down(site: Site) -> None:
    """A sweep by hand raises what the store raised, and tells it."""
    site.store.failing["sweep"] = StoreUnavailableError("down")
    with pytest.raises(StoreUnavailableError):
        await site.manager.sweep()
    assert [StoreFailed(operation="sweep", error="StoreUnavailableError")] == site.events


async def test_sweep_of_a_store_that_cannot(anyio_backend: str) -> None:
    """A store that does not sweep has nothing to remove, and gets no sweeper."""
    site = Site(Bare(), sweep_every=SOON)
    assert 0 == await site.manager.sweep()
    async with site.manager:
        assert site.manager._life._sweeper is None


async def test_the_sweeper_works_by_itself_and_ends_with_the_manager(store: Bare) -> None:
    """While the manager is open expired rows go; after it was closed nothing is asked any more."""
    swept = anyio.Event()

    def on_event(event) -> None:
        if isinstance(event, SessionsSwept) and event.count == 2:
            swept.set()

    site = Site(store, sweep_every=SOON, on_event=on_event)
    await _expired(site, 2)
    with anyio.fail_after(5):
        async with site.manager:
            await swept.wait()
    assert {} == store.rows
    assert "aclose" == store.calls[-1]
    store.calls.clear()
    await anyio.wait_all_tasks_blocked()
    assert [] == store.calls


@pytest.mark.parametrize("error", [StoreUnavailableError("down"), OSError("x"), ValueError("bug")])
async def test_the_sweeper_survives_every_error(store: Bare, error: Exception) -> None:
    """Whatever a store raises is told by its type's name, and the next round comes."""
    failed, swept = anyio.Event(), anyio.Event()
    told: list[StoreFailed] = []

    def on_event(event) -> None:
        if isinstance(event, StoreFailed):
            told.append(event)
            store.failing.clear()
            failed.set()
        if isinstance(event, SessionsSwept) and failed.is_set():
            swept.set()

    site = Site(store, sweep_every=SOON, on_event=on_event)
    store.failing["sweep"] = error
    with anyio.fail_after(5):
        async with site.manager:
            await swept.wait()
    name = "ValueError" if isinstance(error, ValueError) else "StoreUnavailableError"
    assert [StoreFailed(operation="sweep", error=name)] == told


async def test_closing_does_not_wait_for_a_sweep_that_hangs(store: Bare) -> None:
    """A sweep in the middle of a call is cancelled; the store is closed after it has ended."""
    begun = anyio.Event()

    async def hang() -> None:
        begun.set()
        await anyio.sleep_forever()

    site = Site(store, sweep_every=SOON, deadline=60)
    store.meanwhile["sweep"] = hang
    with anyio.fail_after(5):
        async with site.manager:
            await begun.wait()
    assert ["sweep", "aclose"] == store.calls[-2:]


async def test_the_manager_may_be_closed_by_another_task(store: Bare) -> None:
    """Frameworks start and stop an application in different tasks; the sweeper does not mind."""
    site = Site(store, sweep_every=SOON)
    manager = site.manager
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(manager.__aenter__)
        assert manager.is_open
        async with anyio.create_task_group() as group:
            group.start_soon(manager.__aexit__, None, None, None)
    assert not manager.is_open


async def test_one_sweeper_however_often_it_is_entered(store: Bare) -> None:
    """Entering again starts no second sweeper; leaving once of twice stops none."""
    site = Site(store, sweep_every=60)
    async with site.manager:
        sweeper = site.manager._life._sweeper
        async with site.manager:
            assert sweeper is site.manager._life._sweeper
        assert sweeper is site.manager._life._sweeper
    assert site.manager._life._sweeper is None


async def test_no_sweeper(store: Bare) -> None:
    """``sweep_every=None`` leaves sweeping to whoever calls ``manager.sweep()``."""
    site = Site(store, sweep_every=None)
    async with site.manager:
        assert site.manager._life._sweeper is None
