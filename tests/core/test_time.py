"""Promises 2, 16, 20 and 21, by requests: idle and absolute timeout, extension, rotation."""

from __future__ import annotations

import pytest

from sojourn import SessionExtended, SessionRotated, Timeouts

from ._rows import Bare
from ._site import START, Site, set_cookie_of

pytestmark = pytest.mark.anyio


def _site(store: Bare, **timeouts: float | None) -> Site:
    return Site(store, timeouts=Timeouts(**{"idle": 100, "absolute": 1000, **timeouts}))


async def test_promise_20_one_value_drives_row_and_cookie(store: Bare) -> None:
    """The row ends when the cookie does, at the earlier of idle and absolute."""
    site = _site(store, idle=100, absolute=60)
    browser = site.browser()
    async with browser.visit() as session:
        session["a"] = 1
    assert START + 60 == site.row.expires_at
    assert "; Max-Age=60;" in (set_cookie_of(browser.result) or "")


async def test_promise_20_idle(store: Bare) -> None:
    """A session that nobody uses ends after the idle timeout, not a moment earlier."""
    site = _site(store)
    browser = await site.visitor(a=1)
    site.clock.now += 99.9
    assert {"a": 1} == await browser.sees()
    site.clock.now += 0.1
    assert {} == await browser.sees()


async def test_promise_20_absolute(store: Bare) -> None:
    """A session in constant use ends after the absolute timeout."""
    site = _site(store)
    browser = await site.visitor(a=1)
    while site.clock.now < START + 990:
        site.clock.now += 45
        async with browser.visit() as session:
            assert 1 == session["a"]
    assert START + 1000 == site.row.expires_at
    site.clock.now = START + 1000
    assert {} == await browser.sees()


async def test_without_idle_only_the_absolute_timeout_counts(store: Bare) -> None:
    """Without an idle timeout nothing is extended, and touch changes nothing."""
    site = _site(store, idle=None)
    browser = await site.visitor(a=1)
    site.clock.now += 999
    async with browser.visit() as session:
        assert 1 == session["a"]
        session.touch()
    assert {"load"} == set(store.calls)
    site.clock.now += 1
    assert {} == await browser.sees()


async def test_promise_02_reading_extends_after_a_while(store: Bare) -> None:
    """Reading writes nothing before extend_after, and one touch with a new cookie after it."""
    site = _site(store)
    browser = await site.visitor(a=1)
    site.clock.now += 9.9
    async with browser.visit() as session:
        assert 1 == session["a"]
    assert {"load"} == set(store.calls)
    site.clock.now += 0.1
    async with browser.visit() as session:
        assert 1 == session["a"]
    assert 1 == store.calls.count("touch")
    assert START + 110 == site.row.expires_at
    assert "; Max-Age=100;" in (set_cookie_of(browser.result) or "")
    assert 1 == len(site.told(SessionExtended))


async def test_promise_02_extend_false_extends_nothing(store: Bare) -> None:
    """A request that says session.extend = False is no activity."""
    site = _site(store)
    browser = await site.visitor(a=1)
    site.clock.now += 50
    async with browser.visit() as session:
        session.extend = False
        assert not session.extend
        assert 1 == session["a"]
    assert {"load"} == set(store.calls)


async def test_touch_extends_at_once(store: Bare) -> None:
    """Touch starts the idle timeout anew, without extend_after, auto_extend or extend."""
    site = Site(store, timeouts=Timeouts(idle=100, absolute=1000, auto_extend=False))
    browser = await site.visitor(a=1)
    site.clock.now += 1
    async with browser.visit() as session:
        session.extend = False
        session.touch()
        assert START + 101 == session.expires_at
    assert START + 101 == site.row.expires_at


async def test_without_auto_extend_only_touch_extends(store: Bare) -> None:
    """With auto_extend=False neither reading nor writing moves the end."""
    site = Site(store, timeouts=Timeouts(idle=100, absolute=1000, auto_extend=False))
    browser = await site.visitor(a=1)
    site.clock.now += 50
    async with browser.visit() as session:
        session["a"] = 2
    assert START + 100 == site.row.expires_at


async def test_promise_21_a_login_starts_the_absolute_timeout_anew(store: Bare) -> None:
    """After bind the absolute timeout counts from the login."""
    site = _site(store)
    browser = await site.visitor(a=1)
    site.clock.now += 60
    async with browser.visit() as session:
        session.bind("ann")
    assert START + 60 == site.row.created_at
    assert START + 160 == site.row.expires_at


async def test_promise_16_rotation_when_due_leaves_a_grace(store: Bare) -> None:
    """The former secret is good for grace seconds, in the same row, and its writes land."""
    site = _site(store, rotate_after=50, grace=30)
    browser = await site.visitor(a=1)
    former, id = browser.copy(), site.row.id
    site.clock.now += 50
    async with browser.visit() as session:
        assert 1 == session["a"]
    assert former.cookie != browser.cookie
    assert [SessionRotated(id=id, due=True)] == site.told(SessionRotated)
    site.clock.now += 29.9
    async with former.visit() as session:
        session["b"] = 2
    assert set_cookie_of(former.result) is None
    assert {"a": 1, "b": 2} == await browser.sees()
    site.clock.now += 0.1
    assert {} == await former.sees()
    assert {"a": 1, "b": 2} == await browser.sees()


async def test_promise_16_rotation_starts_its_clock_anew(store: Bare) -> None:
    """A secret that was replaced is not due again before ``rotate_after`` has passed again."""
    site = _site(store, rotate_after=50)
    browser = await site.visitor(a=1)
    for seconds, rotations in ((50, 1), (49, 1), (1, 2), (49, 2)):
        site.clock.now += seconds
        async with browser.visit() as session:
            assert 1 == session["a"]
        assert rotations == len(site.told(SessionRotated))


async def test_promise_16_one_hop(store: Bare) -> None:
    """Of two former secrets only the last is good, and it never rotates by itself."""
    site = _site(store, rotate_after=5, grace=30)
    browser = await site.visitor(a=1)
    first = browser.copy()
    site.clock.now += 5
    async with browser.visit() as session:
        assert 1 == session["a"]
    second = browser.copy()
    site.clock.now += 5
    async with first.visit() as session:
        assert 1 == session["a"]
    assert set_cookie_of(first.result) is None
    async with browser.visit() as session:
        assert 1 == session["a"]
    assert {} == await first.sees()
    assert {"a": 1} == await second.sees()


async def test_promise_13_no_rotation_without_a_cookie(store: Bare) -> None:
    """A response that cannot carry a cookie does not rotate, even if it is due."""
    site = _site(store, rotate_after=50)
    browser = await site.visitor(a=1)
    site.clock.now += 50
    async with browser.visit(can_set_cookie=False) as session:
        assert 1 == session["a"]
    assert [] == site.told(SessionRotated)
    assert {"a": 1} == await browser.sees()
