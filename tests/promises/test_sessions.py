"""Each promise, once, by a whole manager over memory and over sealed cookies: 1 to 19.

The details are in the core's tests, and every store's and adapter's own suite runs them again. What
a cookie alone cannot promise (6 to 9, 18, and "dead at once" in 15 and 17) asks for ``rows``.
"""

from __future__ import annotations

import base64
import logging

import anyio
import pytest

from sojourn import (
    CommitDiscarded,
    ConfigurationError,
    CookieOptions,
    Discard,
    SessionSealedError,
    Timeouts,
)

from .conftest import MakeSite, Site

pytestmark = pytest.mark.anyio

NAME = "__Host-session"


# Nothing for nothing


async def test_promise_01_an_untouched_request_costs_nothing(site: Site) -> None:
    """Neither a store call, nor a header, nor a row for a new visitor who was only looked at."""
    known = await site.visitor(a=1)
    for browser in (known, site.browser()):
        assert () == (await browser.respond(site.manager.open(browser.raw))).headers
    async with site.browser().request() as session:
        assert "a" not in session
    assert [] == site.calls
    assert (1 if site.memory else 0) == len(site.rows.inner.inner)


async def test_promise_02_reading_writes_one_throttled_extension(site: Site) -> None:
    """Before a tenth of ``idle`` reading writes nothing, after it once, and never unasked."""
    browser = await site.visitor(a=1)
    for seconds, extend, headers in [(179, True, 1), (1, False, 1), (0, True, 3), (0, True, 1)]:
        site.clock.advance(seconds)
        async with browser.request() as session:
            session.extend = extend
            assert 1 == session["a"]
        assert headers == len(browser.result.headers)
    assert (["load"] * 3 + ["touch", "load"] if site.memory else []) == site.calls


async def test_promise_03_the_same_value_writes_nothing(site: Site) -> None:
    """Setting what is there, and removing what is not, writes nothing."""
    browser = await site.visitor(a=[1])
    async with browser.request() as session:
        session["a"] = [1]
        session.forget("b")
    assert ["Vary"] == [name for name, _ in browser.result.headers]


async def test_promise_04_a_nested_change_is_noticed(site: Site) -> None:
    """A change inside a value is written, with no flag to set."""
    browser = await site.visitor(a={"b": [1]})
    async with browser.request() as session:
        session["a"]["b"].append(2)
    assert {"b": [1, 2]} == (await browser.load())["a"]


@pytest.mark.parametrize("junk", ["", "x" * 64 + "!", "A" * 5000, "é" * 64, "=" * 64])
async def test_promise_05_junk_never_reaches_a_store(site: Site, junk: str) -> None:
    """What cannot be a token is a new visitor, and no store is asked."""
    session = await site.manager.load([f"{NAME}={junk}".encode()])
    assert session.is_new
    assert [] == site.calls


# Nothing lost, nothing undone


async def test_promise_06_different_keys_both_stay(rows: Site) -> None:
    """Two requests at once that set different keys both succeed."""
    browser = await rows.visitor(a=0)
    one, two = await browser.load(), await browser.load()
    one["b"], two["c"] = 1, 2
    await browser.respond(one)
    await browser.respond(two)
    assert {"a": 0, "b": 1, "c": 2} == dict(await browser.load())


async def test_promise_07_counters_are_exact(rows: Site) -> None:
    """Twenty requests at once that count miss none; of two plain writers the later one wins."""
    browser = await rows.visitor(n=0)
    sessions = [await browser.load() for _ in range(20)]
    async with anyio.create_task_group() as group:
        for session in sessions:
            session.modify("n", lambda n: n + 1)
            group.start_soon(rows.manager.commit, session)
    assert 20 == (await browser.load())["n"]


async def test_promise_08_deletion_wins(rows: Site) -> None:
    """No late write, touch or rotation brings a session back, nor touches the cookie."""
    browser = await rows.visitor(a=1)
    late = [await browser.load() for _ in range(4)]
    late[0]["a"] = 2
    late[1].rotate()
    late[2].bind("ann")
    late[3].touch()
    async with browser.request() as session:
        session.destroy()
    for session in late:
        result = await rows.manager.commit(session)
        assert ["Vary"] == [name for name, _ in result.headers]
    assert 0 == len(rows.rows.inner.inner)


async def test_promise_09_only_create_creates(rows: Site) -> None:
    """A change of a session that is gone makes no row."""
    browser = await rows.visitor(a=1)
    session = await browser.load()
    session["a"] = 2
    assert await rows.manager.revoke(session.id or "")
    await browser.respond(session)
    assert Discard.GONE is browser.result.discarded
    assert "create" not in rows.calls


async def test_promise_10_a_cancelled_commit_is_whole_or_nothing(site: Site) -> None:
    """Cancelled at any moment, the session is the old one or the new one."""
    browser = await site.visitor(a=0, b=0)
    session = await browser.load()
    session.update(a=1, b=1)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await browser.respond(session)
    values = dict(await browser.load())
    assert values["a"] == values["b"]


async def test_promise_11_sealed_after_the_response(site: Site) -> None:
    """After the commit a change raises, and reading goes on."""
    browser = await site.visitor(a=1)
    async with browser.request() as session:
        session["a"] = 2
    with pytest.raises(SessionSealedError):
        session["a"] = 3
    assert 2 == session["a"]


async def test_promise_12_commit_is_idempotent(site: Site) -> None:
    """A second commit gives the same result and writes nothing."""
    session = await site.manager.load([])
    session["a"] = 1
    assert await site.manager.commit(session) is await site.manager.commit(session)
    assert (["create"] if site.memory else []) == site.calls


async def test_promise_13_without_a_cookie_no_session_begins(site: Site) -> None:
    """A response that cannot carry a cookie creates, rotates and logs in nothing, and says so."""
    session = await site.manager.load([])
    session.bind("ann")
    result = await site.manager.commit(session, can_set_cookie=False)
    assert Discard.NO_COOKIE is result.discarded
    assert [CommitDiscarded(reason=Discard.NO_COOKIE)] == site.events


# Fixation, rotation, logout


async def test_promise_14_a_planted_id_is_never_adopted(site: Site) -> None:
    """What is written under a token of somebody else's making gets a token of ours."""
    planted = base64.urlsafe_b64encode(bytes(range(48))).decode()
    browser = site.browser(f"{NAME}={planted}")
    async with browser.request() as session:
        session["a"] = 1
    assert planted != browser.token
    assert planted[:21] != browser.token[:21]


async def test_promise_15_a_login_changes_the_secret(rows: Site) -> None:
    """The cookie from before is dead at once, and another owner gets none of the data."""
    browser = await rows.visitor("ann", basket=[1])
    thief = browser.copy()
    async with browser.request() as session:
        session.bind("bob")
    assert (await thief.load()).is_new
    assert {} == dict(await browser.load())


async def test_promise_15_a_change_of_owner_drops_the_data(site: Site) -> None:
    """Whoever logs in next finds nothing of the former owner's."""
    browser = await site.visitor("ann", basket=[1])
    async with browser.request() as session:
        session.bind("bob")
    session = await browser.load()
    assert ("bob", {}) == (session.owner, dict(session))


async def test_promise_16_periodic_rotation_has_a_grace(make_site: MakeSite) -> None:
    """Parallel requests with the former secret go on, and their writes land where rows are."""
    site = make_site(timeouts=Timeouts(rotate_after=60))
    browser = await site.visitor(a=1)
    late = browser.copy()
    site.clock.advance(60)
    async with browser.request() as session:
        assert 1 == session["a"]
    assert late.token != browser.token
    async with late.request() as session:
        session["b"] = 2
    if site.memory:
        assert 2 == (await browser.load())["b"]
        site.clock.advance(30)
        assert (await late.load()).is_new


async def test_promise_17_logout_expires_the_very_cookie(make_site: MakeSite) -> None:
    """The cookie goes with the attributes that it was set with, and the row before it."""
    options = CookieOptions(name="s", path="/app", domain="example.org", same_site="strict")
    site = make_site(cookie=options)
    browser = await site.visitor(a=1)
    thief = browser.copy()
    async with browser.request() as session:
        session.destroy()
    line = dict(browser.result.headers)["Set-Cookie"]
    past = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
    rest = "Path=/app; Domain=example.org; Secure; HttpOnly; SameSite=Strict"
    assert f"s=; {past}; {rest}" == line
    assert site.memory is (await thief.load()).is_new


async def test_promise_18_list_and_revoke(rows: Site) -> None:
    """An owner's sessions are listed; one, all but this, or all of them end."""
    browsers = [await rows.visitor("ann", n=n) for n in range(4)]
    ids = [info.id for info in await rows.manager.sessions_of("ann")]
    assert await rows.manager.revoke(ids[0])
    assert 2 == await rows.manager.revoke_owner("ann", keep=ids[1])
    assert [True, False, True, True] == [(await b.load()).is_new for b in browsers]
    assert 1 == await rows.manager.revoke_owner("ann")


async def test_promise_18_a_sealed_cookie_says_that_it_cannot(seals: Site) -> None:
    """Listing and revoking raise, and name the remedy."""
    with pytest.raises(ConfigurationError, match="sqlite:///"):
        await seals.manager.revoke_owner("ann")


async def test_promise_19_nothing_secret_is_told(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither events nor logs nor what a store gets show secret, token or payload."""
    caplog.set_level(logging.DEBUG, "sojourn")
    browser = site.browser()
    async with browser.request() as session:
        session["word"] = "hush-hush"
    token = browser.token
    await site.browser(f"{NAME}={token[:-4]}AAAA").load()
    told = caplog.text + repr(site.events) + repr(session) + repr(browser.result)
    secret = base64.b64decode(token.translate({45: 43, 95: 47}))[16:]
    stored = b"".join(r.secret_hash + r.payload + r.id.encode() for r in site.rows.records)
    assert "SessionCreated" in caplog.text
    for hidden in ("hush", token, token[22:], secret.hex()):
        assert hidden not in told
    assert secret not in stored
