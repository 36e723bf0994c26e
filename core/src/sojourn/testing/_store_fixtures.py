"""What the suite's tests stand on: the one fixture to supply, and what is made of it."""

# ruff: noqa: ARG002 - a fixture may be wanted for what it does

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, ClassVar, TypeVar, cast

import pytest

from sojourn import (
    Backend,
    Event,
    Record,
    SessionManager,
    Store,
    SupportsLoadNowait,
    SupportsOpen,
    SupportsOwners,
    SupportsSweep,
    Timeouts,
)

from ._clock import ManualClock
from ._wrappers import Call, RecordingStore

T = TypeVar("T")
MakeStore = Callable[[], Store]
Corrupt = Callable[[str], Awaitable[None]]

IDLE, ABSOLUTE = 1000.0, 4000.0
"""Seconds that the suite's sessions live: longer than any test takes on a real clock."""

TIMEOUTS = Timeouts(idle=IDLE, absolute=ABSOLUTE, extend_after=100)


def new_record(now: float, **changes: Any) -> Record:
    """A row with a fresh id that lives for ``IDLE`` seconds."""
    values: dict[str, Any] = {
        "id": secrets.token_hex(16),
        "secret_hash": secrets.token_bytes(32),
        "payload": b"\x00payload\xff",
        "version": 1,
        "created_at": now,
        "expires_at": now + IDLE,
    }
    return Record(**{**values, **changes})


class StoreFixtures:
    """The fixtures of ``StoreTests``. Supply ``make_store``; override others only if you must."""

    pytestmark: pytest.MarkDecorator = pytest.mark.anyio

    shares_rows: ClassVar[bool] = False
    """Whether all objects that ``make_store`` makes in one test see the same rows, as those of
    several processes do, and whether the rows outlive the objects."""

    calls: list[Call]
    """Every call of this test, for its failure message."""

    @pytest.fixture
    def make_store(self) -> MakeStore:
        """A function that makes a store and opens nothing; no rows are left from other tests."""
        raise NotImplementedError(
            "StoreTests: override the fixture make_store and let it return a function without "
            "parameters that makes your store"
        )

    @pytest.fixture
    def corrupt(self) -> Corrupt | None:
        """A function that spoils the row with this id behind the store's back; None: none."""
        return None

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request: pytest.FixtureRequest) -> str:
        """The event loops that the suite runs on; override it for a store that knows only one."""
        name = cast("str", request.param)
        pytest.importorskip(name)
        return name

    @pytest.fixture
    def clock(self) -> ManualClock:
        """The suite owns the time."""
        return ManualClock()

    @pytest.fixture(autouse=True)
    def record_calls(self) -> None:
        """Start each test with an empty record."""
        self.calls = []

    @pytest.fixture
    async def store(self, make_store: MakeStore) -> AsyncIterator[RecordingStore]:
        """The store under test, open, and with each call recorded."""
        store = RecordingStore(make_store(), self.calls)
        await opened(store)
        yield store
        await store.aclose()

    @pytest.fixture
    async def other(
        self, make_store: MakeStore, store: RecordingStore
    ) -> AsyncIterator[RecordingStore]:
        """A second object over the same rows, as another process has one."""
        if not self.shares_rows:
            pytest.skip("the objects of this store do not share rows (shares_rows is False)")
        another = RecordingStore(make_store(), self.calls)
        await opened(another)
        yield another
        await another.aclose()

    @pytest.fixture
    def owners(self, store: RecordingStore) -> SupportsOwners:
        """The store, if it finds rows by owner."""
        return capable(store, SupportsOwners)  # type: ignore[type-abstract]

    @pytest.fixture
    def sweeper(self, store: RecordingStore) -> SupportsSweep:
        """The store, if it sweeps."""
        return capable(store, SupportsSweep)  # type: ignore[type-abstract]

    @pytest.fixture
    def nowait(self, store: RecordingStore) -> SupportsLoadNowait:
        """The store, if it loads without waiting."""
        return capable(store, SupportsLoadNowait)  # type: ignore[type-abstract]

    @pytest.fixture
    def events(self) -> list[Event]:
        """What the managers of this test told the operator."""
        return []

    def backend_of(self, store: Store) -> Store | Backend:
        """What a manager of the suite gets: the store itself, or your own backend around it."""
        return store

    @pytest.fixture
    def manage(self, clock: ManualClock, events: list[Event]) -> Callable[..., SessionManager[Any]]:
        """Makes a manager over a store, on the suite's clock; options as for SessionManager."""

        def manage(store: Store, **options: Any) -> SessionManager[Any]:
            settings: dict[str, Any] = {
                "timeouts": TIMEOUTS,
                "clock": clock,
                "on_event": events.append,
                "deadline": 30.0,
                **options,
            }
            return SessionManager(self.backend_of(store), **settings)

        return manage

    @pytest.fixture
    def manager(
        self, manage: Callable[..., SessionManager[Any]], store: RecordingStore
    ) -> SessionManager[Any]:
        """A manager over the store under test."""
        return manage(store)


async def opened(store: object) -> None:
    """Do what a manager does when the application starts."""
    if isinstance(store, SupportsOpen):
        await store.aopen()


def capable(store: object, ability: type[T]) -> T:
    """The store, seen as one with this ability; skips the test if it has none."""
    if not isinstance(store, ability):
        pytest.skip(f"the store does not say {ability.__name__}")
    return store
