"""Promise 36: flash values are there until somebody reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sojourn import Session, SessionSealedError

from ._site import Browser, Site

pytestmark = pytest.mark.anyio

CONSUMING: dict[str, Callable[[Session[Any]], Any]] = {
    "get": lambda session: session.get("note"),
    "[]": lambda session: session["note"],
    "pop": lambda session: session.pop("note"),
    "popitem": lambda session: session.popitem()[1],
    "setdefault": lambda session: session.setdefault("note", "another"),
}
KEEPING: dict[str, Callable[[Session[Any]], Any]] = {
    "peek": lambda session: session.peek("note"),
    "iteration": lambda session: dict.fromkeys(session, "hello")["note"],
    "items": lambda session: dict(session.items())["note"],
    "values": lambda session: next(iter(session.values())),
    "in": lambda session: "hello" if "note" in session else None,
}


async def _told(site: Site) -> Browser:
    browser = site.browser()
    async with browser.visit() as session:
        session.flash("note", "hello")
    site.store.calls.clear()
    return browser


@pytest.mark.parametrize("read", CONSUMING.values(), ids=CONSUMING.keys())
async def test_promise_36_the_first_read_consumes(site: Site, read: Any) -> None:
    """The first read of a flash value gives it, the second one and the next request find none."""
    browser = await _told(site)
    async with browser.visit() as session:
        assert "hello" == read(session)
        assert session.get("note") is None
        assert "note" not in session
    assert {} == await browser.sees()


@pytest.mark.parametrize("look", KEEPING.values(), ids=KEEPING.keys())
async def test_promise_36_looking_at_all_consumes_nothing(site: Site, look: Any) -> None:
    """Peeking, iterating and listing leave a flash value where it is, and write nothing."""
    browser = await _told(site)
    async with browser.visit() as session:
        assert "hello" == look(session)
    assert {"load"} == set(site.store.calls)
    assert {"note": "hello"} == await browser.sees()


@pytest.mark.parametrize("keys", [(), ("note",), ("note", "never read")], ids=str)
async def test_keep_puts_back_what_was_read(site: Site, keys: tuple[str, ...]) -> None:
    """A value that was read and kept is there once more, still flash; nothing was written."""
    browser = await _told(site)
    async with browser.visit() as session:
        assert "hello" == session["note"]
        session.keep(*keys)
        assert "hello" == session.peek("note")
    assert {"load"} == set(site.store.calls)
    async with browser.visit() as session:
        assert "hello" == session["note"]
    assert {} == await browser.sees()


async def test_keep_after_a_commit_puts_it_back_as_well(site: Site) -> None:
    """A value whose consumption was committed already is written anew by keep."""
    browser = await _told(site)
    async with browser.visit() as session:
        assert "hello" == session["note"]
        await session.commit()
        session.keep()
    assert {"note": "hello"} == await browser.sees()


async def test_keep_leaves_a_newer_value_alone(site: Site) -> None:
    """What was set after the read stays, whatever keep says."""
    browser = await _told(site)
    async with browser.visit() as session:
        assert "hello" == session["note"]
        session["note"] = "newer"
        session.keep()
    assert {"note": "newer"} == await browser.sees()


async def test_keep_after_the_response_started_is_refused(site: Site) -> None:
    """What was read stays read: a handle that is sealed keeps nothing."""
    browser = await _told(site)
    session = await browser.load()
    assert "hello" == session["note"]
    await site.manager.commit(session)
    with pytest.raises(SessionSealedError):
        session.keep()
    assert {} == await browser.sees()


async def test_keep_of_what_was_not_read_does_nothing(site: Site) -> None:
    """Keep without a read is no change."""
    browser = await _told(site)
    async with browser.visit() as session:
        session.keep()
        session.keep("note", "unknown")
    assert {"load"} == set(site.store.calls)


async def test_promise_36_a_consume_removes_only_what_was_read(site: Site) -> None:
    """A background request that reads a value does not take the one that came meanwhile."""
    browser = await _told(site)
    background = await browser.copy().load()
    assert "hello" == background["note"]
    async with browser.visit() as session:
        session.flash("note", "another")
    await site.manager.commit(background)
    assert {"note": "another"} == await browser.sees()


async def test_promise_36_it_survives_requests_that_do_not_read_it(site: Site) -> None:
    """Redirects and background requests leave a flash value alone, even if they write."""
    browser = await _told(site)
    for number in range(3):
        async with browser.visit() as session:
            session["number"] = number
    async with browser.visit() as session:
        assert "hello" == session["note"]
    assert {"number": 2} == await browser.sees()


async def test_a_put_makes_it_ordinary(site: Site) -> None:
    """A value that is set over a flash value stays after it was read."""
    browser = await _told(site)
    async with browser.visit() as session:
        session["note"] = "hello"
    async with browser.visit() as session:
        assert "hello" == session["note"]
    assert {"note": "hello"} == await browser.sees()


async def test_a_changed_flash_value_stays_flash(site: Site) -> None:
    """A change inside a flash value that was peeked at is kept, and the value is still flash."""
    browser = site.browser()
    async with browser.visit() as session:
        session.flash("list", [1])
    async with browser.visit() as session:
        session.peek("list").append(2)
    async with browser.visit() as session:
        assert [1, 2] == session["list"]
    assert {} == await browser.sees()


async def test_what_is_not_there(site: Site) -> None:
    """A missing key is a KeyError or the default, as in a dict."""
    session = await site.manager.load([])
    for missing in (session.__getitem__, session.__delitem__, session.pop):
        with pytest.raises(KeyError, match="note"):
            missing("note")
    with pytest.raises(KeyError):
        session.popitem()
    assert 7 == session.pop("note", 7)
