"""The manager: what it is made from, and its life."""

from __future__ import annotations

import anyio
import msgspec
import pytest

from sojourn import (
    ConfigurationError,
    CookieOptions,
    ManagerOptions,
    SessionManager,
    StoreFailed,
    StoreUnavailableError,
    Timeouts,
    manager_of,
)

from ._no_rows import NoRows
from ._rows import Bare, NowaitRows, Rows
from ._site import Site

pytestmark = pytest.mark.anyio


class Visit(msgspec.Struct):
    n: int = 0


class OneProcess(NowaitRows):
    one_process = True


# What it is made from


@pytest.mark.parametrize("store", [None, 7, object(), dict, b"memory://"])
def test_what_is_no_store_is_refused(store) -> None:
    """A manager takes a URL, a store or a backend, and names what it got instead."""
    with pytest.raises(ConfigurationError, match="give a URL"):
        SessionManager(store)


@pytest.mark.parametrize("kind", [Rows, NoRows])
def test_a_class_is_no_store(kind) -> None:
    """A class has every method of a store, and is refused all the same: it was not called."""
    with pytest.raises(ConfigurationError, match=f"the class {kind.__name__}: call it"):
        SessionManager(kind)


def test_a_backend_is_taken_as_it_is() -> None:
    """A backend serves as one; the manager's repr names its type and nothing else."""
    assert "<SessionManager of NoRows>" == repr(SessionManager(NoRows()))


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


@pytest.mark.parametrize("store", [Rows(), NoRows()])
def test_manager_of_a_store_is_a_new_one(store) -> None:
    """A store or a backend with the manager's keywords makes a manager."""
    made = manager_of(store, cookie=CookieOptions(name="s"), model=Visit)
    assert ("s", Visit) == (made.cookie.name, made.model)


def test_manager_of_refuses_options_beside_a_manager() -> None:
    """A manager has its options already; those given twice are named."""
    with pytest.raises(ConfigurationError, match=r"SessionManager itself: cookie, deadline$"):
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


async def test_a_second_user_waits_until_the_store_is_open(store: Bare) -> None:
    """Whoever enters while the store opens gets in when it is open."""
    manager = SessionManager(store)
    begun, release = anyio.Event(), anyio.Event()

    async def opens() -> None:
        begun.set()
        await release.wait()

    async def second() -> None:
        async with manager:
            assert release.is_set()
            assert "aopen" == store.calls[-1]

    store.meanwhile["aopen"] = opens
    async with anyio.create_task_group() as group:
        group.start_soon(second)
        group.start_soon(second)
        await begun.wait()
        await anyio.wait_all_tasks_blocked()
        assert not manager.is_open
        release.set()
    assert not manager.is_open


async def test_who_waits_opens_the_store_after_a_failure(store: Bare) -> None:
    """When the first user's opening fails, the second one tries again."""
    site = Site(store)
    begun, release = anyio.Event(), anyio.Event()

    async def fails() -> None:
        begun.set()
        await release.wait()
        raise StoreUnavailableError("down")

    async def first() -> None:
        with pytest.raises(StoreUnavailableError):
            await site.manager.__aenter__()

    store.meanwhile["aopen"] = fails
    async with anyio.create_task_group() as group:
        group.start_soon(first)
        await begun.wait()
        group.start_soon(site.manager.__aenter__)
        await anyio.wait_all_tasks_blocked()
        release.set()
    assert site.manager.is_open
    await site.manager.__aexit__(None, None, None)


@pytest.mark.parametrize("call", ["aopen", "aclose"])
async def test_a_system_error_of_the_store_is_ours(store: Bare, call: str) -> None:
    """An OSError on opening or closing is a StoreUnavailableError without a path, and is told."""
    site = Site(store)
    store.failing[call] = PermissionError(13, "Permission denied", "hush/sessions.db")
    with pytest.raises(StoreUnavailableError, match=r"ows failed: PermissionError$"):
        async with site.manager:
            assert call == "aclose"
    assert ["StoreUnavailableError"] == [event.error for event in site.told(StoreFailed)]
    assert not site.manager.is_open


async def test_a_cancelled_user_closes_the_store(store: Bare) -> None:
    """The store is closed to the end also when whoever leaves the manager is cancelled."""
    closed: list[bool] = []

    async def closes() -> None:
        await anyio.lowlevel.checkpoint()
        closed.append(True)

    store.meanwhile["aclose"] = closes
    with anyio.CancelScope() as scope:
        async with SessionManager(store):
            scope.cancel()
            await anyio.sleep_forever()
    assert [True] == closed


async def test_closing_ends(store: Bare, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that does not close is left after a while, and the operator hears of it."""
    monkeypatch.setattr("sojourn._life._PATIENCE", 0.01)
    site = Site(store)
    async with site.manager:
        store.meanwhile["aclose"] = anyio.sleep_forever
    assert [StoreFailed(operation="close", error="TimeoutError")] == site.events
    assert not site.manager.is_open
