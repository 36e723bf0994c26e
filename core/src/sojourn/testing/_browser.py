"""A browser as far as one cookie goes, and a cookie for an application's own tests."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from sojourn import CommitResult, Session, SessionManager


async def client_cookie(
    manager: SessionManager[Any], data: Mapping[str, Any] | None = None, owner: str | None = None
) -> str:
    """Begin a session with these values, logged in as ``owner``, and give its Cookie header.

    The text goes into a test client's headers: ``{"Cookie": await client_cookie(...)}``. Raises
    what a commit raises; ValueError if there is nothing that a session would have to remember.
    """
    if not data and owner is None:
        raise ValueError("client_cookie(manager, data, owner): give it data, an owner, or both")
    session = await manager.load([])
    session.update(data or {})
    if owner is not None:
        session.bind(owner)
    browser = Browser(manager)
    browser.receive(await manager.commit(session))
    return browser.header


class Browser:
    """Keeps our cookie between requests the way that a browser does (RFC 6265bis 5.7)."""

    def __init__(self, manager: SessionManager[Any], header: str = "") -> None:
        self.manager = manager
        self.header: str = header
        """The Cookie header it sends next; empty without a cookie."""
        self.result: CommitResult = CommitResult()

    @asynccontextmanager
    async def request(self, **commit: Any) -> AsyncGenerator[Session[Any], None]:
        """One request and its response: load, let the handler work, commit, take the cookie."""
        session = await self.load()
        yield session
        await self.respond(session, **commit)

    async def load(self) -> Session[Any]:
        """A request begins."""
        return await self.manager.load(self.raw)

    async def respond(self, session: Session[Any], **commit: Any) -> CommitResult:
        """A response goes out, and its cookie arrives."""
        self.result = await self.manager.commit(session, **commit)
        self.receive(self.result)
        return self.result

    def receive(self, result: CommitResult) -> None:
        """Do what the Set-Cookie header says."""
        for name, value in result.headers:
            if name == "Set-Cookie":
                pair = value.split(";")[0]
                self.header = "" if "Max-Age=0" in value else pair

    @property
    def raw(self) -> list[bytes]:
        """What ``manager.load`` takes."""
        return [self.header.encode("ascii")] if self.header else []

    @property
    def token(self) -> str:
        """The cookie's value."""
        return self.header.partition("=")[2]

    def copy(self) -> Browser:
        """Another one with the same cookie: a second tab, or a thief."""
        return Browser(self.manager, self.header)
