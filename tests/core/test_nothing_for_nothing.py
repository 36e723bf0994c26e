"""Promises 1, 3, 5 and 13: nothing for nothing."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn import (
    CommitDiscarded,
    CookieRejected,
    Discard,
    Rejection,
    SessionSealedError,
    Timeouts,
)

from ._rows import NowaitRows
from ._site import Clock, Entropy, Site, drive, names_of, set_cookie_of

pytestmark = pytest.mark.anyio


async def test_promise_01_a_new_visitor_who_is_not_looked_at_gets_nothing(site: Site) -> None:
    """An untouched new visitor costs no store call, no row and no header."""
    browser = site.browser()
    async with browser.visit():
        pass
    assert [] == site.store.calls
    assert () == browser.result.headers
    assert [] == site.events


async def test_promise_01_looking_at_a_new_session_makes_no_row(site: Site) -> None:
    """A new visitor's session that was only read gets neither a row nor a cookie."""
    browser = site.browser()
    async with browser.visit() as session:
        assert session.is_new
        assert session.id is None
        assert {} == dict(session)
    assert [] == site.store.calls
    assert ["Vary"] == names_of(browser.result)


async def test_promise_01_an_untouched_session_costs_no_call() -> None:
    """With a store that loads on first use, a request that does not look asks nothing."""
    site = Site(NowaitRows())
    browser = await site.visitor(a=1)
    site.clock.now += 900
    session = site.manager.open(browser.headers)
    assert not session.pending
    assert () == (await site.manager.commit(session)).headers
    assert [] == site.store.calls


async def test_promise_01_a_loaded_session_that_nobody_looks_at_is_not_written(site: Site) -> None:
    """What an adapter loads ahead is no look: nothing is extended and no header is sent."""
    browser = await site.visitor(a=1)
    site.clock.now += 900
    session = site.manager.open(browser.headers)
    await session.load()
    assert not session.accessed
    assert () == (await site.manager.commit(session)).headers
    assert set(site.store.calls) <= {"load"}


async def test_promise_01_emptied_before_it_began(site: Site) -> None:
    """A new visitor's session that is empty again at the end never gets a row."""
    browser = site.browser()
    async with browser.visit() as session:
        session["a"] = 1
        del session["a"]
        session.clear()
        session.touch()
    assert [] == site.store.calls
    assert ["Vary"] == names_of(browser.result)


@pytest.mark.parametrize(
    "change",
    [
        lambda session: session.set("a", 1),
        lambda session: session.update(a=1, nested={"list": [1, 2]}),
        lambda session: session["nested"]["list"].append(session["nested"]["list"].pop()),
        lambda session: session.forget("absent"),
        lambda session: session.pop("absent", None),
        lambda session: session.setdefault("a", 2),
        lambda session: session.keep("absent"),
        lambda session: session.modify("a", lambda value: value),
        lambda session: session.set("new", 1) or session.forget("new"),
    ],
)
async def test_promise_03_the_same_again_writes_nothing(site: Site, change) -> None:
    """Setting what is there already, or removing what is absent, writes nothing."""
    browser = await site.visitor(a=1, nested={"list": [1, 2]})
    async with browser.visit() as session:
        change(session)
    assert ["load"] == site.store.calls
    assert ["Vary"] == names_of(browser.result)


@given(
    value=st.one_of(
        st.binary(max_size=80).filter(lambda value: len(value.strip(b" \t")) != 64),
        st.binary(min_size=64, max_size=64).filter(lambda value: not value.isascii()),
        st.text("+/= .%", min_size=64, max_size=64).map(str.encode),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_promise_05_junk_never_reaches_a_store(value: bytes) -> None:
    """A cookie that no session of ours can have is refused before the store is asked."""
    site = Site(NowaitRows())
    value = value.replace(b";", b"-")
    session = site.manager.open([b"__Host-session=" + value])
    assert session.is_new
    assert [] == site.store.calls
    assert [CookieRejected(reason=Rejection.MALFORMED)] == site.events


async def test_promise_05_junk_is_told_once_and_the_cookie_left_alone(site: Site) -> None:
    """A malformed cookie is a new visitor and one event, however often the handler looks."""
    browser = site.browser("junk")
    async with browser.visit() as session:
        assert session.is_new
        assert "a" not in session
    assert [CookieRejected(reason=Rejection.MALFORMED)] == site.events
    assert "junk" == browser.cookie


async def test_promise_05_too_many_candidates_ask_no_store(site: Site) -> None:
    """More cookies of our name than a browser sends are refused together, without a look-up."""
    name = site.manager.cookie.name
    flood = "; ".join(f"{name}={digit * 64}" for digit in "ABCDE").encode()
    assert (await site.manager.load([flood])).is_new
    assert [] == site.store.calls
    assert [CookieRejected(reason=Rejection.TOO_MANY)] == site.events


async def test_promise_13_without_a_cookie_nothing_is_created(site: Site) -> None:
    """A new session on a response that cannot carry a cookie is dropped, and said so."""
    browser = site.browser()
    async with browser.visit(can_set_cookie=False) as session:
        session["a"] = 1
    assert [] == site.store.calls
    assert ["Vary"] == names_of(browser.result)
    assert Discard.NO_COOKIE is browser.result.discarded
    assert [CommitDiscarded(reason=Discard.NO_COOKIE)] == site.events


@pytest.mark.parametrize("change", ["rotate", "bind"])
async def test_promise_13_without_a_cookie_nothing_is_rotated(site: Site, change: str) -> None:
    """A rotation or login on such a response leaves the row as it is."""
    browser = await site.visitor(a=1)
    row = site.row
    async with browser.visit(can_set_cookie=False) as session:
        getattr(session, change)(*(["ann"] if change == "bind" else []))
    assert row == site.row
    assert Discard.NO_COOKIE is browser.result.discarded


async def test_promise_13_periodic_rotation_waits_for_a_cookie(store) -> None:
    """A rotation that is due waits for a response that can carry the cookie; data is written."""
    site = Site(store, Clock(), entropy=Entropy(), timeouts=Timeouts(rotate_after=60))
    browser = await site.visitor(a=1)
    cookie = browser.cookie
    site.clock.now += 61
    async with browser.visit(can_set_cookie=False) as session:
        session["a"] = 2
    assert cookie == browser.cookie
    assert {"a": 2} == await browser.sees()
    async with browser.visit() as session:
        assert 2 == session["a"]
    assert cookie != browser.cookie


async def test_promise_13_plain_changes_and_logout_need_no_cookie(site: Site) -> None:
    """A change of data and a logout are written on such a response, too."""
    browser = await site.visitor(a=1)
    async with browser.visit(can_set_cookie=False) as session:
        session["a"] = 2
    assert {"a": 2} == await browser.sees()
    async with browser.visit(can_set_cookie=False) as session:
        session.destroy()
    assert set_cookie_of(browser.result) is None
    assert {} == site.store.rows


async def test_promise_13_session_commit_says_that_it_is_too_late(site: Site) -> None:
    """After a handshake, ``session.commit()`` of a new session raises instead of losing it."""
    session = await site.manager.load([])
    await site.manager.commit(session, seal=False)
    session["a"] = 1
    with pytest.raises(SessionSealedError, match="Set-Cookie"):
        await session.commit()
    assert {} == site.store.rows


def test_vary_on_a_look_only() -> None:
    """``Vary: Cookie`` is sent for a look of any kind, and asking who looked is none."""
    site = Site(NowaitRows())
    for look, names in (
        (lambda session: session.accessed, []),
        (repr, []),
        (lambda session: session.pending, []),
        (lambda session: session.keep("absent"), ["Vary"]),
        (lambda session: session.is_new, ["Vary"]),
        (lambda session: session.mark_accessed(), ["Vary"]),
        (len, ["Vary"]),
    ):
        session = site.manager.open([])
        look(session)
        assert names == names_of(drive(site.manager.commit(session)))
