"""A small web site around one manager, for the tests: its store, clock, events and browsers."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sojourn import CommitResult, Event, Record, Session, SessionManager

from ._rows import Bare

T = TypeVar("T")
E = TypeVar("E", bound=Event)

START = 1_800_000_000.0


class Clock:
    """Seconds since the epoch; stands still unless a test moves ``now``."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        """What time it is."""
        return self.now


class Entropy:
    """Bytes that are never twice the same, and the same in each run."""

    def __init__(self) -> None:
        self._count = itertools.count(1)

    def __call__(self, size: int) -> bytes:
        """So many bytes."""
        return next(self._count).to_bytes(4, "big").rjust(size, b"\xc5")


class Site:
    """A manager and what a test wants to know about it."""

    def __init__(self, store: Bare, clock: Clock | None = None, **options: Any) -> None:
        self.store = store
        self.clock = clock or Clock()
        self.events: list[Event] = []
        options.setdefault("sweep_every", None)
        options.setdefault("on_event", self.events.append)
        self.manager: SessionManager[Any] = SessionManager(store, clock=self.clock, **options)

    def other(self, **options: Any) -> Site:
        """Another process with the same store and clock."""
        return Site(self.store, self.clock, **options)

    def browser(self, cookie: str = "") -> Browser:
        """A visitor, with this cookie value."""
        return Browser(self, cookie)

    async def visitor(self, owner: str | None = None, **data: Any) -> Browser:
        """A visitor who has a session with these values."""
        browser = self.browser()
        async with browser.visit() as session:
            session.update(data)
            if owner is not None:
                session.bind(owner)
        self.store.calls.clear()
        self.events.clear()
        return browser

    @property
    def row(self) -> Record:
        """The only row that the store has."""
        (record,) = self.store.rows.values()
        return record

    def told(self, kind: type[E]) -> list[E]:
        """The events of this type."""
        return [event for event in self.events if isinstance(event, kind)]


class Browser:
    """Keeps our cookie as a browser does."""

    def __init__(self, site: Site, cookie: str = "") -> None:
        self.site = site
        self.cookie = cookie
        self.result = CommitResult()

    @property
    def headers(self) -> list[bytes]:
        """The Cookie headers that it sends."""
        name = self.site.manager.cookie.name
        return [f"theme=dark; {name}={self.cookie}".encode()] if self.cookie else [b"theme=dark"]

    def copy(self, site: Site | None = None) -> Browser:
        """A second tab, or a thief; perhaps served by another process."""
        return Browser(site or self.site, self.cookie)

    async def load(self) -> Session[Any]:
        """A request begins."""
        return await self.site.manager.load(self.headers)

    async def commit(self, session: Session[Any], **options: Any) -> CommitResult:
        """The response goes out, and its cookie arrives."""
        self.result = await self.site.manager.commit(session, **options)
        self.receive(self.result)
        return self.result

    def receive(self, result: CommitResult) -> None:
        """Do as the Set-Cookie header says."""
        line = set_cookie_of(result)
        if line is not None:
            pair, *attributes = line.split("; ")
            self.cookie = "" if "Max-Age=0" in attributes else pair.partition("=")[2]

    @asynccontextmanager
    async def visit(self, **options: Any) -> AsyncIterator[Session[Any]]:
        """One request and its response."""
        session = await self.load()
        yield session
        await self.commit(session, **options)

    async def sees(self) -> dict[str, Any]:
        """The values that a request of this browser finds."""
        return dict((await self.load()).items())


def set_cookie_of(result: CommitResult) -> str | None:
    """The Set-Cookie line of a response, if it has one."""
    lines = [value for name, value in result.headers if name == "Set-Cookie"]
    assert len(lines) <= 1
    return lines[0] if lines else None


def names_of(result: CommitResult) -> list[str]:
    """The names of the headers of a response."""
    return [name for name, _ in result.headers]


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("it waited")
