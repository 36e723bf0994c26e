"""The sites that are compared: one framework, one kind of session, the same five pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from . import _asgi
from ._rounds import Run

PAGES = ("none", "read", "write", "create")
"""What a page does with its session; "create" is asked for without a cookie."""


class Site(Protocol):
    """Something that answers requests."""

    async def get(self, page: str, cookie: bytes) -> tuple[str, bytes]:
        """The response's text, and the Cookie header afterwards."""
        ...

    async def hammer(self, page: str, cookie: bytes, times: int) -> float | None:
        """Ask for the page so many times. Gives the seconds, if it timed itself."""
        ...


class AsgiSite:
    """An ASGI application."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def get(self, page: str, cookie: bytes) -> tuple[str, bytes]:
        """See ``Site``."""
        sent = await _asgi.get(self._app, f"/{page}", cookie)
        return _asgi.body(sent), _asgi.cookie_of(sent, cookie)

    async def hammer(self, page: str, cookie: bytes, times: int) -> None:
        """See ``Site``."""
        app, path, get = self._app, f"/{page}", _asgi.get
        for _ in range(times):
            await get(app, path, cookie)


class Entry(NamedTuple):
    """A site and the Cookie header of a session on it."""

    site: Site
    cookie: bytes

    def run(self, page: str) -> Run:
        """The candidate that asks for this page."""
        cookie = b"" if page == "create" else self.cookie

        async def run(times: int) -> float | None:
            return await self.site.hammer(page, cookie, times)

        return run


Make = Callable[[], Awaitable[Site]]


async def entered(site: Site, *, has_session: bool = True) -> Entry:
    """The site with a session, after it has shown that it keeps one."""
    if not has_session:
        return Entry(site, b"")
    _, cookie = await site.get("create", b"")
    before, cookie = await site.get("read", cookie)
    _, cookie = await site.get("write", cookie)
    after, cookie = await site.get("read", cookie)
    if (before, after) != ("41", "42"):
        raise RuntimeError(f"{type(site).__name__} does not keep its session: {before}, {after}")
    return Entry(site, cookie)
