"""Promises 6 to 12 and 35: nothing lost, nothing undone."""

from __future__ import annotations

import anyio
import pytest

from sojourn import (
    CommitDiscarded,
    ConflictError,
    Discard,
    SessionSealedError,
    StoreUnavailableError,
)

from ._site import Site, names_of, set_cookie_of

pytestmark = pytest.mark.anyio


async def test_promise_06_different_keys_both_stay(site: Site) -> None:
    """Two requests that change different keys both succeed."""
    browser = await site.visitor(a=0)
    one, two = await browser.load(), await browser.copy(site.other()).load()
    one["b"], two["c"] = 1, 2
    await site.manager.commit(one)
    await site.manager.commit(two)
    assert {"a": 0, "b": 1, "c": 2} == await browser.sees()


async def test_promise_07_modify_counts_exactly(site: Site) -> None:
    """Twenty writers on one session lose no count, and nobody sees a conflict."""
    browser = await site.visitor(n=0)
    site.store.pause = anyio.lowlevel.checkpoint

    async def count() -> None:
        async with browser.copy().visit() as session:
            session.modify("n", lambda n: n + 1)

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(count)
    assert 20 == (await browser.sees())["n"]


async def test_a_default_that_the_function_changes_is_fresh_each_time(site: Site) -> None:
    """A mutable default of modify is not shared between the runs of its function."""
    browser = await site.visitor(a=0)
    async with browser.visit() as session:
        session.modify("list", lambda value: [value.append(1), value][1], [])
    assert [1] == (await browser.sees())["list"]


@pytest.mark.parametrize("change", ["set", "touch", "rotate"])
async def test_promise_08_deletion_wins(site: Site, change: str) -> None:
    """No late write, touch or rotation brings a destroyed session back or touches the cookie."""
    browser = await site.visitor(a=0)
    late = await browser.load()
    assert "a" in late
    async with browser.copy().visit() as session:
        session.destroy()
    site.clock.now += 300
    arguments = ("a", 1) if change == "set" else ()
    getattr(late, change)(*arguments)
    result = await site.manager.commit(late)
    assert ["Vary"] == names_of(result)
    assert Discard.GONE is result.discarded
    assert {} == site.store.rows


async def test_a_commit_after_a_login_writes_nothing(site: Site) -> None:
    """A request from before a login changes nothing after it, and says so."""
    browser = await site.visitor(a=0)
    late = await browser.load()
    late["a"] = 1
    async with browser.visit() as session:
        session.bind("ann")
    result = await site.manager.commit(late)
    assert Discard.SUPERSEDED is result.discarded
    assert set_cookie_of(result) is None
    assert [CommitDiscarded(reason=Discard.SUPERSEDED, id=site.row.id)] == (
        site.told(CommitDiscarded)
    )
    assert {"a": 0} == await browser.sees()


async def test_conflicts_end_at_the_deadline(site: Site) -> None:
    """A session that never stops changing raises ConflictError once the deadline has passed."""
    busy = site.other(deadline=1e-9)
    browser = (await site.visitor(a=0)).copy(busy)

    async def another() -> None:
        async with browser.copy(site).visit() as other:
            other["b"] = (other.get("b") or 0) + 1

    session = await browser.load() if hasattr(site.store, "load_nowait") else None
    if session is None:
        pytest.skip("a store that is awaited cannot answer within such a deadline")
    session["a"] = 1
    site.store.meanwhile["replace"] = another
    with pytest.raises(ConflictError, match="1 attempts"):
        await busy.manager.commit(session)


async def test_promise_11_sealed_after_the_response(site: Site) -> None:
    """After the response a change raises SessionSealedError, and reading goes on."""
    browser = await site.visitor(a=0)
    async with browser.visit() as session:
        pass
    assert 0 == session["a"]
    with pytest.raises(SessionSealedError):
        session["a"] = 1


async def test_promise_12_commit_is_idempotent_and_remembers_its_failure(site: Site) -> None:
    """A second commit gives the same result; after a failure, headers of an error page."""
    session = await site.manager.load([])
    session["a"] = 1
    assert await site.manager.commit(session) is await site.manager.commit(session)
    failed = await site.manager.load([])
    failed["a"] = 1
    site.store.failing["create"] = StoreUnavailableError("down")
    with pytest.raises(StoreUnavailableError):
        await site.manager.commit(failed)
    assert ["Vary"] == names_of(await site.manager.commit(failed, status=503))


class Slow:
    """Holds a store's call until it is told to go on."""

    def __init__(self, site: Site, call: str) -> None:
        self.begun, self.release = anyio.Event(), anyio.Event()
        site.store.meanwhile[call] = self._wait

    async def _wait(self) -> None:
        self.begun.set()
        await self.release.wait()


async def test_promise_07_parallel_commits_of_one_request_write_once(site: Site) -> None:
    """Tasks of one request that commit at the same time take turns: nothing is written twice."""
    browser = await site.visitor(n=0)
    session = await browser.load()
    session.modify("n", lambda n: n + 1)
    slow = Slow(site, "replace")
    async with anyio.create_task_group() as group:
        group.start_soon(session.commit)
        await slow.begun.wait()
        group.start_soon(browser.commit, session)
        await anyio.wait_all_tasks_blocked()
        slow.release.set()
    assert ["load", "replace"] == site.store.calls
    assert {"n": 1} == await browser.sees()


@pytest.mark.parametrize("is_contested", [False, True])
async def test_promise_06_a_change_during_a_commit_stays(site: Site, is_contested: bool) -> None:
    """What one task of a request changes while another one commits is the next commit's."""
    browser = await site.visitor(a=0, nested=[0], gone=0)
    site.store.calls.clear()
    session = await browser.load()
    nested, session["a"] = session["nested"], 1
    slow = Slow(site, "replace")
    async with anyio.create_task_group() as group:
        group.start_soon(session.commit)
        await slow.begun.wait()
        session["b"] = 2
        nested.append(1)
        del session["gone"]
        if is_contested:
            async with browser.copy(site.other()).visit() as other:
                other["c"] = 3
        slow.release.set()
    assert {"a": 1, "b": 2, "nested": [0, 1]} | ({"c": 3} if is_contested else {}) == dict(session)
    await session.commit()
    assert dict(session) == await browser.sees()


async def test_promise_36_a_flash_value_kept_during_a_commit_stays(site: Site) -> None:
    """``keep`` while the reading is being written puts the value back with the next commit."""
    browser = site.browser()
    async with browser.visit() as session:
        session.flash("note", "x")
    session = await browser.load()
    assert "x" == session["note"]
    slow = Slow(site, "replace")
    async with anyio.create_task_group() as group:
        group.start_soon(session.commit)
        await slow.begun.wait()
        session.keep("note")
        slow.release.set()
    await session.commit()
    assert "x" == (await browser.load())["note"]


async def test_promise_11_a_change_during_the_last_commit_is_refused(site: Site) -> None:
    """A change that comes while the response's commit runs raises instead of being lost."""
    browser = await site.visitor(a=0)
    session = await browser.load()
    session["a"] = 1
    slow = Slow(site, "replace")
    async with anyio.create_task_group() as group:
        group.start_soon(browser.commit, session)
        await slow.begun.wait()
        with pytest.raises(SessionSealedError):
            session["b"] = 2
        slow.release.set()
    assert {"a": 1} == await browser.sees()


async def test_promise_10_a_cancelled_commit_gives_its_turn_away(site: Site) -> None:
    """When the commit of one task is cancelled, that of another one writes the patch."""
    browser = await site.visitor(a=0)
    session = await browser.load()
    session["a"] = 1
    slow = Slow(site, "replace")
    async with anyio.create_task_group() as group, anyio.create_task_group() as cancelled:
        cancelled.start_soon(session.commit)
        await slow.begun.wait()
        group.start_soon(browser.commit, session)
        await anyio.wait_all_tasks_blocked()
        cancelled.cancel_scope.cancel()
    assert {"a": 1} == await browser.sees()


async def test_promise_35_a_5xx_discards_but_for_what_was_committed(site: Site) -> None:
    """A failed response drops the changes since the last explicit commit, and keeps its cookie."""
    browser = site.browser()
    session = await browser.load()
    session["a"] = 1
    await session.commit()
    session["a"] = 2
    result = await browser.commit(session, status=500)
    assert Discard.FAILED_RESPONSE is result.discarded
    assert {"a": 1} == await browser.sees()
