"""Promise 24: several cookies of our name, and which of them opens a session."""

from __future__ import annotations

import pytest

from sojourn import (
    CommitDiscarded,
    CommitPlan,
    CookieRejected,
    Discard,
    Outcome,
    Rejection,
    SessionManager,
    Timeouts,
    Written,
)

from ._no_rows import NoRows
from ._rows import NowaitRows
from ._site import Browser, Site, names_of

pytestmark = pytest.mark.anyio

STRANGER = "A" * 64


def _together(site: Site, *values: str) -> list[bytes]:
    name = site.manager.cookie.name
    return ["; ".join(f"{name}={value}" for value in values).encode()]


async def _seen(site: Site, headers: list[bytes]) -> dict[str, object]:
    """What a handler finds, with either way of loading."""
    session = site.manager.open(headers)
    if session.pending:
        await session.load()
    return dict(session)


@pytest.mark.parametrize("other", [STRANGER, "junk", ""])
@pytest.mark.parametrize("is_first", [True, False])
async def test_the_one_that_opens_counts(site: Site, other: str, is_first: bool) -> None:
    """A tossed cookie that opens nothing hides no session, wherever it stands."""
    cookie = (await site.visitor(a=1)).cookie
    values = (cookie, other) if is_first else (other, cookie)
    assert {"a": 1} == await _seen(site, _together(site, *values))


async def test_two_that_open_are_refused(site: Site) -> None:
    """An attacker's session, tossed beside the victim's, logs nobody in: neither counts."""
    one, two = await site.visitor(a=1), await site.visitor(a=2)
    assert {} == await _seen(site, _together(site, one.cookie, two.cookie))
    assert [CookieRejected(reason=Rejection.AMBIGUOUS)] == site.events


async def test_none_that_opens_is_told_one_by_one(site: Site) -> None:
    """Each candidate that opens nothing is told with its reason."""
    assert {} == await _seen(site, _together(site, STRANGER, "B" * 64))
    assert [CookieRejected(reason=Rejection.UNKNOWN)] * 2 == site.events


async def test_the_same_twice_is_one(site: Site) -> None:
    """A cookie that came twice, in one header or in two, is one."""
    browser = await site.visitor(a=1)
    headers = _together(site, browser.cookie, browser.cookie) + browser.headers
    assert {"a": 1} == await _seen(site, headers)
    assert ["load"] == site.store.calls
    assert [] == site.events


async def test_a_name_without_a_value_is_no_cookie(site: Site) -> None:
    """Our name elsewhere than before an equals sign is nothing of ours."""
    name = site.manager.cookie.name
    headers = [f"{name}; x={name}; x{name}=1; {name}x=2".encode()]
    assert {} == await _seen(site, headers)
    assert [] == site.events


async def test_a_shorter_absolute_timeout_ends_older_sessions(site: Site) -> None:
    """A session that a new setting would not let live is expired, though its row still is there."""
    browser = await site.visitor(a=1)
    shorter = site.other(timeouts=Timeouts(idle=None, absolute=600))
    site.clock.now += 600
    assert (await browser.copy(shorter).load()).is_new
    assert [CookieRejected(reason=Rejection.EXPIRED)] == shorter.events


class AlwaysTooLate(NoRows):
    """A backend on which another request was always faster."""

    async def write(self, plan: CommitPlan, *, now: float) -> Written:
        """See ``Backend``."""
        return Written(Outcome.CONFLICT)


async def test_a_conflict_about_nothing_that_was_loaded() -> None:
    """A backend that reports a conflict over a new session loses the change, and it is said so."""
    events: list[object] = []
    manager = SessionManager(AlwaysTooLate(), on_event=events.append)
    session = await manager.load([])
    session["a"] = 1
    result = await manager.commit(session)
    assert ["Vary"] == names_of(result)
    assert Discard.GONE is result.discarded
    assert [CommitDiscarded(reason=Discard.GONE)] == events


def test_candidates_of_a_lazy_store_are_opened_without_waiting() -> None:
    """Several candidates need no event loop where one would need none."""
    site = Site(NowaitRows())
    browser = Browser(site, STRANGER)
    assert site.manager.open(_together(site, STRANGER, "B" * 64)).is_new
    assert site.manager.open(browser.headers).is_new
    assert ["load"] * 3 == site.store.calls


@pytest.mark.parametrize("values", [(STRANGER,), ("junk",), ("junk", STRANGER)])
async def test_each_is_parsed_once(
    values: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No value is parsed twice, be it junk or not: a client may send four kilobytes of it."""
    site = Site(NowaitRows())
    backend, parsed = site.manager._settings.backend, list[bytes]()
    parse = backend.parse
    monkeypatch.setattr(backend, "parse", lambda value: parsed.append(value) or parse(value))
    assert {} == await _seen(site, _together(site, *values))
    assert [value.encode() for value in values] == parsed
