"""The sites that are compared: one framework, one kind of session, the same pages.

A site's name is its framework, `` + ``, and what keeps its sessions: ``litestar + sojourn cookie``.
The framework alone is the bare one: the same pages with the same text, without a session.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from . import _client
from ._rounds import Run

BARE_TEXT = {"none": "ok", "read": "41", "write": "ok", "create": "ok"}
"""What a page answers, if nobody has a session."""

NO_SESSION = b"other=" + b"x" * 360
"""The cookie of a site without sessions: about as long as one with."""


_SESSIONS = 64
"""Different sessions on each site."""

_OWN_SESSIONS = 1100
"""On ours: more than it keeps opened from earlier requests, so that none is met again there."""

FORGED = b"A" * 3800
"""A cookie of about the size that browsers send at most."""


class Site(Protocol):
    """Something that answers requests."""

    async def get(self, page: str, cookie: bytes) -> tuple[str, bytes]:
        """The response's text, and the Cookie header afterwards."""
        ...

    async def hammer(self, page: str, cookies: list[bytes], at_once: int) -> float | None:
        """Ask for the page with each cookie. Gives the seconds, if it timed itself."""
        ...


class AsgiSite:
    """An ASGI application."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def get(self, page: str, cookie: bytes) -> tuple[str, bytes]:
        """See ``Site``."""
        sent = await _client.get(self.app, f"/{page}", cookie)
        return _client.body(sent), _client.cookie_after(_client.set_cookies(sent), cookie)

    async def hammer(self, page: str, cookies: list[bytes], at_once: int) -> None:
        """See ``Site``."""
        app, path, get = self.app, f"/{page}", _client.get
        if at_once == 1:
            for cookie in cookies:
                await get(app, path, cookie)
            return
        for start in range(0, len(cookies), at_once):
            batch = cookies[start : start + at_once]
            await asyncio.gather(*(get(app, path, cookie, waits=True) for cookie in batch))


def framework_of(name: str) -> str:
    """The bare site that a site is compared with."""
    return name.partition(" + ")[0]


def is_bare(name: str) -> bool:
    """Whether this site has no sessions."""
    return " + " not in name


class Entry(NamedTuple):
    """A site, and the Cookie headers of sessions on it."""

    site: Site
    cookies: tuple[bytes, ...]

    def for_case(self, page: str, cookie: str, at_once: int) -> Run:
        """The candidate that asks for this page; ``cookie`` as in ``Case``."""
        own = self.cookies[0]
        sources: dict[str, Iterator[bytes]] = {
            "own": itertools.cycle(self.cookies),
            "same": itertools.repeat(own),
            "none": itertools.repeat(b""),
            # The bare framework gets as many bytes, under a name that nobody asks for.
            "forged": itertools.repeat(own.partition(b"=")[0] + b"=" + FORGED),
        }
        return self._with(page, sources[cookie], at_once)

    def _with(self, page: str, source: Iterator[bytes], at_once: int) -> Run:
        async def run(times: int) -> float | None:
            return await self.site.hammer(page, list(itertools.islice(source, times)), at_once)

        return run


def sessions_for(name: str) -> int:
    """How many sessions this site gets."""
    return _OWN_SESSIONS if "sojourn" in name else _SESSIONS


async def entered(name: str, site: Site) -> Entry:
    """The site with its sessions, after it has shown that it keeps one."""
    if is_bare(name):
        for page, text in BARE_TEXT.items():
            _expect(name, text, (await site.get(page, NO_SESSION))[0])
        return Entry(site, (NO_SESSION,))
    _, cookie = await site.get("create", b"")
    for page, text in (("read", "41"), ("write", "ok"), ("read", "42"), ("none", "ok")):
        found, cookie = await site.get(page, cookie)
        _expect(name, text, found)
    forged = cookie.partition(b"=")[0] + b"=" + b"A" * 64
    _expect(name, "0", (await site.get("read", forged))[0])
    return Entry(
        site, tuple([(await site.get("create", b""))[1] for _ in range(sessions_for(name))])
    )


def _expect(name: str, wanted: str, found: str) -> None:
    if wanted != found:
        raise RuntimeError(f"{name} does not keep its session: {found!r} for {wanted!r}")
