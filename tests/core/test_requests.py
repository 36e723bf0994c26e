"""One request from outside: loading, the response, websockets, and ``reload``."""

from __future__ import annotations

from typing import Any

import anyio
import msgspec
import pytest

from sojourn import (
    CommitDiscarded,
    CommitResult,
    Discard,
    Record,
    SessionNotLoadedError,
    SessionSealedError,
    StoreFailed,
    StoreUnavailableError,
)

from ._rows import Bare, NowaitRows, Rows
from ._site import Site, names_of, set_cookie_of

pytestmark = pytest.mark.anyio


class Visit(msgspec.Struct):
    n: int = 0


# One request


async def test_lazy_handles_are_never_pending() -> None:
    """A store that loads without waiting is loaded at the first look, without an await."""
    site = Site(NowaitRows())
    browser = await site.visitor(a=1)
    session = site.manager.open(browser.headers)
    assert not session.pending
    assert 1 == session["a"]


async def test_awaited_handles_are_pending_until_loaded() -> None:
    """A store that is awaited has to be loaded first, if a cookie came that could be ours."""
    site = Site(Rows())
    browser = await site.visitor(a=1)
    session = site.manager.open(browser.headers)
    assert session.pending
    with pytest.raises(SessionNotLoadedError, match="await"):
        session.get("a")
    await session.load()
    await session.load()
    assert not session.pending
    assert 1 == session["a"]
    assert ["load"] == site.store.calls
    assert not site.manager.open([]).pending


async def test_two_tasks_that_load_at_the_same_time(store: Bare) -> None:
    """The slower of two loads of one handle does not undo what was changed after the faster."""
    site = Site(store)
    browser = await site.visitor(a=1)
    session = site.manager.open(browser.headers)
    slow = anyio.Event()

    async def load() -> None:
        await session.load()
        slow.set()

    async with anyio.create_task_group() as group:
        store.meanwhile["load"] = slow.wait
        group.start_soon(load)
        await anyio.wait_all_tasks_blocked()
        await session.load()
        session["a"] = 2
        slow.set()
    assert 2 == session["a"]
    await browser.commit(session)
    assert {"a": 2} == await browser.sees()


async def test_a_response_without_cache_control(store: Bare) -> None:
    """``cache_control`` is sent beside a cookie as it is configured, or not at all."""
    for value, names in (("private", ["Cache-Control"]), (None, [])):
        site = Site(store, cache_control=value)
        browser = await site.visitor(a=1)
        assert ["Set-Cookie", "Vary", *names] == names_of(browser.result)
        assert value in (*dict(browser.result.headers).values(), None)


def test_a_result_shows_header_names_only() -> None:
    """The repr of a result is fit for a log."""
    assert "<CommitResult with no headers>" == repr(CommitResult())
    assert "<CommitResult with Vary>" == repr(CommitResult((("Vary", "Cookie"),)))


async def test_websocket_stays_open_after_the_handshake(site: Site) -> None:
    """``seal=False`` sends the headers; afterwards commits go to the store only."""
    browser = site.browser()
    session = await browser.load()
    session["a"] = 1
    assert set_cookie_of(await browser.commit(session, seal=False)) is not None
    session["a"] = 2
    await session.commit()
    assert {"a": 2} == await browser.sees()
    session["a"] = 3
    result = await site.manager.commit(session, can_set_cookie=False)
    assert {"a": 3} == await browser.sees()
    assert result is await site.manager.commit(session)
    with pytest.raises(SessionSealedError):
        session["a"] = 4


async def test_websocket_that_nobody_looked_at(site: Site) -> None:
    """An untouched handshake sends nothing, and the handle can still be used for a session."""
    browser = await site.visitor(a=1)
    session = await browser.load()
    assert () == (await browser.commit(session, seal=False)).headers
    session["a"] = 2
    await session.commit()
    assert {"a": 2} == await browser.sees()
    session.rotate()
    with pytest.raises(SessionSealedError, match="Set-Cookie"):
        await session.commit()


async def test_an_untouched_handle_is_sealed_as_well(site: Site) -> None:
    """After the response a handle that nobody looked at refuses changes."""
    browser = await site.visitor(a=1)
    session = await browser.load()
    await browser.commit(session)
    with pytest.raises(SessionSealedError):
        session["a"] = 2


# Reload


async def test_reload_shows_what_others_did_and_keeps_own_changes(site: Site) -> None:
    """The newest state with one's own uncommitted changes on it."""
    browser = await site.visitor(a=1, b=1, list=[1])
    session = await browser.load()
    assert [1] == session["list"]
    session["a"] = 2
    session["own"] = [1]
    async with browser.copy().visit() as other:
        other["a"], other["b"], other["list"] = 3, 3, [2]
    await session.reload()
    assert {"a": 2, "b": 3, "list": [2], "own": [1]} == dict(session)
    session["own"].append(2)
    await browser.commit(session)
    assert {"a": 2, "b": 3, "list": [2], "own": [1, 2]} == await browser.sees()


async def test_reload_loads_what_was_not_loaded(site: Site) -> None:
    """A handle that nobody has used is loaded by it."""
    browser = await site.visitor(a=1)
    session = site.manager.open(browser.headers)
    await session.reload()
    assert {"a": 1} == dict(session)


async def test_reload_is_not_older_than_a_commit(site: Site) -> None:
    """What another task of the request commits while this one reloads is seen afterwards."""
    browser = await site.visitor(a=0)
    session = await browser.load()
    rows = dict(site.store.rows)

    async def load(id: str, *, now: float) -> Record | None:
        session["a"] = 1
        vars(store).pop("load")
        await session.commit()
        return rows[id]

    store: Any = site.store
    store.load = load
    await session.reload()
    assert 1 == session["a"]
    assert {"a": 1} == await browser.sees()


async def test_reload_of_a_new_session_keeps_it(site: Site) -> None:
    """There is nothing to load for a new visitor."""
    session = await site.manager.load([])
    session["a"] = 1
    await session.reload()
    assert {"a": 1} == dict(session)
    assert [] == site.store.calls


@pytest.mark.parametrize("is_changed", [True, False])
async def test_reload_of_what_has_ended(site: Site, is_changed: bool) -> None:
    """A session that ended is new and empty; changes that go with it are told."""
    browser = await site.visitor(a=1)
    session = await browser.load()
    id = session.id
    if is_changed:
        session["a"] = 2
    await site.manager.revoke(id or "")
    await session.reload()
    assert session.is_new
    assert {} == dict(session)
    told = [CommitDiscarded(reason=Discard.GONE, id=id)] if is_changed else []
    assert told == site.told(CommitDiscarded)


async def test_reload_with_a_store_that_is_down(site: Site) -> None:
    """It raises, the operator hears of it, and the changes stay."""
    browser = await site.visitor(a=1)
    session = await browser.load()
    session["a"] = 2
    site.store.failing["load"] = StoreUnavailableError("down")
    with pytest.raises(StoreUnavailableError):
        await session.reload()
    assert [StoreFailed(operation="load", error="StoreUnavailableError")] == site.events
    site.store.failing.clear()
    await browser.commit(session)
    assert {"a": 2} == await browser.sees()


async def test_reload_refreshes_the_model(store: Bare) -> None:
    """The typed view is the same object, with the newest values."""
    site = Site(store, model=Visit)
    browser = await site.visitor(n=1)
    session = await browser.load()
    data = session.data
    async with browser.copy().visit() as other:
        other.data.n = 5
    await session.reload()
    assert data is session.data
    assert 5 == data.n
