"""Promise 19: no secret, payload or key in a log, an event, a message or a repr."""

from __future__ import annotations

import base64
import copy
import logging
import os
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Raw

from sojourn import (
    CommitResult,
    Flash,
    KeyRing,
    Modify,
    Opened,
    Outcome,
    Patch,
    Put,
    StoreUnavailableError,
    Timeouts,
    Unsealed,
    Written,
    plan_commit,
)

from ._rows import Bare, NowaitRows
from ._site import Site, drive

pytestmark = pytest.mark.anyio

PAYLOAD = "hush-hush-hush"


def _spellings(secret: bytes) -> list[str]:
    text = base64.urlsafe_b64encode(secret).decode().rstrip("=")
    return [secret.hex(), text, text[2:-2], repr(secret)[2:-1], str(list(secret))[1:-1]]


def _secrets_of(site: Site, cookie: str) -> list[str]:
    secret = base64.urlsafe_b64decode(cookie)[16:]
    return [PAYLOAD, cookie, cookie[22:], *_spellings(secret), *_spellings(site.row.secret_hash)]


def _assert_clean(text: str, secrets: list[str]) -> None:
    for secret in secrets:
        assert secret not in text


async def test_promise_19_logs_events_and_errors_show_no_secret(
    store: Bare, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever happens to a session, nothing that is told about it would open it or shows it."""
    caplog.set_level(logging.DEBUG)
    site = Site(store)
    browser = site.browser()
    seen: list[str] = []
    async with browser.visit() as session:
        session["word"] = [PAYLOAD]
        session.flash("note", PAYLOAD)
    seen += _secrets_of(site, browser.cookie)
    for change in ("rotate", "touch"):
        async with browser.visit() as session:
            getattr(session, change)()
        seen += _secrets_of(site, browser.cookie)
    async with browser.visit() as session:
        session.bind("ann")
    seen += _secrets_of(site, browser.cookie)
    thief = site.browser(browser.cookie[:-1] + ("A" if browser.cookie[-1] != "A" else "B"))
    await thief.sees()
    await site.browser(PAYLOAD).sees()
    store.failing["*"] = StoreUnavailableError("down")
    with pytest.raises(StoreUnavailableError) as caught:
        await browser.sees()
    store.failing.clear()
    told = "\n".join([repr(e) for e in site.events] + [repr(caught.value), caplog.text])
    assert "SessionBound" in caplog.text
    _assert_clean(told, seen)


def _public_objects(site: Site, cookie: str) -> list[Any]:
    (record,) = site.store.rows.values()
    session: Any = drive(site.browser(cookie).load())
    session.peek("word")
    opened: Any = site.manager._settings.backend
    found = drive(opened.load(opened.parse(cookie.encode()), now=site.clock()))
    assert isinstance(found, Opened)
    raw = Raw(PAYLOAD.encode())
    patch = Patch((Put("word", raw), Flash("word", raw), Modify("word", str, PAYLOAD)))
    plan = plan_commit(found, Patch((Put("word", raw),)), site.manager._settings.policy, 0)
    return [
        record,
        session,
        session.items(),
        session.values(),
        opened._recent,
        opened._recent.get(record.id),
        found,
        found.state,
        found.ticket,
        patch,
        plan,
        Written(Outcome.APPLIED, found),
        site.manager,
        site.manager._settings,
        CommitResult((("Set-Cookie", f"__Host-session={cookie}"),)),
        Unsealed(PAYLOAD.encode(), False),
    ]


def test_promise_19_no_repr_shows_a_payload_or_a_secret() -> None:
    """The repr of everything that the core hands out is fit for any log."""
    site = Site(NowaitRows())
    browser = drive(site.visitor(word=PAYLOAD))
    secrets = _secrets_of(site, browser.cookie)
    for thing in _public_objects(site, browser.cookie):
        _assert_clean(repr(thing), secrets)
        _assert_clean(str(thing), secrets)


def test_promise_19_no_repr_shows_a_key() -> None:
    """A ring of keys, and what is made from it, shows how many there are and no more."""
    text = KeyRing.generate()
    key = base64.urlsafe_b64decode(text + "=")
    site = Site(NowaitRows(), keys=text)
    for thing in (KeyRing(text), KeyRing(text).box("x"), site.manager, site.manager._settings):
        _assert_clean(repr(thing), _spellings(key))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_promise_19_a_handle_is_not_copied(duplicate: Callable[[object], object]) -> None:
    """Neither pickle nor copy takes a session: a copy would commit on its own, or hold a cookie."""
    session = Site(NowaitRows()).manager.open([])
    with pytest.raises(TypeError, match=r"session\.items\(\)"):
        duplicate(session)


async def test_promise_19_stores_never_see_a_secret(site: Site) -> None:
    """The row has the secret's hash, and neither the secret nor the cookie."""
    browser = await site.visitor(word="x")
    secret = base64.urlsafe_b64decode(browser.cookie)[16:]
    row = site.row
    whole = repr([getattr(row, name) for name in row.__struct_fields__])
    _assert_clean(whole, [browser.cookie, *_spellings(secret)])


async def test_a_secret_is_32_bytes_of_entropy_each_time(store: Bare) -> None:
    """Ids take 16 bytes and secrets 32, from the one source and nowhere else (ASVS 5.0 7.2.3)."""
    asked: list[int] = []

    def entropy(size: int) -> bytes:
        asked.append(size)
        return os.urandom(size)

    site = Site(store, entropy=entropy)
    browser = await site.visitor(a=1)
    assert [16, 32] == asked
    async with browser.visit() as session:
        session["a"] = 2
    assert [16, 32] == asked
    async with browser.visit() as session:
        session.bind("ann")
    assert [16, 32, 32] == asked


async def test_what_opens_nothing_is_answered_alike(store: Bare) -> None:
    """Unknown, expired, superseded and malformed cookies get the same answer (ASVS 5.0 11.2.5)."""
    site = Site(store, timeouts=Timeouts(idle=60))
    expired, superseded = await site.visitor(a=1), await site.visitor(a=1)
    ended = await site.visitor(a=1)
    old = superseded.copy()
    async with superseded.visit() as session:
        session.rotate()
    async with ended.copy().visit() as session:
        session.destroy()
    site.clock.now += 59
    async with superseded.visit():
        pass
    site.clock.now += 1
    answers = []
    for browser in (expired, old, ended, site.browser("junk"), site.browser("A" * 64)):
        session = await browser.load()
        answers.append(
            (dict(session), session.is_new, session.owner, await browser.commit(session))
        )
    assert [({}, True, None, CommitResult((("Vary", "Cookie"),)))] * 5 == answers
