"""The promises of DESIGN over one store: time, owners, flash, and what holds when things break."""

# ruff: noqa: ARG002, ARG005 - a fixture may be wanted for what it does

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
import pytest
from msgspec.structs import replace

from sojourn import (
    CookieRejected,
    Discard,
    Event,
    Outcome,
    Record,
    Rejection,
    SessionManager,
    StoreUnavailableError,
    SupportsOwners,
    SupportsSweep,
)

from ._browser import Browser, client_cookie
from ._clock import ManualClock
from ._machine import run_round_trips, run_visits
from ._promises import remedy
from ._store_fixtures import ABSOLUTE, IDLE, MakeStore, StoreFixtures
from ._visits import content, logged_in
from ._wrappers import FailingStore, RecordingStore, SlowStore

Manager = SessionManager[Any]
Manage = Callable[..., Manager]

_EXACT = "Compare expires_at with the argument now: live while expires_at > now."


class TimeTests(StoreFixtures):
    """Time (promises 20 to 22)."""

    @remedy(_EXACT)
    async def test_the_idle_timeout_is_exact(self, manager: Manager, clock: ManualClock) -> None:
        """A session lives up to the last moment of its idle timeout and not longer (20)."""
        for wait, expected in ((IDLE - 0.5, {"name": "Anna"}), (IDLE, {})):
            browser = await logged_in(manager)
            clock.advance(wait)
            assert await content(browser) == expected

    @remedy("Let touch move the deadline to exactly what it is told.")
    async def test_the_absolute_timeout_is_exact(
        self, manager: Manager, clock: ManualClock
    ) -> None:
        """No activity extends a session past its absolute timeout (promise 20)."""
        browser = await logged_in(manager)
        for _ in range(int(ABSOLUTE / IDLE * 2) - 1):
            clock.advance(IDLE / 2)
            assert await content(browser) == {"name": "Anna"}
        clock.advance(IDLE / 2 - 0.5)
        assert await content(browser) == {"name": "Anna"}
        clock.advance(0.5)
        assert await content(browser) == {}

    @remedy("Remove what is expired at now, and count it.")
    async def test_the_manager_sweeps_all(
        self, manager: Manager, sweeper: SupportsSweep, clock: ManualClock
    ) -> None:
        """``manager.sweep`` removes all expired rows, says how many, and spares the rest (22)."""
        for _ in range(3):
            await logged_in(manager)
        clock.advance(IDLE / 2)
        browser = await logged_in(manager)
        clock.advance(IDLE / 2)
        assert await manager.sweep() == 3
        assert await manager.sweep() == 0
        assert await content(browser) == {"name": "Anna"}


class OwnedSessionTests(StoreFixtures):
    """An owner's sessions (promise 18)."""

    @remedy("List by the owner that the row has now.")
    async def test_sessions_are_listed_and_revoked(
        self, manager: Manager, owners: SupportsOwners, clock: ManualClock
    ) -> None:
        """An owner's sessions are listed; one, all but one, or all of them can be ended."""
        browsers: list[Browser] = []
        for number in range(4):
            header = await client_cookie(manager, {"n": number}, owner="user:1")
            browsers.append(Browser(manager, header))
            clock.advance(1)
        other = Browser(manager, await client_cookie(manager, {"n": 9}, owner="user:2"))
        listed = await manager.sessions_of("user:1")
        assert [info.data["n"] for info in listed] == [0, 1, 2, 3]
        assert await manager.revoke(listed[0].id)
        assert not await manager.revoke(listed[0].id)
        assert await manager.revoke_owner("user:1", keep=listed[2].id) == 2
        assert [await content(b) for b in browsers] == [{}, {}, {"n": 2}, {}]
        assert await manager.revoke_owner("user:1") == 1
        assert await manager.sessions_of("user:1") == []
        assert await content(other) == {"n": 9}


class FlashTests(StoreFixtures):
    """Flash values (promise 36)."""

    @remedy("Give back exactly the payload that was stored.")
    async def test_a_flash_value_is_read_once(self, manager: Manager) -> None:
        """A flash value survives until it is read, and is gone afterwards."""
        browser = await logged_in(manager)
        async with browser.request() as session:
            session.flash("message", "saved")
        async with browser.request() as session:
            assert "message" in session
            assert session.peek("message") == "saved"
        async with browser.request() as session:
            assert session.get("message") == "saved"
            assert session.get("message") is None
        assert "message" not in await content(browser)

    @remedy("Let replace answer CONFLICT when the version moved, so that the read is replayed.")
    async def test_a_later_flash_value_survives_an_earlier_read(self, manager: Manager) -> None:
        """Reading one flash value does not take away one that came meanwhile."""
        browser = await logged_in(manager)
        async with browser.request() as session:
            session.flash("message", "first")
        reader = await browser.load()
        assert reader["message"] == "first"
        async with browser.request() as session:
            session.flash("message", "second")
        await browser.respond(reader)
        async with browser.request() as session:
            assert session.get("message") == "second"


class MachineTests(StoreFixtures):
    """All of it together, in any order."""

    @remedy("See the calls above: the last one that wrote is where to look.")
    async def test_any_sequence_of_visits(
        self, make_store: MakeStore, anyio_backend_name: str
    ) -> None:
        """Whatever browsers, owners, time and the sweeper do, the store agrees with the model."""
        # The sequences are the same on each event loop, so one of them has more.
        examples = 50 if anyio_backend_name == "asyncio" else 15
        await anyio.to_thread.run_sync(lambda: run_visits(make_store, examples=examples))

    @remedy("Keep every field of a record, and guard every write.")
    async def test_any_record_comes_back(
        self, make_store: MakeStore, anyio_backend_name: str
    ) -> None:
        """Whatever record was written, it comes back equal, and only under its id and owner."""
        examples = 60 if anyio_backend_name == "asyncio" else 20
        await anyio.to_thread.run_sync(lambda: run_round_trips(make_store, examples=examples))


class FaultTests(StoreFixtures):
    """When things break (promises 10 and 31 to 35)."""

    @remedy("Raise StoreUnavailableError while the system is down.")
    async def test_a_store_that_is_down_is_no_new_visitor(
        self, store: RecordingStore, manage: Manage
    ) -> None:
        """While the store is down load raises; nothing says that the visitor is new (31)."""
        browser = await logged_in(manage(store))
        broken = Browser(manage(FailingStore(store, lambda number, name: True)), browser.header)
        with pytest.raises(StoreUnavailableError):
            await content(broken)
        assert broken.header == browser.header
        assert await content(browser) == {"name": "Anna"}

    @remedy("Answer only when the row is written; raise otherwise.")
    async def test_a_failed_commit_is_an_error_and_is_remembered(
        self, store: RecordingStore, manage: Manage
    ) -> None:
        """A failed write raises, and a second commit changes neither row nor cookie (12, 32)."""
        browser = await logged_in(manage(store))
        broken = FailingStore(store, lambda number, name: name == "replace")
        manager = manage(broken)
        session = await manager.load(browser.raw)
        session["a"] = 1
        with pytest.raises(StoreUnavailableError):
            await manager.commit(session)
        result = await manager.commit(session)
        assert not any(name == "Set-Cookie" for name, _ in result.headers)
        assert await content(browser) == {"name": "Anna"}

    @remedy("One call of the store is one atomic step: the row is the old or the new one.")
    @pytest.mark.parametrize("number", [1, 2])
    @pytest.mark.parametrize("when", ["before", "after"])
    async def test_any_call_may_fail(
        self, store: RecordingStore, manage: Manage, when: str, number: int
    ) -> None:
        """If a call of a login fails, before or after it took effect, nothing is half done (10)."""
        browser = await logged_in(manage(store))
        failing = FailingStore(store, {number}, after=when == "after")
        with pytest.raises(StoreUnavailableError):
            await _log_in(Browser(manage(failing), browser.header))
        # The login took effect if its write did: then the secret from before it is dead.
        took_effect = (when, number) == ("after", 2)
        assert await content(browser) == ({} if took_effect else {"name": "Anna"})

    @remedy("Undo or finish a step that is cut off; never leave half of it.")
    async def test_a_cancelled_commit_is_all_or_nothing(self, manager: Manager) -> None:
        """A commit that is cancelled leaves the old or the new session (promise 10)."""
        browser = await logged_in(manager)
        session = await browser.load()
        session["a"], session["b"] = 1, 2
        with anyio.CancelScope() as scope:
            scope.cancel()
            await manager.commit(session)
        assert await content(browser) in ({"name": "Anna"}, {"name": "Anna", "a": 1, "b": 2})

    @remedy("Let calls be cancelled, or bound them yourself and say so with SupportsDeadline.")
    async def test_a_slow_store_is_down(self, store: RecordingStore, manage: Manage) -> None:
        """A store that does not answer within the deadline counts as down (promise 33)."""
        browser = await logged_in(manage(store))
        slow = Browser(manage(SlowStore(store, math.inf), deadline=0.01), browser.header)
        with pytest.raises(StoreUnavailableError):
            await slow.load()
        assert await content(browser) == {"name": "Anna"}

    @remedy("Treat the payload as opaque bytes: the core finds out what is wrong with it.")
    async def test_a_corrupt_payload_is_an_absent_session(
        self, store: RecordingStore, manager: Manager, events: list[Event], clock: ManualClock
    ) -> None:
        """A row that cannot be read is an absent session and one event (promise 34)."""
        browser = await logged_in(manager)
        record = store.records[-1]
        await spoil(store, record, clock())
        events.clear()
        assert await content(browser) == {}
        rejections = [event.reason for event in events if isinstance(event, CookieRejected)]
        assert rejections == [Rejection.UNREADABLE]

    @remedy("Nothing may be written for a response that failed.")
    async def test_a_failed_response_changes_nothing(
        self, store: RecordingStore, manager: Manager
    ) -> None:
        """A 5xx drops the changes; what was committed explicitly stays (promise 35)."""
        browser = await logged_in(manager)
        session = await browser.load()
        session["kept"] = 1
        await session.commit()
        session["dropped"] = 2
        result = await browser.respond(session, status=500)
        assert result.discarded is Discard.FAILED_RESPONSE
        assert await content(browser) == {"name": "Anna", "kept": 1}


async def _log_in(browser: Browser) -> None:
    async with browser.request() as session:
        session["a"] = 1
        session.bind("user:1")


async def spoil(store: RecordingStore, record: Record, now: float) -> None:
    """Put bytes into the row that no version of the core wrote."""
    junk = replace(record, version=record.version + 1, payload=b"\xc1 junk")
    assert await store.replace(junk, version=record.version, now=now) is Outcome.APPLIED
