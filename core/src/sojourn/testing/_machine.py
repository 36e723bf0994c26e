"""Several browsers and a sweeper on one store, in any order, against a model that is a dict.

Hypothesis makes up the sequence, and shrinks it when a promise breaks. Each rule is sync and runs
in a worker thread; its awaits run on the event loop of the test, so the store sees one loop only.
"""

from __future__ import annotations

from collections.abc import Callable

from anyio import from_thread
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test
from msgspec.structs import replace

from sojourn import Outcome, Record, Store, SupportsOwners, SupportsSweep

from ._browser import Browser
from ._machine_model import ABSOLUTE, IDLE, Model, Row
from ._store_fixtures import opened
from ._strategies import records
from ._visits import leaks
from ._wrappers import RecordingStore

who = st.integers(0, 2)
keys = st.sampled_from(["a", "b"])
owner_names = st.sampled_from(["user:1", "user:2"])

# How long an example takes is the store's affair.
SUPPRESSED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


class Visits(Model):
    """Rules are what browsers, owners, time and the sweeper do; the model says what must follow."""

    # Browsers

    @initialize()
    def begin(self) -> None:
        """Two have a session, and one of them is logged in."""
        self.put(0, "a", 1)
        self.put(1, "a", 2)
        self.log_in(1, "user:1")

    @rule(number=who, values=st.tuples(st.integers(0, 3), st.integers(4, 7)))
    def overlap(self, number: int, values: tuple[int, int]) -> None:
        """Two requests of one session overlap, and change different keys: both are kept."""
        browser, row = self.browsers[number], self.expected(self.browsers[number])
        if row is None:
            return

        async def go() -> None:
            first, second = await browser.load(), await browser.load()
            first.set("a", values[0])
            second.set("b", values[1])
            await self.manager.commit(second)
            await self.manager.commit(first)

        self.run(go)
        row.data.update(a=values[0], b=values[1])

    @rule(number=who, key=keys, value=st.integers(0, 3))
    def put(self, number: int, key: str, value: int) -> None:
        """A browser sets a value, and gets a session if it has none."""
        browser = self.browsers[number]
        row, before = self.expected(browser), browser.token
        self.request(number, lambda session: session.set(key, value))
        if row is None:
            row, begins = self.begun(), True
        else:
            begins = False
        row.data[key] = value
        self.remember(browser, row, rotated=begins, before=before)

    @rule(number=who, owner=owner_names)
    def log_in(self, number: int, owner: str) -> None:
        """A browser logs in: another secret, the former one is dead; another owner's data goes."""
        browser = self.browsers[number]
        row, before = self.expected(browser), browser.token
        self.request(number, lambda session: session.bind(owner))
        after = self.begun()
        after.owner, after.version = owner, row.version if row else 0
        after.data = row.data if row is not None and row.owner in (None, owner) else {}
        self.ensure(browser.token != before, "a login changes the secret (15)", "")
        self.remember(browser, after, rotated=True, before=before)

    @rule(number=who)
    def rotate(self, number: int) -> None:
        """A browser's secret is replaced; the former one is dead."""
        browser = self.browsers[number]
        row, before = self.expected(browser), browser.token
        if row is not None:
            self.request(number, lambda session: session.rotate())
            self.remember(browser, row, rotated=True, before=before)

    @rule(number=who)
    def log_out(self, number: int) -> None:
        """A browser ends its session."""
        browser = self.browsers[number]
        row, before = self.expected(browser), browser.token
        self.request(number, lambda session: session.destroy())
        if row is not None:
            self.bury(self.opens[before])

    @rule(number=who)
    def touch(self, number: int) -> None:
        """A browser extends its session."""
        row = self.expected(self.browsers[number])
        self.request(number, lambda session: session.touch())
        if row is not None:
            until = min(self.clock() + IDLE, row.created_at + ABSOLUTE)
            row.expires_at = max(row.expires_at, until)

    @rule(number=who, other=who)
    def copy_the_cookie(self, number: int, other: int) -> None:
        """One browser gets another one's cookie: a second tab, or a thief."""
        self.browsers[other].header = self.browsers[number].header

    @rule(number=who, key=keys, first=st.booleans())
    def race(self, number: int, key: str, first: bool) -> None:  # noqa: FBT001
        """A request that began before another one's logout comes too late, or just in time."""
        browser, row = self.browsers[number], self.expected(self.browsers[number])
        if row is None:
            return
        id = self.opens[browser.token]

        async def go() -> None:
            late = await browser.load()
            late.set(key, 7)
            if first:
                await self.manager.commit(late)
            await self.manager.revoke(id)
            if not first:
                result = await self.manager.commit(late)
                names = [name for name, _ in result.headers]
                self.ensure("Set-Cookie" not in names, "deletion wins, also at the browser (8)", "")

        self.run(go)
        self.bury(id)

    # Owners, time, and the sweeper

    @rule(owner=owner_names, number=who, keep=st.booleans())
    def revoke(self, owner: str, number: int, keep: bool) -> None:  # noqa: FBT001
        """An owner ends all sessions, or all but the one that asks."""
        if not isinstance(self.store, SupportsOwners):
            return
        kept = self.opens.get(self.browsers[number].token) if keep else None
        self.run(lambda: self.manager.revoke_owner(owner, keep=kept))
        for id in [id for id, row in self.rows.items() if row.owner == owner and id != kept]:
            self.bury(id)

    @rule(seconds=st.sampled_from([0.5, 40.0, 49.5, IDLE, 250.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.clock.advance(seconds)

    @rule()
    def sweep(self) -> None:
        """Expired rows go, and no others."""
        if not isinstance(self.store, SupportsSweep):
            return
        expired = [id for id, row in self.rows.items() if row.expires_at <= self.clock()]
        count = self.run(self.manager.sweep)
        self.ensure(
            count == len(expired),
            f"a sweep removes the expired rows and says how many (22): {len(expired)}, not {count}",
            "Remove where expires_at <= now, count what went, and forget nothing.",
        )
        for id in expired:
            self.bury(id)

    # What holds after each step

    @invariant()
    def dead_ids_never_load(self) -> None:
        """What ended stays ended, whoever asks."""

        async def go() -> None:
            for id in self.dead:
                loaded = await self.store.load(id, now=self.clock())
                self.ensure(loaded is None, "a dead id never loads (8)", "Delete for good.")
            for id, row in self.rows.items():
                loaded = await self.store.load(id, now=self.clock())
                lives = row.expires_at > self.clock()
                self.ensure(
                    (loaded is not None) == lives,
                    "a row loads until expires_at and not from then on (20)",
                    "Compare with the argument now: live while expires_at > now.",
                )
                if loaded is not None:
                    self.check_version(row, loaded.version)

        self.run(go)

    def check_version(self, row: Row, version: int) -> None:
        """A row's version never goes back."""
        self.ensure(version >= row.version, "versions only grow", "Store the record's version.")
        row.version = version

    @invariant()
    def replaced_secrets_open_nothing(self) -> None:
        """A secret from before a login or a rotation is dead at once."""

        async def go() -> None:
            for token in self.stale:
                thief = Browser(self.manager, f"{self.manager.cookie.name}={token}")
                session = await thief.load()
                self.ensure(
                    session.is_new,
                    "a replaced secret opens nothing (15)",
                    "Let replace write secret_hash and previous_hash as the record has them.",
                )

        self.run(go)

    @invariant()
    def owners_see_their_rows(self) -> None:
        """An owner's list is the model's."""
        if not isinstance(self.store, SupportsOwners):
            return
        for owner in ("user:1", "user:2"):
            infos = from_thread.run(self.manager.sessions_of, owner)
            mine = {
                id
                for id, row in self.rows.items()
                if row.owner == owner and row.expires_at > self.clock()
            }
            self.ensure(
                {info.id for info in infos} == mine,
                "an owner's list is exactly the owner's live sessions (18)",
                "Move a row in the index in the same step that writes it.",
            )

    @invariant()
    def no_secret_is_at_rest(self) -> None:
        """Nothing that was given to the store holds a secret."""
        leaking = leaks(self.store, self.tokens)
        self.ensure(not leaking, "no secret is at rest (19)", "Keep the record and no more.")


def run_visits(make_store: Callable[[], Store], *, examples: int = 50, steps: int = 25) -> None:
    """Run the machine on fresh stores; call it in a worker thread of anyio's."""
    machine = type("Visits", (Visits,), {"make_store": staticmethod(make_store)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,  # the same store passes or fails, each time
            suppress_health_check=SUPPRESSED,
        ),
    )


def run_round_trips(make_store: Callable[[], Store], *, examples: int = 60) -> None:
    """Create, load, replace and delete whatever records there can be; in a worker thread."""

    async def round_trip(store: Store, first: Record, second: Record) -> None:
        newer = replace(second, id=first.id, version=first.version + 1)
        try:
            assert await store.create(first)
            assert await store.load(first.id, now=first.created_at) == first
            done = await store.replace(newer, version=first.version, now=first.created_at)
            assert done is Outcome.APPLIED
            assert await store.load(first.id, now=newer.expires_at - 0.001) == newer
            if isinstance(store, SupportsOwners) and newer.owner is not None:
                owned = await store.load_owner(newer.owner, now=newer.created_at)
                assert owned == [newer]
        finally:
            await store.delete(first.id)

    store = RecordingStore(make_store())
    from_thread.run(opened, store)

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=SUPPRESSED,
    )
    @given(records(), records())
    def check(first: Record, second: Record) -> None:
        from_thread.run(round_trip, store, first, second)

    try:
        check()
    finally:
        from_thread.run(store.aclose)
