"""Events: what the operator hears, in which order, and what a bad listener does."""

from __future__ import annotations

import logging

import pytest

from sojourn import (
    CommitDiscarded,
    CommitRetried,
    CookieRejected,
    Discard,
    Event,
    OwnerRevoked,
    Rejection,
    SessionBound,
    SessionChanged,
    SessionCreated,
    SessionDestroyed,
    SessionExtended,
    SessionRevoked,
    SessionRotated,
    SessionsSwept,
    StoreFailed,
    Timeouts,
    ValueDropped,
)
from sojourn._events import Emitter

from ._rows import Bare
from ._site import Clock, Entropy, Site

pytestmark = pytest.mark.anyio

ID = "0" * 32


@pytest.fixture
def rotating(store: Bare) -> Site:
    """A site whose secrets are replaced every minute."""
    return Site(store, Clock(), entropy=Entropy(), timeouts=Timeouts(rotate_after=60))


def _bind_after_destroy(session) -> None:
    session.destroy()
    session.bind("ann")


SCENARIOS = {
    "look": (lambda session: session.get("a"), []),
    "change": (lambda session: session.set("a", 2), [SessionChanged]),
    "clear": (lambda session: session.clear(), [SessionChanged]),
    "touch": (lambda session: session.touch(), [SessionExtended]),
    "rotate": (lambda session: session.rotate(), [SessionRotated]),
    "login": (lambda session: session.bind("ann"), [SessionBound]),
    "logout": (lambda session: session.destroy(), [SessionDestroyed]),
    "logout and more": (
        lambda session: session.destroy() or session.set("b", 1),
        [SessionDestroyed, SessionCreated],
    ),
    "logout and login": (_bind_after_destroy, [SessionDestroyed, SessionCreated, SessionBound]),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_what_is_told_of_a_request(site: Site, scenario: str) -> None:
    """Each scenario tells exactly its events, in this order, with the ids of their sessions."""
    change, expected = SCENARIOS[scenario]
    browser = await site.visitor(a=1)
    old = site.row.id
    site.clock.now += 10
    async with browser.visit() as session:
        change(session)
    assert expected == [type(event) for event in site.events]
    for event in site.events:
        id = old if len(site.events) == 1 or isinstance(event, SessionDestroyed) else site.row.id
        assert id == getattr(event, "id", None)


async def test_what_is_told_of_a_new_visitor(site: Site) -> None:
    """A first write tells of a session that began, a first login of both."""
    for change, expected in (
        (lambda session: session.set("a", 1), [SessionCreated]),
        (lambda session: session.bind("ann"), [SessionCreated, SessionBound]),
    ):
        site.events.clear()
        async with site.browser().visit() as session:
            change(session)
        assert expected == [type(event) for event in site.events]


async def test_what_is_told_of_a_periodic_rotation(rotating: Site) -> None:
    """A rotation that was due says so; one that was asked for does not."""
    browser = await rotating.visitor(a=1)
    id = rotating.row.id
    rotating.clock.now += 61
    async with browser.visit() as session:
        assert 1 == session["a"]
    async with browser.visit() as session:
        session.rotate()
    assert [SessionRotated(id=id, due=True), SessionRotated(id=id)] == rotating.events


async def test_what_is_told_of_a_conflict(site: Site) -> None:
    """A commit that had to be replayed tells how often, before what it wrote."""
    browser = await site.visitor(a=1)
    id = site.row.id
    session = await browser.load()
    session["a"] = 2
    quiet = site.other()
    async with browser.copy(quiet).visit() as other:
        other["b"] = 1
    await browser.commit(session)
    assert [CommitRetried(id=id, attempts=1), SessionChanged(id=id)] == site.events


@pytest.mark.parametrize("timeouts", [Timeouts(), Timeouts(rotate_after=60)])
async def test_what_is_told_of_a_lost_look(store: Bare, timeouts: Timeouts) -> None:
    """A request that only looked lost nothing when its session ended meanwhile: no event."""
    site = Site(store, timeouts=timeouts)
    browser = await site.visitor(a=1)
    site.clock.now += 900
    session = await browser.load()
    assert 1 == session["a"]
    await site.other().manager.revoke(site.row.id)
    result = await browser.commit(session)
    assert Discard.GONE is result.discarded
    assert [] == site.events


GOLDEN: list[tuple[Event, int, str]] = [
    (SessionCreated(id=ID), logging.DEBUG, f"SessionCreated(id='{ID}')"),
    (SessionChanged(id=ID), logging.DEBUG, f"SessionChanged(id='{ID}')"),
    (SessionExtended(id=ID), logging.DEBUG, f"SessionExtended(id='{ID}')"),
    (SessionRotated(id=ID), logging.DEBUG, f"SessionRotated(id='{ID}', due=False)"),
    (SessionBound(id=ID), logging.INFO, f"SessionBound(id='{ID}')"),
    (SessionDestroyed(id=ID), logging.INFO, f"SessionDestroyed(id='{ID}')"),
    (SessionRevoked(id=ID), logging.INFO, f"SessionRevoked(id='{ID}')"),
    (OwnerRevoked(count=2), logging.INFO, "OwnerRevoked(count=2)"),
    (
        CookieRejected(reason=Rejection.FORGED),
        logging.INFO,
        "CookieRejected(reason=<Rejection.FORGED: 'forged'>)",
    ),
    (ValueDropped(id=ID, key="n"), logging.WARNING, f"ValueDropped(id='{ID}', key='n')"),
    (CommitRetried(id=ID, attempts=2), logging.DEBUG, f"CommitRetried(id='{ID}', attempts=2)"),
    (
        CommitDiscarded(reason=Discard.GONE),
        logging.INFO,
        "CommitDiscarded(reason=<Discard.GONE: 'gone'>, id=None)",
    ),
    (
        StoreFailed(operation="load", error="OSError"),
        logging.ERROR,
        "StoreFailed(operation='load', error='OSError')",
    ),
    (SessionsSwept(count=3), logging.DEBUG, "SessionsSwept(count=3)"),
]


@pytest.mark.parametrize(("event", "level", "text"), GOLDEN, ids=lambda value: type(value).__name__)
def test_events_are_logged(event: Event, level: int, text: str, caplog) -> None:
    """Each event goes to the logger ``sojourn`` at its own level, as its repr."""
    caplog.set_level(logging.DEBUG, "sojourn")
    Emitter(None)(event)
    assert [("sojourn", level, text)] == caplog.record_tuples


def test_every_event_is_golden() -> None:
    """The list above has each public event."""
    import sojourn

    public = [getattr(sojourn, name) for name in sojourn.__all__]
    events = {kind for kind in public if isinstance(kind, type) and issubclass(kind, Event)}
    assert {type(event) for event, *_ in GOLDEN} | {Event, sojourn.SessionEvent} == events


def test_events_below_the_loggers_level_are_not_logged(caplog) -> None:
    """What nobody asked to see is not even formatted; a listener gets it all the same."""
    caplog.set_level(logging.WARNING, "sojourn")
    heard: list[Event] = []
    Emitter(heard.append)(SessionCreated(id=ID))
    assert [] == caplog.records
    assert [SessionCreated(id=ID)] == heard


def test_wants(caplog) -> None:
    """An emitter wants an event if there is a listener, or a logger that shows its level."""
    caplog.set_level(logging.INFO, "sojourn")
    assert Emitter(None).wants(logging.INFO)
    assert not Emitter(None).wants(logging.DEBUG)
    assert Emitter(print).wants(logging.DEBUG)


async def test_nobody_listens(store: Bare, caplog) -> None:
    """Without a listener and with a quiet logger a commit makes no events."""
    caplog.set_level(logging.WARNING, "sojourn")
    site = Site(store, on_event=None)
    await site.visitor(a=1)
    assert [] == site.events
    assert [] == caplog.records


async def test_a_listener_that_raises_is_logged_and_harms_nobody(store: Bare, caplog) -> None:
    """The request goes on; the log names the event's type and shows the traceback."""
    caplog.set_level(logging.ERROR, "sojourn")

    def broken(event: Event) -> None:
        raise ZeroDivisionError

    site = Site(store, on_event=broken)
    browser = await site.visitor(a=1)
    assert {"a": 1} == await browser.sees()
    (record,) = caplog.records
    assert "on_event raised for SessionCreated" == record.getMessage()
    assert record.exc_info is not None


def test_a_listener_that_is_cancelled_is_not_swallowed() -> None:
    """Only errors are logged: what ends a task or the process passes through."""

    class Ended(BaseException):
        pass

    def leave(event: Event) -> None:
        raise Ended

    with pytest.raises(Ended):
        Emitter(leave)(SessionCreated(id=ID))
