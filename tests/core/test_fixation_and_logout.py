"""Promises 14, 15 and 17: fixation, login and logout."""

from __future__ import annotations

import base64

import pytest

from sojourn import (
    CookieOptions,
    CookieRejected,
    Discard,
    Rejection,
    SessionBound,
    SessionValueError,
    StoreFailed,
    StoreUnavailableError,
)

from ._rows import Bare
from ._site import Browser, Site, set_cookie_of

pytestmark = pytest.mark.anyio

UNKNOWN = "0" * 32


async def _id(browser: Browser) -> str:
    id = (await browser.load()).id
    assert id is not None
    return id


async def test_promise_14_an_id_that_we_did_not_issue_is_never_adopted(site: Site) -> None:
    """A well-formed token from elsewhere opens nothing, and what is written gets another id."""
    planted = base64.urlsafe_b64encode(bytes(range(48))).decode()
    browser = site.browser(planted)
    async with browser.visit() as session:
        assert session.is_new
        session["a"] = 1
    assert planted != browser.cookie
    assert bytes(range(16)).hex() != site.row.id
    assert [CookieRejected(reason=Rejection.UNKNOWN)] == site.told(CookieRejected)


async def test_promise_14_an_id_alone_opens_nothing(site: Site) -> None:
    """Who knows the public id and not the secret is a stranger; the row is left alone."""
    await site.visitor(a=1)
    row = site.row
    forged = base64.urlsafe_b64encode(bytes.fromhex(row.id) + bytes(32)).decode()
    thief = site.browser(forged)
    async with thief.visit() as session:
        assert session.is_new
        session.destroy()
    assert row == site.row
    assert [CookieRejected(reason=Rejection.WRONG_SECRET)] == site.told(CookieRejected)


async def test_promise_14_a_destroyed_id_is_not_used_again(site: Site) -> None:
    """After a logout the old cookie opens nothing, and writing begins another session."""
    browser = await site.visitor(a=1)
    old, tab = await _id(browser), browser.copy()
    async with browser.visit() as session:
        session.destroy()
    async with tab.visit() as session:
        assert session.is_new
        session["b"] = 1
    assert old != site.row.id


async def test_promise_15_a_login_kills_the_former_secret_at_once(site: Site) -> None:
    """``bind`` keeps row and data, gives another secret, and the one before opens nothing."""
    browser = await site.visitor(cart=[1])
    id, before = await _id(browser), browser.copy()
    async with browser.visit() as session:
        session.bind("ann")
    assert before.cookie != browser.cookie
    assert (await before.load()).is_new
    session = await browser.load()
    assert ("ann", id, {"cart": [1]}) == (session.owner, session.id, dict(session.items()))
    assert site.clock.now == session.authenticated_at


async def test_promise_15_the_same_owner_again_rotates_and_keeps_the_data(site: Site) -> None:
    """A second login of the same owner rotates the secret as well, and starts absolute anew."""
    browser = await site.visitor("ann", a=1)
    before = browser.copy()
    site.clock.now += 60
    async with browser.visit() as session:
        session.bind("ann")
        assert site.clock.now == session.created_at
    assert (await before.load()).is_new
    assert {"a": 1} == await browser.sees()


async def test_promise_15_another_owner_finds_nothing_of_the_former(site: Site) -> None:
    """A change of owner drops the former owner's data, flash messages and nested values."""
    browser = await site.visitor("ann", a=1, nested=[1])
    async with browser.visit() as session:
        session.flash("note", "for ann")
        session["nested"].append(2)
        session.bind("bob")
        session["b"] = 1
    session = await browser.load()
    assert ("bob", {"b": 1}) == (session.owner, dict(session.items()))


async def test_promise_15_a_new_visitor_may_log_in(site: Site) -> None:
    """A login without a session before makes one, which belongs to the owner."""
    browser = site.browser()
    async with browser.visit() as session:
        session.bind("ann")
    assert "ann" == site.row.owner
    assert [SessionBound(id=site.row.id)] == site.told(SessionBound)


@pytest.mark.parametrize("owner", ["", None, 7, b"ann", "\udc80"])
async def test_an_owner_is_text(site: Site, owner) -> None:
    """``bind`` refuses what no store can look for."""
    session = await site.manager.load([])
    with pytest.raises(SessionValueError, match="owner"):
        session.bind(owner)


@pytest.mark.parametrize(
    "cookie",
    [
        CookieOptions(),
        CookieOptions(name="s", secure=False, path="/app", domain="example.org"),
        CookieOptions(same_site="none", partitioned=True, http_only=False, persistent=False),
    ],
)
async def test_promise_17_logout_expires_the_cookie_with_its_own_attributes(
    store: Bare, cookie: CookieOptions
) -> None:
    """The row goes, then the cookie is expired with the very attributes that it was set with."""
    site = Site(store, cookie=cookie)
    browser = await site.visitor(a=1)
    was_set = set_cookie_of(browser.result)
    async with browser.visit() as session:
        session.destroy()
    expired = set_cookie_of(browser.result)
    assert was_set is not None
    assert expired is not None
    (name, *kept), (pair, *attributes) = was_set.split("; "), expired.split("; ")
    lifetime = ("Max-Age=", "Expires=")
    assert f"{name.partition('=')[0]}=" == pair
    assert [a for a in kept if not a.startswith(lifetime)] == [
        a for a in attributes if not a.startswith(lifetime)
    ]
    assert "Max-Age=0" in attributes
    assert {} == store.rows


async def test_promise_17_a_logout_that_fails_leaves_the_cookie(site: Site) -> None:
    """While the row is there, the cookie is: a store that is down ends nothing by half."""
    browser = await site.visitor(a=1)
    site.store.failing["delete"] = StoreUnavailableError("down")
    with pytest.raises(StoreUnavailableError):
        async with browser.visit() as session:
            session.destroy()
    assert browser.cookie
    assert [StoreFailed(operation="delete", error="StoreUnavailableError")] == site.told(
        StoreFailed
    )


async def test_promise_17_logout_then_more(site: Site) -> None:
    """What is set after ``destroy`` begins another session, which has nothing of the old one."""
    browser = await site.visitor("ann", a=1)
    old = await _id(browser)
    async with browser.visit() as session:
        session.destroy()
        assert session.is_new
        session.flash("note", "bye")
    assert old != site.row.id
    assert site.row.owner is None
    assert {"note": "bye"} == await browser.sees()


async def test_discarded_is_told_by_the_result(site: Site) -> None:
    """A login on a session that ended meanwhile writes nothing, and the result says why."""
    browser = await site.visitor(a=1)
    async with browser.visit() as session:
        session.bind("ann")
        await site.manager.revoke(session.id or "")
    assert Discard.GONE is browser.result.discarded
    assert {} == site.store.rows


async def test_promise_08_a_logout_from_before_a_login_ends_the_session(site: Site) -> None:
    """Deletion wins over a parallel login, too: who asked for a logout is logged out."""
    browser = await site.visitor(a=1)
    leaving, entering = await browser.load(), await browser.copy().load()
    entering.bind("ann")
    login = await site.manager.commit(entering)
    leaving.destroy()
    await browser.commit(leaving)
    browser.receive(login)
    assert (await browser.load()).is_new
    assert {} == site.store.rows
