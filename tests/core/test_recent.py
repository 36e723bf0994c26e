"""``remember``: what stays opened in memory, and that nobody notices but the clock."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from sojourn import ConfigurationError, Opened, Recent, Rejection, SessionManager, Timeouts
from sojourn._serverside import ServerSide
from sojourn._token import Token

from ._rows import Bare, NowaitRows
from ._site import Site, drive

steps = st.lists(st.tuples(st.sampled_from(["put", "get", "forget"]), st.integers(0, 5)))


@given(st.integers(0, 4), steps)
@example(1, [("put", 0), ("put", 1), ("put", 1), ("forget", 1)])
@example(1, [("put", 0), ("put", 1), ("put", 2), ("forget", 2), ("forget", 1)])
@example(2, [("put", 0), ("put", 1), ("put", 2), ("get", 0), ("get", 1), ("put", 3), ("get", 0)])
def test_recent_finds_the_newest_and_is_bounded(size: int, steps: list[tuple[str, int]]) -> None:
    """It holds what was used last, at most twice its size, and only the last value of a key."""
    recent: Recent[int, int] = Recent(size)
    last: dict[int, int | None] = {}  # by use; what was forgotten has had its place
    for count, (step, key) in enumerate(steps):
        if step == "put":
            recent.put(key, count)
            last.pop(key, None)
            last[key] = count
        elif step == "forget":
            recent.forget(key)
            if key in last:
                last[key] = None
            assert recent.get(key) is None
        elif (found := recent.get(key)) is not None:
            assert last.pop(key) == found
            last[key] = found
        assert len(recent) <= 2 * size
    for key in list(last)[::-1][:size]:
        assert last[key] == recent.get(key)


def test_recent_shows_no_content() -> None:
    """Its repr counts, because keys and values may be secrets."""
    recent: Recent[str, str] = Recent(2)
    recent.put("key", "value")
    assert "<Recent of 1>" == repr(recent)


@pytest.mark.parametrize("remember", [-1, 1.5, "many", None])
def test_remember_is_a_number_of_sessions(remember: object) -> None:
    """Any other value is refused at start-up."""
    with pytest.raises(ConfigurationError, match="remember"):
        SessionManager(NowaitRows(), remember=remember)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@pytest.mark.anyio
@pytest.mark.parametrize("remember", [0, 1, 512])
async def test_what_another_process_does_is_seen_at_once(store: Bare, remember: int) -> None:
    """A remembered session is as fresh as any: a change, a login and a logout elsewhere count."""
    site = Site(store, remember=remember)
    browser, elsewhere = await site.visitor(a=1), site.other(remember=remember)
    assert {"a": 1} == await browser.sees()
    async with browser.copy(elsewhere).visit() as session:
        session["a"] = 2
    assert {"a": 2} == await browser.sees()
    thief = browser.copy()
    async with browser.copy(elsewhere).visit() as session:
        session.bind("ann")
    assert {} == await thief.sees()
    async with (owned := site.browser()).visit() as session:
        session["a"] = 3
    assert {"a": 3} == await owned.sees()
    async with owned.copy(elsewhere).visit() as session:
        session.destroy()
    assert {} == await owned.sees()


@pytest.mark.anyio
async def test_a_remembered_session_expires(store: Bare) -> None:
    """Remembering extends nothing."""
    site = Site(store, timeouts=Timeouts(idle=100, auto_extend=False))
    browser = await site.visitor(a=1)
    assert {"a": 1} == await browser.sees()
    site.clock.now += 99
    assert {"a": 1} == await browser.sees()
    site.clock.now += 1
    assert {} == await browser.sees()


def _remembering(store: NowaitRows) -> tuple[ServerSide, Opened]:
    site = Site(store)
    backend = site.manager._settings.backend
    assert isinstance(backend, ServerSide)
    session = site.manager.open([])
    session["a"] = 1
    drive(site.manager.commit(session))
    opened = backend.load_nowait(session._draft.opened.ticket, now=site.clock.now)  # type: ignore[union-attr]
    assert isinstance(opened, Opened)
    return backend, opened


def test_a_remembered_row_is_not_unpacked_again() -> None:
    """The same row and the same secret give the very same state."""
    store = NowaitRows()
    backend, opened = _remembering(store)
    again = backend.load_nowait(opened.ticket, now=opened.state.created_at)
    assert isinstance(again, Opened)
    assert again.state is opened.state
    assert "load" == store.calls[-1]


def test_a_remembered_row_opens_by_its_own_secret_only() -> None:
    """Another secret is refused whether the row is remembered or not, and so is a changed row."""
    store = NowaitRows()
    backend, opened = _remembering(store)
    forged = Token(opened.state.id, b"x" * 32)
    now = opened.state.created_at
    assert Rejection.WRONG_SECRET is backend.load_nowait(forged, now=now)
    row = store.rows[opened.state.id]
    store.rows[row.id] = replace(row, payload=b"")
    assert Rejection.UNREADABLE is backend.load_nowait(opened.ticket, now=now)
    store.rows[row.id] = replace(row, secret_hash=b"x" * 32)
    assert Rejection.WRONG_SECRET is backend.load_nowait(opened.ticket, now=now)


@pytest.mark.anyio
async def test_what_has_ended_is_not_remembered(store: Bare) -> None:
    """Nothing of a session stays opened after a logout, or after it was revoked."""
    site = Site(store)
    backend = site.manager._settings.backend
    assert isinstance(backend, ServerSide)
    for end in ("destroy", "revoke"):
        browser = await site.visitor(a=1)
        async with browser.visit() as session:
            assert 1 == session["a"]
            assert 1 == len(backend._recent)
            if end == "destroy":
                session.destroy()
        if end == "revoke":
            assert await site.manager.revoke(str(session.id))
        assert 0 == len(backend._recent)
