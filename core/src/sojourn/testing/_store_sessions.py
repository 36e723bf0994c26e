"""The promises of DESIGN over one store: cost, merging, deletion, rotation, login, flash."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from typing import Any

from sojourn import Discard, SessionManager, Store, Timeouts

from ._browser import Browser, client_cookie
from ._clock import ManualClock
from ._promises import remedy
from ._store_fixtures import IDLE, StoreFixtures
from ._visits import attributes, content, count_together, leaks, logged_in
from ._wrappers import RecordingStore

Manager = SessionManager[Any]
Manage = Callable[..., Manager]

_CAS = "Let replace compare the version and write in one step, and answer CONFLICT otherwise."
_NO_GHOST = "Let replace and touch answer GONE for a row that is not there, and insert nothing."


class CostTests(StoreFixtures):
    """Nothing for nothing (promises 1 to 5)."""

    @remedy("Nothing of a session may reach the store before somebody looks at it or writes.")
    async def test_an_untouched_request_costs_nothing(
        self, store: RecordingStore, manager: Manager
    ) -> None:
        """A request that does not touch its session costs no write and no header (promise 1)."""
        browser = await logged_in(manager)
        store.calls.clear()
        async with Browser(manager).request():
            pass
        assert store.names == []
        async with browser.request():
            pass
        assert set(store.names) <= {"load"}
        assert browser.result.headers == ()

    @remedy("Let load write nothing, and touch move the deadline as it is told.")
    async def test_reading_writes_once_per_throttle(
        self, store: RecordingStore, manager: Manager, clock: ManualClock
    ) -> None:
        """Reading extends the idle timeout at most once per ``extend_after`` (promise 2)."""
        browser = await logged_in(manager)
        for seconds, expected in ((99, []), (1, ["touch"]), (50, []), (49, []), (1, ["touch"])):
            clock.advance(seconds)
            store.calls.clear()
            async with browser.request() as session:
                assert session["name"] == "Anna"
            assert [name for name in store.names if name != "load"] == expected

    @remedy("Give back exactly the payload that was stored.")
    async def test_an_equal_value_writes_nothing(
        self, store: RecordingStore, manager: Manager
    ) -> None:
        """Setting what is there, or removing what is not, writes nothing (promise 3)."""
        browser = await logged_in(manager)
        store.calls.clear()
        async with browser.request() as session:
            session["name"] = "Anna"
            session.forget("nothing")
        assert set(store.names) == {"load"}

    @remedy("Give back exactly the payload that was stored.")
    async def test_a_nested_change_is_written(self, manager: Manager) -> None:
        """A change inside a nested value is noticed and stored (promise 4)."""
        browser = Browser(manager, await client_cookie(manager, {"cart": {"items": [1]}}))
        async with browser.request() as session:
            session["cart"]["items"].append(2)
        async with browser.request() as session:
            assert session["cart"] == {"items": [1, 2]}

    @remedy("Refuse junk before the store is asked.")
    async def test_junk_costs_no_store_call(self, store: RecordingStore, manager: Manager) -> None:
        """A cookie that cannot be ours reaches no store (promise 5)."""
        store.calls.clear()
        for junk in ("x", "", "A" * 63, "A" * 65, "=" * 64, "'" * 64, "A" * 5000):
            session = await manager.load([f"{manager.cookie.name}={junk}".encode()])
            assert dict(session) == {}
        assert store.names == []


class MergeTests(StoreFixtures):
    """Nothing lost, nothing undone (promises 6 to 13)."""

    @remedy(_CAS)
    async def test_different_keys_are_both_kept(self, manager: Manager) -> None:
        """Two requests that change different keys at the same time both succeed (promise 6)."""
        browser = await logged_in(manager)
        first, second = await browser.load(), await browser.load()
        first["a"], second["b"] = 1, 2
        await browser.respond(second)
        await browser.respond(first)
        assert await content(browser) == {"name": "Anna", "a": 1, "b": 2}

    @remedy(_CAS)
    async def test_counters_are_exact(self, manager: Manager) -> None:
        """Twenty requests that count at the same time count twenty (promise 7)."""
        browser = await logged_in(manager)
        await count_together([browser.copy() for _ in range(20)])
        values = await content(browser)
        assert values["count"] == 20
        assert len(values) == 22

    @remedy(_CAS)
    async def test_counters_are_exact_across_objects(
        self, store: Store, other: Store, manage: Manage
    ) -> None:
        """Requests of two processes that count at the same time lose nothing (promises 6, 7)."""
        managers = [manage(store), manage(other)]
        browser = await logged_in(managers[0])
        await count_together([Browser(managers[n % 2], browser.header) for n in range(10)])
        assert (await content(browser))["count"] == 10

    @remedy(_NO_GHOST)
    async def test_deletion_wins(self, store: RecordingStore, manager: Manager) -> None:
        """No late put, touch, rotation or login brings a destroyed session back (promise 8)."""
        deeds: list[Callable[[Any], object]] = [
            lambda session: session.set("late", 1),
            lambda session: session.modify("late", str, 0),
            lambda session: session.touch(),
            lambda session: session.rotate(),
            lambda session: session.bind("user:2"),
            lambda session: session.clear(),
        ]
        browser = await logged_in(manager)
        late = [await browser.load() for _ in deeds]
        for session, deed in zip(late, deeds, strict=True):
            deed(session)
        thief = browser.copy()
        async with browser.request() as session:
            session.destroy()
        store.calls.clear()
        for session in late:
            result = await manager.commit(session)
            assert not any(name == "Set-Cookie" for name, _ in result.headers)
        assert "create" not in store.names
        assert await content(thief) == {}

    @remedy(_NO_GHOST)
    async def test_an_expired_session_takes_no_late_write(
        self, manager: Manager, clock: ManualClock
    ) -> None:
        """A commit that comes after the session expired writes nothing (promises 8, 9)."""
        browser = await logged_in(manager)
        session = await browser.load()
        session["late"] = 1
        clock.advance(IDLE)
        result = await browser.respond(session)
        assert result.discarded is Discard.GONE
        assert await content(browser) == {}

    @remedy("A commit is one store call, whose answer is kept.")
    async def test_a_second_commit_writes_nothing(
        self, store: RecordingStore, manager: Manager
    ) -> None:
        """Committing twice writes once and gives the same headers (promise 12)."""
        session = await manager.load([])
        session["a"] = 1
        first = await manager.commit(session)
        store.calls.clear()
        assert await manager.commit(session) == first
        assert store.names == []

    @remedy("Nothing may be created where no cookie can tell the visitor.")
    async def test_without_a_cookie_nothing_begins(
        self, store: RecordingStore, manager: Manager
    ) -> None:
        """A response that cannot carry Set-Cookie creates and rotates nothing (promise 13)."""
        browser = await logged_in(manager)
        store.calls.clear()
        stranger, newcomer = await manager.load([]), await manager.load([])
        stranger["a"] = 1
        newcomer.bind("user:2")
        known = await browser.load()
        known.bind("user:2")
        for session in (stranger, newcomer, known):
            result = await manager.commit(session, can_set_cookie=False)
            assert result.discarded is Discard.NO_COOKIE
        assert set(store.names) == {"load"}
        assert await content(browser) == {"name": "Anna"}


class IdentityTests(StoreFixtures):
    """Fixation, rotation, logout (promises 14 to 19)."""

    @remedy("Open a session by the current secret's hash, never by the id alone.")
    async def test_foreign_tokens_open_nothing(self, manager: Manager) -> None:
        """A token that we did not issue opens nothing and is never adopted (promise 14)."""
        browser = await logged_in(manager)
        id = base64.urlsafe_b64decode(browser.token)[:16]
        for raw in (secrets.token_bytes(48), id + secrets.token_bytes(32)):
            token = base64.urlsafe_b64encode(raw).decode()
            thief = Browser(manager, f"{manager.cookie.name}={token}")
            async with thief.request() as session:
                assert session.is_new
                session["mine"] = 1
            assert base64.urlsafe_b64decode(thief.token)[:16] != raw[:16]
        assert await content(browser) == {"name": "Anna"}

    @remedy("Let replace write secret_hash and previous_hash as the record has them.")
    async def test_login_kills_the_old_secret(self, manager: Manager) -> None:
        """``bind`` rotates: the secret from before the login is dead at once (promise 15)."""
        browser = await logged_in(manager)
        planted = browser.copy()
        async with browser.request() as session:
            id = session.id
            session.bind("user:1")
        assert await content(planted) == {}
        async with browser.request() as session:
            assert (session.id, session.owner, session["name"]) == (id, "user:1", "Anna")

    @remedy("Let replace write owner and payload as the record has them.")
    async def test_another_owner_gets_no_data(self, manager: Manager) -> None:
        """A change of owner drops the former owner's data (promise 15)."""
        browser = Browser(manager, await client_cookie(manager, {"a": 1}, owner="user:1"))
        async with browser.request() as session:
            session.bind("user:2")
        async with browser.request() as session:
            assert (session.owner, dict(session)) == ("user:2", {})

    @remedy("Keep previous_hash and previous_until as the record has them.")
    async def test_the_former_secret_has_a_grace(
        self, store: RecordingStore, manage: Manage, clock: ManualClock
    ) -> None:
        """A periodic rotation leaves the former secret good for its grace, one hop (promise 16)."""
        timeouts = Timeouts(idle=IDLE, rotate_after=100, grace=30)
        browser = await logged_in(manage(store, timeouts=timeouts))
        former = browser.copy()
        clock.advance(100)
        assert await content(browser) == {"name": "Anna"}
        assert browser.header != former.header
        clock.advance(29.5)
        async with former.request() as session:
            session["parallel"] = 1
        assert await content(browser) == {"name": "Anna", "parallel": 1}
        clock.advance(0.5)
        assert await content(former) == {}
        assert await content(browser) == {"name": "Anna", "parallel": 1}

    @remedy("Let delete remove the row before it answers.")
    async def test_logout_ends_row_and_cookie(
        self, store: RecordingStore, manager: Manager
    ) -> None:
        """``destroy`` removes the row, then expires the cookie as it was set (promise 17)."""
        browser = Browser(manager)
        async with browser.request() as session:
            session["a"] = 1
        was_set = dict(browser.result.headers)["Set-Cookie"]
        copy = browser.copy()
        async with browser.request() as session:
            session.destroy()
        expired = dict(browser.result.headers)["Set-Cookie"]
        assert attributes(expired) == attributes(was_set)
        assert store.names[-1] == "delete"
        assert await content(copy) == {}

    @remedy("Give the store a record, and no more: hashes, and an opaque payload.")
    async def test_no_secret_is_at_rest(
        self, store: RecordingStore, manage: Manage, clock: ManualClock
    ) -> None:
        """No record holds a secret that a cookie carried (promise 19)."""
        browser = await logged_in(manage(store, timeouts=Timeouts(idle=IDLE, rotate_after=10)))
        tokens = [browser.token]
        deeds: list[Callable[[Any], object]] = [
            lambda session: session.rotate(),
            lambda session: session.bind("user:1"),
            lambda session: session.get("name"),
        ]
        for deed in deeds:
            clock.advance(20)
            async with browser.request() as session:
                deed(session)
            tokens.append(browser.token)
        assert len(set(tokens)) == 4
        assert leaks(store, tokens) == []
