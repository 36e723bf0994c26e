"""A site with sealed cookies and one with rows in memory, on either event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sojourn import Event, KeyRing, SessionManager
from sojourn.testing import Browser, FailingStore, ManualClock, RecordingStore
from sojourn_memory import MemoryStore

KEY = KeyRing.generate()


class Site:
    """A manager, its clock, and what it told. ``memory``: it has rows, which ``names`` counts."""

    def __init__(self, kind: str, **options: Any) -> None:
        self.memory = kind == "memory"
        self.clock = ManualClock()
        self.events: list[Event] = []
        self.is_down = False
        self.rows = RecordingStore(FailingStore(MemoryStore(), fails=lambda *_: self.is_down))
        options = {"clock": self.clock, "on_event": self.events.append, **options}
        store = self.rows if self.memory else "cookie://"
        if not self.memory:
            options.setdefault("keys", KEY)
        self.manager: SessionManager[Any] = SessionManager(store, sweep_every=None, **options)

    def browser(self, header: str = "") -> Browser:
        """A visitor with this Cookie header."""
        return Browser(self.manager, header)

    async def visitor(self, owner: str | None = None, **values: Any) -> Browser:
        """A visitor who has a session; what it took to make it is forgotten."""
        browser = self.browser()
        async with browser.request() as session:
            session.update(values)
            if owner is not None:
                session.bind(owner)
        self.rows.calls.clear()
        self.events.clear()
        return browser

    @property
    def calls(self) -> list[str]:
        """The store's calls since the last visitor."""
        return self.rows.names


MakeSite = Callable[..., Site]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """The event loop."""
    backend: str = request.param
    return backend


@pytest.fixture(params=["memory", "cookie"])
def make_site(request: pytest.FixtureRequest) -> MakeSite:
    """Makes sites of one kind, with the manager's options."""
    return lambda **options: Site(request.param, **options)


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """One with default settings."""
    return make_site()


@pytest.fixture
def rows() -> Site:
    """One with rows, for what a cookie alone cannot promise."""
    return Site("memory")


@pytest.fixture
def seals() -> Site:
    """One with sealed cookies."""
    return Site("cookie")
