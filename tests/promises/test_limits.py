"""Each promise, once, by a whole manager over memory and over sealed cookies: 20 to 38.

33, a deadline for what leaves the process, is the core's and that of stores that leave it.
"""

from __future__ import annotations

import base64
import re

import pytest
from msgspec import Struct

from sojourn import (
    ConfigurationError,
    CookieOptions,
    CookieRejected,
    KeyRing,
    Rejection,
    SessionTooLargeError,
    SessionValueError,
    StoreUnavailableError,
)

from .conftest import MakeSite, Site

pytestmark = pytest.mark.anyio

NAME = "__Host-session"
NEW, OLD = KeyRing.generate(), KeyRing.generate()


class Visit(Struct):
    """A model."""

    visits: int = 0
    tags: list[str] = []


# Time


async def test_promise_20_idle_and_absolute_hold_together(site: Site) -> None:
    """Activity extends a session up to the absolute timeout; silence ends it; cookie and all."""
    browser = await site.visitor(a=1)
    silent = await site.visitor(a=2)
    for _ in range(24):
        site.clock.advance(1799)
        async with browser.request() as session:
            assert 1 == session["a"]
        found = re.search(r"Max-Age=(\d+)", browser.result.headers[0][1])
        assert found
        assert abs(int(found[1]) - (session.expires_at - site.clock())) <= 1
    assert (await silent.load()).is_new
    site.clock.advance(43200 - 24 * 1799)
    assert (await browser.load()).is_new


async def test_promise_21_only_our_clock_counts(site: Site) -> None:
    """A session is live a moment before its end and over at it, whatever the real time is."""
    browser = await site.visitor(a=1)
    site.clock.advance(1799.5)
    assert not (await browser.load()).is_new
    site.clock.advance(0.5)
    assert (await browser.load()).is_new


async def test_promise_22_expired_rows_go(rows: Site) -> None:
    """A sweep removes what is expired, counts it, and leaves the rest."""
    for n in range(3):
        await rows.visitor(n=n)
    rows.clock.advance(1800)
    browser = await rows.visitor(n=3)
    assert 3 == await rows.manager.sweep()
    assert 3 == (await browser.load())["n"]


# Cookies


async def test_promise_23_the_default_cookie(site: Site) -> None:
    """Host-bound, https only, hidden from scripts, Lax; development says so explicitly."""
    browser = await site.visitor(a=1)
    rest = "; Max-Age=1800; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert f"{NAME}={browser.token}{rest}" == dict(browser.result.headers)["Set-Cookie"]
    assert "session" == CookieOptions(secure=False).name


@pytest.mark.parametrize(
    "frame",
    [
        'sandwich="x; {}; y"',
        "=; ;;; a\xff=b; {}",
        "__%48ost-session=forged;\t {}\t",
        "={}; {}",
        "__HOST-session=other; {}; $Version=1",
    ],
)
async def test_promise_24_nothing_hides_or_forges_our_cookie(site: Site, frame: str) -> None:
    """Whatever stands around it, our cookie is found, byte by byte, and nothing else is."""
    browser = await site.visitor(a=1)
    header = frame.replace("{}", browser.header).encode("latin-1")
    assert {"a": 1} == dict(await site.manager.load([b"x=y", header]))


async def test_promise_24_two_valid_ones_are_refused(site: Site) -> None:
    """A second valid cookie of our name is an attack: neither counts."""
    one, two = await site.visitor(a=1), await site.visitor(a=2)
    session = await site.manager.load([f"{one.header}; {two.header}".encode()])
    assert session.is_new
    assert [CookieRejected(reason=Rejection.AMBIGUOUS)] == site.events


@pytest.mark.parametrize(
    "options",
    [{"domain": "example.org"}, {"path": "/a"}, {"name": "a\r\nb"}, {"name": "s", "path": "/;"}],
)
def test_promise_25_what_a_browser_would_drop_is_refused(options: dict[str, str]) -> None:
    """At start-up, and not with the first visitor."""
    with pytest.raises(ConfigurationError):
        CookieOptions(**options)


async def test_promise_26_what_does_not_fit_is_refused(make_site: MakeSite) -> None:
    """The biggest key is named, nothing is sent, and the old session stays."""
    site = make_site(max_bytes=4096)
    browser = await site.visitor(a=1)
    session = await browser.load()
    session["big"] = "x" * 5000
    with pytest.raises(SessionTooLargeError, match="'big'"):
        await browser.respond(session)
    assert {"a": 1} == dict(await browser.load())


async def test_promise_27_caches_are_told(site: Site) -> None:
    """A look is told by Vary, a cookie by Cache-Control."""
    browser = await site.visitor(a=1)
    assert {"Vary": "Cookie", "Cache-Control": "no-store"}.items() <= dict(
        browser.result.headers
    ).items()
    async with browser.request() as session:
        assert len(session) == 1
    assert (("Vary", "Cookie"),) == browser.result.headers


# Sealed cookies


async def test_promise_28_sealed_for_one_name_and_key(seals: Site) -> None:
    """Another cookie's name or another key opens nothing; nor is there a fallback reader."""
    browser = await seals.visitor(word="hush-hush")
    assert b"hush" not in base64.b64decode(browser.token)
    options = [{"cookie": CookieOptions(name="__Host-other")}, {"keys": NEW}]
    for other in (Site("cookie", **given) for given in options):
        header = f"{other.manager.cookie.name}={browser.token}".encode()
        assert (await other.manager.load([header])).is_new


async def test_promise_29_an_old_key_is_replaced_on_use() -> None:
    """What the old key sealed opens, and goes out sealed with the first key."""
    old, both, new = (Site("cookie", keys=keys) for keys in (OLD, [NEW, OLD], NEW))
    browser = await old.visitor(a=1)
    tab = both.browser(browser.header)
    async with tab.request() as session:
        assert 1 == session["a"]
    assert {"a": 1} == dict(await new.browser(tab.header).load())


async def test_promise_30_any_changed_byte_opens_nothing(site: Site) -> None:
    """A token with one other character is an absent session, never an exception."""
    token = (await site.visitor(a=1)).token
    for at in range(len(token)):
        other = "A" if token[at] != "A" else "B"
        changed = f"{NAME}={token[:at]}{other}{token[at + 1 :]}"
        assert (await site.manager.load([changed.encode()])).is_new


# When things break


async def test_promise_31_a_store_that_is_down_is_no_new_visitor(rows: Site) -> None:
    """Load raises a 503, and the cookie is left alone."""
    browser = await rows.visitor(a=1)
    rows.is_down = True
    with pytest.raises(StoreUnavailableError) as caught:
        await browser.load()
    assert 503 == caught.value.status_code
    rows.is_down = False
    assert {"a": 1} == dict(await browser.load())


async def test_promise_32_a_failed_commit_is_no_200(rows: Site) -> None:
    """The commit raises, and the error page carries no cookie."""
    session = await rows.manager.load([])
    session["a"] = 1
    rows.is_down = True
    with pytest.raises(StoreUnavailableError):
        await rows.manager.commit(session)
    assert (("Vary", "Cookie"),) == (await rows.manager.commit(session, status=503)).headers


async def test_promise_34_a_corrupt_row_is_an_absent_session(rows: Site) -> None:
    """It is told, and never an exception."""
    browser = await rows.visitor(a=1)
    manager = Site("memory", seal_at_rest=True, keys=NEW)
    manager.rows.inner = rows.rows.inner
    assert (await manager.browser(browser.header).load()).is_new
    assert [CookieRejected(reason=Rejection.UNREADABLE)] == manager.events


async def test_promise_35_a_5xx_discards(site: Site) -> None:
    """A failed response drops what was not committed explicitly."""
    browser = await site.visitor(a=1)
    session = await browser.load()
    session["a"] = 2
    await session.commit()
    session["a"] = 3
    await browser.respond(session, status=500)
    assert {"a": 2} == dict(await browser.load())


# Flash, and types


async def test_promise_36_flash_is_read_once(site: Site) -> None:
    """Peeking leaves it, reading uses it up, keeping puts it back."""
    browser = site.browser()
    async with browser.request() as session:
        session.flash("note", "hello")
    async with browser.request() as session:
        assert ("hello", ["note"]) == (session.peek("note"), list(session))
    async with browser.request() as session:
        assert ("hello", None) == (session["note"], session.get("note"))
        session.keep("note")
    async with browser.request() as session:
        assert "hello" == session.pop("note")
    assert {} == dict(await browser.load())


async def test_promise_37_a_model_is_noticed_field_by_field(make_site: MakeSite) -> None:
    """Fields change in place; a value that no longer fits is the default."""
    site = make_site(model=Visit)
    browser = site.browser()
    async with browser.request() as session:
        session.data.visits += 1
        session.data.tags.append("new")
    session = await browser.load()
    assert Visit(1, ["new"]) == session.data
    assert {"visits": 1, "tags": ["new"]} == dict(session)


async def test_promise_38_what_goes_in_comes_out_equal(site: Site) -> None:
    """Or is refused where it is set, by its key."""
    value = {"a": [1, -1.5, None, True, "é", b"\x00"], "b": {"c": {}}}
    browser = await site.visitor(value=value)
    session = await browser.load()
    assert value == session["value"]
    for bad in ((1, 2), {1}, object(), float("nan"), 2**64, "\ud800"):
        with pytest.raises(SessionValueError, match="'bad'"):
            session["bad"] = bad
