"""Promise 18, and work on a session by its public id: listing, revoking, ``edit``."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from sojourn import (
    ConfigurationError,
    OwnerRevoked,
    Record,
    SessionNotFoundError,
    SessionRevoked,
    SessionSealedError,
    StoreFailed,
    StoreUnavailableError,
    Timeouts,
)

from ._rows import Bare, NowaitRows, Rows
from ._site import Browser, Site

pytestmark = pytest.mark.anyio

UNKNOWN = "0" * 32


async def _id(browser: Browser) -> str:
    id = (await browser.load()).id
    assert id is not None
    return id


async def test_promise_18_an_owner_sees_all_sessions(site: Site) -> None:
    """An owner's live sessions are listed, oldest first, without flash messages."""
    first = await site.visitor("ann", device="phone")
    site.clock.now += 10
    second = await site.visitor("ann", device="laptop")
    await site.visitor("bob")
    async with second.visit() as session:
        session.flash("note", "hello")
    listed = await site.manager.sessions_of("ann")
    assert [await _id(first), await _id(second)] == [info.id for info in listed]
    assert [{"device": "phone"}, {"device": "laptop"}] == [dict(info.data) for info in listed]
    assert [site.clock.now - 10, site.clock.now] == [info.authenticated_at for info in listed]
    assert {"ann"} == {info.owner for info in listed}
    assert "phone" not in repr(listed)


async def test_promise_18_what_has_expired_or_is_corrupt_is_not_listed(site: Site) -> None:
    """An expired row and one that cannot be read are no sessions; one misfit is left out."""
    for n in range(3):
        await site.visitor("ann", n=n)
        site.clock.now += 10
    broken, *_, last = site.store.rows
    site.store.rows[broken] = replace(site.store.rows[broken], payload=b"\xc1")
    shorter = site.other(timeouts=Timeouts(absolute=15))
    assert [last] == [info.id for info in await shorter.manager.sessions_of("ann")]


async def test_promise_18_a_value_that_no_longer_fits_is_left_out(site: Site) -> None:
    """A list of sessions shows what its model can read."""

    class Visit(msgspec.Struct):
        n: int = 0

    await site.visitor("ann", n="text", other=1)
    typed = site.other(model=Visit)
    (info,) = await typed.manager.sessions_of("ann")
    assert {"other": 1} == dict(info.data)


async def test_promise_18_revoke_one(site: Site) -> None:
    """A revoked session is gone at once, by its public id; a second time there is nothing."""
    browser = await site.visitor("ann")
    id = await _id(browser)
    assert await site.manager.revoke(id)
    assert (await browser.load()).is_new
    assert not await site.manager.revoke(id)
    assert [SessionRevoked(id=id)] == site.told(SessionRevoked)


@pytest.mark.parametrize("id", ["", "x" * 32, UNKNOWN.upper() + "A", "0" * 31, "é" * 32])
async def test_promise_18_any_text_may_be_revoked(site: Site, id: str) -> None:
    """What is no id of ours is not there; no store is asked about it."""
    assert not await site.manager.revoke(id)
    assert [] == site.store.calls


@pytest.mark.parametrize("keep", ["", "junk", "F" * 32, "\ud800"])
async def test_promise_18_what_is_no_id_keeps_nothing(site: Site, keep: str) -> None:
    """``keep`` may be any text: what is no id of ours never gets to a store."""
    browser = await site.visitor("ann")
    assert 1 == await site.manager.revoke_owner("ann", keep=keep)
    assert (await browser.load()).is_new


@pytest.mark.parametrize("owner", ["", "\ud800", "ann\0", "x" * 1025])
async def test_promise_18_any_text_may_be_asked_for(site: Site, owner: str) -> None:
    """What nobody can be bound to has no sessions; no store is asked about it."""
    assert [] == await site.manager.sessions_of(owner)
    assert 0 == await site.manager.revoke_owner(owner)
    assert [] == site.store.calls


@pytest.mark.parametrize("wrong", [{"owner": "bob"}, {"owner": None}, {"id": "x"}])
async def test_promise_18_a_row_of_somebody_else_is_not_listed(
    site: Site, wrong: dict[str, str | None]
) -> None:
    """A store that lists another owner's row has lost step: nothing is known about the owner."""
    await site.visitor("ann")
    row = replace(site.row, **wrong)

    async def load_owner(_owner: str, *, now: float) -> list[Record]:
        return [row] if now else []

    store: Any = site.store
    store.load_owner = load_owner
    with pytest.raises(StoreUnavailableError, match="another session's row"):
        await site.manager.sessions_of("ann")
    assert ["StoreUnavailableError"] == [event.error for event in site.told(StoreFailed)]


async def test_promise_18_revoke_all_or_all_but_this(site: Site) -> None:
    """All of an owner's sessions end, or all but one; nobody else's do."""
    browsers = [await site.visitor("ann") for _ in range(3)]
    other = await site.visitor("bob")
    assert 2 == await site.manager.revoke_owner("ann", keep=await _id(browsers[1]))
    assert [True, False, True] == [(await browser.load()).is_new for browser in browsers]
    assert 1 == await site.manager.revoke_owner("ann")
    assert "bob" == (await other.load()).owner
    assert [OwnerRevoked(count=2), OwnerRevoked(count=1)] == site.told(OwnerRevoked)


@pytest.mark.parametrize("call", ["sessions_of", "revoke_owner"])
async def test_promise_18_a_store_without_owners_says_so(call: str) -> None:
    """A store that cannot list by owner is named, with the remedy."""
    site = Site(Bare())
    with pytest.raises(ConfigurationError, match=r"Bare cannot list.*SupportsOwners"):
        await getattr(site.manager, call)("ann")


@pytest.mark.parametrize(
    ("call", "method"),
    [("revoke", "delete"), ("sessions_of", "load_owner"), ("revoke_owner", "delete_owner")],
)
async def test_promise_18_a_store_that_is_down_is_told(site: Site, call: str, method: str) -> None:
    """A failure on the way raises, and the operator hears of it."""
    site.store.failing[method] = StoreUnavailableError("down")
    with pytest.raises(StoreUnavailableError):
        await getattr(site.manager, call)(UNKNOWN)
    assert ["StoreUnavailableError"] == [event.error for event in site.told(StoreFailed)]


async def test_edit_works_by_public_id(site: Site) -> None:
    """``edit`` reads and writes a session without its cookie, and extends nothing."""
    browser = await site.visitor("ann", a=1)
    id, until = await _id(browser), site.row.expires_at
    site.clock.now += 900
    async with site.manager.edit(id) as session:
        assert ("ann", 1) == (session.owner, session["a"])
        session["a"] = 2
    assert until == site.row.expires_at
    assert {"a": 2} == await browser.sees()


async def test_edit_that_changes_nothing_writes_nothing(site: Site) -> None:
    """Looking at a session from outside is not its visitor's activity."""
    id = await _id(await site.visitor(a=1))
    site.clock.now += 900
    site.store.calls.clear()
    async with site.manager.edit(id) as session:
        assert 1 == session["a"]
    assert ["load"] == site.store.calls


async def test_edit_may_end_a_session(site: Site) -> None:
    """``destroy`` in an edit is a logout from outside."""
    browser = await site.visitor(a=1)
    async with site.manager.edit(await _id(browser)) as session:
        session.destroy()
    assert (await browser.load()).is_new


async def test_edit_of_a_block_that_raises_writes_nothing(site: Site) -> None:
    """An exception drops the changes, passes through, and closes the handle."""
    browser = await site.visitor(a=1)
    edit, session = site.manager.edit(await _id(browser)), None
    with pytest.raises(ZeroDivisionError):
        async with edit as session:
            session["a"] = 1 // 0
    assert session is not None
    with pytest.raises(SessionSealedError):
        session["a"] = 2
    assert {"a": 1} == await browser.sees()


@pytest.mark.parametrize("id", [UNKNOWN, "", "junk"])
async def test_edit_of_nothing(site: Site, id: str) -> None:
    """An id without a live session raises, which is a LookupError."""
    with pytest.raises(SessionNotFoundError) as caught:
        async with site.manager.edit(id):
            raise AssertionError
    assert isinstance(caught.value, LookupError)


async def test_edit_of_what_has_expired(site: Site) -> None:
    """An expired session is none."""
    id = await _id(await site.visitor(a=1))
    site.clock.now += 1801
    with pytest.raises(SessionNotFoundError):
        async with site.manager.edit(id):
            raise AssertionError


@pytest.mark.parametrize("change", ["rotate", "bind"])
async def test_edit_cannot_give_another_secret(site: Site, change: str) -> None:
    """``rotate`` and ``bind`` need a cookie, so an edit refuses them and writes nothing."""
    browser = await site.visitor(a=1)
    row = site.row
    with pytest.raises(SessionSealedError, match="edit"):
        async with site.manager.edit(row.id) as session:
            getattr(session, change)(*(["ann"] if change == "bind" else []))
    assert row == site.row
    assert {"a": 1} == await browser.sees()


async def test_edit_hides_no_exception_of_its_block(site: Site) -> None:
    """What the block raises comes out, also where a change had been refused before."""
    browser = await site.visitor(a=1)

    async def job() -> None:
        async with site.manager.edit(await _id(browser)) as session:
            session.rotate()
            with suppress(SessionSealedError):
                await session.commit()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await job()
    assert {"a": 1} == await browser.sees()


async def test_edit_of_what_ends_meanwhile(site: Site) -> None:
    """Deletion wins: the edit's changes are lost, and it raises."""
    id = await _id(await site.visitor(a=1))
    edit = site.manager.edit(id)
    session = await edit.__aenter__()
    session["a"] = 2
    await site.manager.revoke(id)
    with pytest.raises(SessionNotFoundError, match="while"):
        await edit.__aexit__(None, None, None)
    assert {} == site.store.rows


async def test_edit_survives_a_login_meanwhile(site: Site) -> None:
    """A job is not bound to a secret: its change lands although the visitor logged in."""
    browser = await site.visitor(a=1)
    async with site.manager.edit(await _id(browser)) as job:
        job["job"] = "done"
        async with browser.visit() as session:
            session.bind("ann")
    assert {"a": 1, "job": "done"} == await browser.sees()


@pytest.mark.parametrize("method", ["load", "replace"])
@pytest.mark.parametrize("kind", [Rows, NowaitRows])
async def test_edit_with_a_store_that_is_down(kind, method: str) -> None:
    """A store that fails is told and raises, and the session stays as it was."""
    site = Site(kind())
    browser = await site.visitor(a=1)
    row = site.row
    site.store.failing[method] = StoreUnavailableError("down")
    with pytest.raises(StoreUnavailableError):
        async with site.manager.edit(row.id) as session:
            session["a"] = 2
    assert [StoreFailed(operation=method, error="StoreUnavailableError")] == site.events
    site.store.failing.clear()
    assert {"a": 1} == await browser.sees()
