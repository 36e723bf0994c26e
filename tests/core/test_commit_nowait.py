"""``commit_nowait``: the commit of a request that has nothing to write."""

from __future__ import annotations

import pytest

from sojourn import SessionSealedError, Timeouts

from ._rows import Bare, NowaitRows
from ._site import Site, names_of

pytestmark = pytest.mark.anyio


async def test_an_untouched_session_is_committed_without_a_wait(store: Bare) -> None:
    """It says nothing and seals, as ``commit`` does, and ``commit`` has nothing to add."""
    site = Site(store)
    browser = await site.visitor(a=1)
    session = site.manager.open(browser.headers)
    result = site.manager.commit_nowait(session)
    assert result is not None
    assert () == result.headers
    assert result == await site.manager.commit(session)
    assert [] == store.calls


async def test_a_session_that_was_looked_at_says_vary(store: Bare) -> None:
    """Reading is answered at once, and a later change is refused."""
    site = Site(store)
    session = await (await site.visitor(a=1)).load()
    assert 1 == session["a"]
    result = site.manager.commit_nowait(session)
    assert result is not None
    assert ["Vary"] == names_of(result)
    assert result is await site.manager.commit(session)
    with pytest.raises(SessionSealedError):
        session["a"] = 2


async def test_what_has_to_be_written_is_left_to_commit() -> None:
    """A change, a change inside a value and an extension that is due are not decided here."""
    site = Site(NowaitRows(), timeouts=Timeouts(idle=100))
    browser = await site.visitor(a=1, b=[])
    put, inside = await browser.load(), await browser.load()
    put["a"] = 2
    inside["b"].append(1)
    for session in (put, inside):
        assert site.manager.commit_nowait(session) is None
        assert ["Vary"] == names_of(await site.manager.commit(session))
    site.clock.now += 50
    due = await browser.load()
    assert 2 == due["a"]
    assert site.manager.commit_nowait(due) is None
    assert {"a": 2, "b": [1]} == await browser.sees()


async def test_a_failed_response_drops_its_changes_at_once(store: Bare) -> None:
    """A 5xx writes nothing, so there is nothing to wait for."""
    site = Site(store)
    browser = await site.visitor(a=1)
    session = await browser.load()
    session["a"] = 2
    assert site.manager.commit_nowait(session, status=500) is not None
    assert {"a": 1} == await browser.sees()
