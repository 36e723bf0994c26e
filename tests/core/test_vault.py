"""``seal_at_rest``: a stolen database tells nothing, and nothing in it can be swapped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sojourn import (
    ConfigurationError,
    CookieOptions,
    CookieRejected,
    KeyRing,
    Rejection,
    SessionManager,
    SessionNotFoundError,
)
from sojourn._token import Token, hash_secret, spell

from ._no_rows import NoRows
from ._rows import Bare, NowaitRows, Rows
from ._site import Browser, Clock, Site, drive

pytestmark = pytest.mark.anyio

OLD, NEW = KeyRing.generate(), KeyRing.generate()


@pytest.fixture
def sealed(store: Bare) -> Site:
    """A site whose rows are sealed."""
    return Site(store, keys=OLD, seal_at_rest=True)


async def test_rows_show_nothing(sealed: Site) -> None:
    """Neither keys nor values of a session are in its row, and they come back equal."""
    browser = await sealed.visitor(password_hint="hush", nested=[1, {"word": "hush"}])
    assert b"hush" not in sealed.row.payload
    assert b"hint" not in sealed.row.payload
    seen = await browser.sees()
    assert {"password_hint": "hush", "nested": [1, {"word": "hush"}]} == seen


async def test_equal_sessions_look_different(sealed: Site) -> None:
    """Two sessions with the same values, and two writes of one, have different payloads."""
    first = await sealed.visitor(a=1)
    await sealed.visitor(a=1)
    payloads = {row.payload for row in sealed.store.rows.values()}
    for n in (2, 1):
        async with first.visit() as session:
            session["a"] = n
    payloads |= {row.payload for row in sealed.store.rows.values()}
    assert 3 == len(payloads)


async def test_a_payload_opens_in_its_own_row_only(sealed: Site) -> None:
    """Whoever can write to the database cannot give one session another's data."""
    admin, browser = await sealed.visitor(role="admin"), await sealed.visitor(role="guest")
    rows, (one, two) = sealed.store.rows, list(sealed.store.rows)
    rows[one], rows[two] = (
        replace(rows[one], payload=rows[two].payload),
        replace(rows[two], payload=rows[one].payload),
    )
    for visitor in (admin, browser):
        session = await visitor.load()
        assert session.is_new
        assert session.get("role") is None
    assert [CookieRejected(reason=Rejection.UNREADABLE)] * 2 == sealed.events


@given(position=st.integers(0, 10_000), flip=st.integers(1, 255))
def test_any_changed_byte_is_an_absent_session(position: int, flip: int) -> None:
    """A payload that was tampered with is a new visitor, never an exception."""
    site = Site(NowaitRows(), keys=OLD, seal_at_rest=True)
    browser = drive(site.visitor(a=1))
    payload = bytearray(site.row.payload)
    payload[position % len(payload)] ^= flip
    site.store.rows[site.row.id] = replace(site.row, payload=bytes(payload))
    assert drive(browser.load()).is_new


FORGED = {
    "secret_hash": lambda row: hash_secret(b"known to a thief".ljust(32)),
    "owner": lambda row: "admin",
    "created_at": lambda row: row.created_at + 1,
    "previous_hash": lambda row: hash_secret(b"known to a thief".ljust(32)),
    "previous_until": lambda row: row.expires_at,
}


@pytest.mark.parametrize("column", FORGED)
async def test_what_is_written_with_a_payload_is_sealed_with_it(sealed, column):
    """Whoever can write to the database gets no session by a secret, owner or date of their own."""
    await sealed.visitor("ann", a=1)
    row = sealed.row
    sealed.store.rows[row.id] = replace(row, **{column: FORGED[column](row)})
    with pytest.raises(SessionNotFoundError):
        async with sealed.manager.edit(row.id):
            pass
    assert [] == await sealed.manager.sessions_of("admin")
    assert [] == await sealed.manager.sessions_of("ann")


async def test_a_thief_s_secret_opens_nothing(sealed):
    """A cookie for a hash that was written into the row is refused like any other."""
    await sealed.visitor("ann", a=1)
    row, secret = sealed.row, b"known to a thief".ljust(32)
    sealed.store.rows[row.id] = replace(row, secret_hash=hash_secret(secret))
    thief = Browser(sealed, spell(Token(row.id, secret)))
    assert (await thief.load()).is_new
    assert [CookieRejected(reason=Rejection.UNREADABLE)] == sealed.events


async def test_an_older_payload_opens_no_newer_row(sealed):
    """A payload from before a login, put back, does not open for the cookie after it."""
    browser = await sealed.visitor(cart=["cheap"])
    before = sealed.row
    async with browser.visit() as session:
        session.bind("ann")
    after = sealed.row
    sealed.store.rows[after.id] = replace(after, payload=before.payload)
    assert (await browser.load()).is_new


async def test_extending_keeps_the_seal(sealed):
    """A row whose deadline was moved opens as before: its payload was not written again."""
    browser = await sealed.visitor(a=1)
    before = sealed.row
    sealed.clock.now = before.expires_at - 1
    async with browser.visit() as session:
        assert 1 == session["a"]
    assert before.expires_at < sealed.row.expires_at
    assert before.payload == sealed.row.payload
    assert {"a": 1} == await browser.sees()


async def test_rows_from_before_do_not_open(site: Site) -> None:
    """There is no reader for what was never sealed, and none for sealed rows without keys."""
    plain = await site.visitor(a=1)
    sealing = site.other(keys=OLD, seal_at_rest=True)
    assert (await plain.copy(sealing).load()).is_new
    sealed = await sealing.visitor(a=1)
    assert (await sealed.copy(site).load()).is_new


async def test_a_new_key_seals_anew(sealed: Site) -> None:
    """A row under an old key is sealed with the first one at its next look, without a cookie."""
    browser = await sealed.visitor(a=1)
    rotated = sealed.other(keys=[NEW, OLD], seal_at_rest=True)
    tab = browser.copy(rotated)
    async with tab.visit() as session:
        assert 1 == session["a"]
    assert browser.cookie == tab.cookie
    done = sealed.other(keys=NEW, seal_at_rest=True)
    assert {"a": 1} == await browser.copy(done).sees()
    assert (await browser.load()).is_new
    rotated.store.calls.clear()
    async with tab.visit() as session:
        assert 1 == session["a"]
    assert ["load"] == rotated.store.calls


async def test_without_the_key_it_does_not_open(sealed: Site) -> None:
    """A row under a key that is gone is an absent session and an event."""
    browser = await sealed.visitor(a=1)
    lost = sealed.other(keys=NEW, seal_at_rest=True)
    assert (await browser.copy(lost).load()).is_new
    assert [CookieRejected(reason=Rejection.UNREADABLE)] == lost.events


async def test_managers_with_different_cookies_share_rows(sealed: Site) -> None:
    """What seals rows is not bound to a cookie's name."""
    browser = await sealed.visitor(a=1)
    other = sealed.other(keys=OLD, seal_at_rest=True, cookie=CookieOptions(name="other"))
    assert {"a": 1} == await browser.copy(other).sees()


async def test_owners_and_edit_see_through_the_seal(sealed: Site) -> None:
    """What is sealed is listed and edited like any other row; what does not open is not listed."""
    browser = await sealed.visitor("ann", a=1)
    id = sealed.row.id
    await sealed.other(keys=NEW, seal_at_rest=True).visitor("ann", a=2)
    (info,) = await sealed.manager.sessions_of("ann")
    assert (id, {"a": 1}) == (info.id, dict(info.data))
    async with sealed.manager.edit(id) as session:
        session["a"] = 3
    assert {"a": 3} == await browser.sees()


def test_sealing_needs_keys() -> None:
    """Without keys it refuses to start, and says how to make one."""
    with pytest.raises(ConfigurationError, match=r"seal_at_rest: give keys=.*sojourn key"):
        SessionManager(Rows(), seal_at_rest=True)


def test_sealing_needs_rows() -> None:
    """A backend without rows has nothing to seal."""
    with pytest.raises(ConfigurationError, match="seal_at_rest: this store has no rows"):
        SessionManager(NoRows(), seal_at_rest=True, keys=OLD)


def test_keys_alone_seal_nothing() -> None:
    """Sealing rows is asked for by name; keys without it leave them as they are."""
    site = Site(NowaitRows(), Clock(), keys=OLD)
    drive(site.visitor(word="plain"))
    assert b"plain" in site.row.payload


async def test_an_extension_hides_no_old_key(sealed: Site) -> None:
    """A row that was only touched is still sealed with the old key, and so is sealed anew later."""
    browser = await sealed.visitor(a=1)
    rotated = sealed.other(keys=[NEW, OLD], seal_at_rest=True)
    rotated.clock.now += 900
    async with browser.copy(rotated).visit(can_set_cookie=False) as session:
        assert 1 == session["a"]
    assert "touch" == rotated.store.calls[-1]
    await browser.copy(rotated).sees()
    async with browser.copy(rotated).visit() as session:
        assert 1 == session["a"]
    assert "replace" == rotated.store.calls[-1]
    assert {"a": 1} == await browser.copy(sealed.other(keys=NEW, seal_at_rest=True)).sees()
