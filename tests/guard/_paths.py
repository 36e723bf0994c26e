"""The paths that are counted: one request each, by the core alone and through an ASGI application.

Each store has two managers, as two processes would: one has made the sessions, the other one meets
each of them for the first time, unless the path says "again".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio  # noqa: F401 - where it has been imported, a store asks it whether it is running

from sojourn import KeyRing, SessionManager
from sojourn.testing import ManualClock
from sojourn_asgi import SessionMiddleware
from sojourn_memory import MemoryStore
from sojourn_sqlite import SQLiteStore

DATA = {
    "user": "alice@example.com",
    "visits": 41,
    "theme": "dark",
    "language": "en-GB",
    "cart": [101, 202, 303],
    "csrf": "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "note": "n" * 108,
}
"""250 bytes of JSON, seven keys."""

STORES = ("cookie", "memory", "sqlite")
WAYS = ("core", "asgi")
REQUESTS = ("none", "read", "read again", "write", "create", "anonymous")
PATHS = tuple(f"{way} {store} {what}" for way in WAYS for store in STORES for what in REQUESTS)
"""As the table of ceilings names them."""

_START = 1_800_000_000.0

Request = Callable[[bytes], Awaitable[None]]
"""Serves one request with this Cookie header."""


class Counted:
    """Something to count: ``request(cookie)``, and cookies that it has not seen before."""

    def __init__(self, request: Request, cookies: list[bytes]) -> None:
        self.request, self.cookies = request, cookies


@asynccontextmanager
async def opened(path: str, folder: Path, *, cookies: int) -> AsyncIterator[Counted]:
    """The path with this name, over a store that is open."""
    way, kind, what = path.split(" ", 2)
    clock = ManualClock(_START)
    store, options = _store(kind, folder)
    options |= {"clock": clock, "sweep_every": None}
    async with SessionManager(store, **options) as maker, SessionManager(store, **options) as other:
        made = [await _cookie_of(maker) for _ in range(1 if what == "read again" else cookies)]
        request = _WAYS[way](other, what.split()[0])
        has_cookie = what not in ("create", "anonymous")
        yield Counted(request, (made * cookies)[:cookies] if has_cookie else [b""] * cookies)


def _store(kind: str, folder: Path) -> tuple[Any, dict[str, Any]]:
    match kind:
        case "cookie":
            return "cookie://", {"keys": KeyRing.generate()}
        case "memory":
            return MemoryStore(), {}
        case _:
            return SQLiteStore(folder / "sessions.db", durability="normal"), {}


async def _cookie_of(manager: SessionManager[Any]) -> bytes:
    session = await manager.load([])
    session.update(DATA)
    result = await manager.commit(session)
    return result.headers[0][1].partition(";")[0].encode()


def _use(what: str, session: Any) -> None:
    """What the handler does with its session."""
    match what:
        case "read":
            _ = session["visits"]
        case "write":
            session["visits"] += 1
        case "create":
            session.update(DATA)
        case _:
            pass


def _core(manager: SessionManager[Any], what: str) -> Request:
    async def request(cookie: bytes) -> None:
        session = manager.open([cookie] if cookie else [])
        if session.pending:
            await session.load()
        _use(what, session)
        await manager.commit(session)

    return request


def _asgi(manager: SessionManager[Any], what: str) -> Request:
    async def application(scope: Any, _receive: Any, send: Any) -> None:
        _use(what, scope["session"])
        headers = [(b"content-length", b"2"), (b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Any) -> None:
        pass

    middleware = SessionMiddleware(application, manager)

    async def request(cookie: bytes) -> None:
        headers = [(b"host", b"guard.example"), *([(b"cookie", cookie)] if cookie else [])]
        await middleware({"type": "http", "headers": headers}, receive, send)

    return request


_WAYS: dict[str, Callable[[SessionManager[Any], str], Request]] = {"core": _core, "asgi": _asgi}
