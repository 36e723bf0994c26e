"""The manager: what it is made from, its life, and the handle's own awaits."""

from __future__ import annotations

import anyio
import msgspec
import pytest

from sojourn import (
    CommitDiscarded,
    CommitResult,
    ConfigurationError,
    CookieOptions,
    Discard,
    ManagerOptions,
    Opened,
    SessionManager,
    SessionNotLoadedError,
    SessionSealedError,
    StoreFailed,
    StoreUnavailableError,
    Timeouts,
    manager_of,
)

from ._rows import Bare, NowaitRows, Rows
from ._site import Site, names_of, set_cookie_of

pytestmark = pytest.mark.anyio


class Visit(msgspec.Struct):
    n: int = 0


class NoRows:
    """A backend that keeps nothing anywhere."""

    lazy = True

    def parse(self, value: bytes) -> None:
        """See ``Backend``; so are the others."""

    def spell(self, ticket) -> str:
        """See ``Backend``."""
        raise AssertionError

    async def load(self, ticket, *, now: float) -> Opened:
        """See ``Backend``."""
        raise AssertionError

    def load_nowait(self, ticket, *, now: float) -> Opened:
        """See ``Backend``."""
        raise AssertionError

    async def write(self, plan, *, now: float):
        """See ``Backend``."""
        raise AssertionError

    async def aopen(self) -> None:
        """See ``Backend``."""

    async def aclose(self) -> None:
        """See ``Backend``."""


class OneProcess(NowaitRows):
    one_process = True


# What it is made from


@pytest.mark.parametrize("store", [None, 7, object(), dict, b"memory://"])
def test_what_is_no_store_is_refused(store) -> None:
    """A manager takes a URL, a store or a backend, and names what it got instead."""
    with pytest.raises(ConfigurationError, match="give a URL"):
        SessionManager(store)


def test_a_backend_is_taken_as_it_is() -> None:
    """A backend serves as one; the manager's repr names its type and nothing else."""
    assert "<SessionManager of NoRows>" == repr(SessionManager(NoRows()))


def test_a_url_opens_through_its_entry_point() -> None:
    """A URL gives the store that is installed under its scheme."""
    assert "<SessionManager of ServerSide>" == repr(SessionManager("memory://"))


@pytest.mark.parametrize(
    "options",
    [
        {"timeouts": Timeouts(idle=None, absolute=400 * 86400 + 1)},
        {"timeouts": Timeouts(idle=401 * 86400, absolute=None)},
    ],
)
def test_a_session_that_outlives_its_cookie_is_refused(options: ManagerOptions) -> None:
    """More than 400 days is more than a browser keeps, unless the cookie is no persistent one."""
    with pytest.raises(ConfigurationError, match="400 days"):
        SessionManager(Rows(), **options)
    SessionManager(Rows(), cookie=CookieOptions(persistent=False), **options)


@pytest.mark.parametrize("call", ["sessions_of", "revoke", "revoke_owner", "sweep"])
async def test_a_backend_without_rows_says_so(call: str) -> None:
    """What needs rows names the method, the backend and the remedy."""
    manager = SessionManager(NoRows())
    arguments = () if call == "sweep" else ("x",)
    with pytest.raises(ConfigurationError, match=rf"manager\.{call}: NoRows keeps .* use a store"):
        await getattr(manager, call)(*arguments)


def test_edit_of_a_backend_without_rows_says_so() -> None:
    """``edit`` raises where it is called, not where it is entered."""
    with pytest.raises(ConfigurationError, match=r"manager\.edit: NoRows"):
        SessionManager(NoRows()).edit("x")


def test_manager_of_a_manager_is_that_manager() -> None:
    """Wherever a manager goes, itself goes."""
    manager = SessionManager(Rows())
    assert manager_of(manager) is manager


@pytest.mark.parametrize("store", ["memory://", Rows(), NoRows()])
def test_manager_of_a_store_is_a_new_one(store) -> None:
    """A URL, a store or a backend with the manager's keywords makes a manager."""
    made = manager_of(store, cookie=CookieOptions(name="s"), model=Visit)
    assert ("s", Visit) == (made.cookie.name, made.model)


def test_manager_of_refuses_options_beside_a_manager() -> None:
    """A manager has its options already; those given twice are named."""
    with pytest.raises(ConfigurationError, match="SessionManager itself: cookie, deadline$"):
        manager_of(SessionManager(Rows()), deadline=1.0, cookie=CookieOptions())


def test_manager_options_are_the_managers_keywords() -> None:
    """``ManagerOptions`` names every keyword of ``SessionManager``, and no other."""
    import inspect

    keywords = list(inspect.signature(SessionManager).parameters)[1:]
    assert keywords == list(ManagerOptions.__annotations__)


def test_model() -> None:
    """``manager.model`` is the struct that it was given, or None."""
    assert SessionManager(Rows(), model=Visit).model is Visit
    assert SessionManager(Rows()).model is None


@pytest.mark.parametrize(
    ("store", "expected"), [(OneProcess(), True), (Rows(), False), (NoRows(), False)]
)
def test_is_one_process(store, expected: bool) -> None:
    """Only a store that says so is seen by one process only."""
    assert SessionManager(store).is_one_process is expected


# Its life


async def test_the_last_exit_closes_the_store(store: Bare) -> None:
    """A manager may be entered again while it is open, and again after it was closed."""
    manager = SessionManager(store)
    for _ in range(2):
        assert not manager.is_open
        async with manager as same, manager, manager.lifespan(), manager.lifespan(object()):
            assert same is manager
            assert manager.is_open
            assert ["aopen"] == store.calls
        assert ["aopen", "aclose"] == store.calls
        store.calls.clear()


async def test_a_bare_store_needs_no_opening() -> None:
    """A store without ``aopen`` is closed all the same."""
    store = Bare()
    async with SessionManager(store):
        assert [] == store.calls
    assert ["aclose"] == store.calls


async def test_a_store_that_does_not_open(store: Bare) -> None:
    """A store that is down at the start raises, is told, and the manager stays closed."""
    site = Site(store)
    store.failing["aopen"] = StoreUnavailableError("down")
    with pytest.raises(StoreUnavailableError):
        async with site.manager:
            raise AssertionError
    assert not site.manager.is_open
    assert [StoreFailed(operation="open", error="StoreUnavailableError")] == site.events
    store.failing.clear()
    async with site.manager:
        assert site.manager.is_open


async def test_an_error_inside_closes_the_store_and_passes(store: Bare) -> None:
    """What is raised inside passes through."""
    manager = SessionManager(store)
    with pytest.raises(ZeroDivisionError):
        async with manager:
            raise ZeroDivisionError
    assert not manager.is_open
    assert "aclose" == store.calls[-1]


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
    with pytest.raises(SessionSealedError, match="Set-Cookie"):
        session.rotate()
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
