"""Quart on asyncio and quart-trio on trio; a store that can be broken; real servers on loopback."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import anyio
import hypercorn.asyncio
import hypercorn.trio
import pytest
from hypercorn.config import Config
from quart import Quart, session
from quart_trio import QuartTrio
from tests.adapters._rows import AwaitedRows, LazyRows

from sojourn import (
    CookieOptions,
    Event,
    SessionManager,
)
from sojourn.testing import client_cookie
from sojourn_memory import MemoryStore
from sojourn_quart import Sessions


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """The event loop that a test runs on."""
    backend: str = request.param
    return backend


@pytest.fixture
def make_app(anyio_backend: str) -> Callable[[], Quart]:
    """Makes an application for this event loop."""
    kind = {"asyncio": Quart, "trio": QuartTrio}[anyio_backend]
    return lambda: kind("site")


@pytest.fixture
def app(make_app: Callable[[], Quart]) -> Quart:
    """An application without sessions."""
    return make_app()


@pytest.fixture(params=[AwaitedRows, LazyRows], ids=["awaited", "lazy"])
def store(request: pytest.FixtureRequest) -> LazyRows:
    """A store whose sessions load before the handler, and one whose sessions load at first use."""
    made: LazyRows = request.param(MemoryStore())
    return made


@pytest.fixture
def events() -> list[Event]:
    """What the manager told."""
    return []


@pytest.fixture
def manager(store: LazyRows, events: list[Event]) -> SessionManager[Any]:
    """A manager for plain http."""
    return SessionManager(store, cookie=CookieOptions(secure=False), on_event=events.append)


@pytest.fixture
def sessions(app: Quart, manager: SessionManager[Any]) -> Sessions[Any]:
    """Sessions installed in the application."""
    return Sessions(app, manager)


Serve = Callable[[Quart], AbstractAsyncContextManager[int]]


@pytest.fixture
def serve(anyio_backend: str) -> Serve:
    """Serves an application with Hypercorn on a loopback port, and gives the port."""
    server: Any = {"asyncio": hypercorn.asyncio, "trio": hypercorn.trio}[anyio_backend]

    @asynccontextmanager
    async def serving(app: Quart) -> AsyncIterator[int]:
        # The socket listens already, so that clients need not wait for the server.
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = Config()
        config.bind = [f"fd://{listener.detach()}"]
        config.errorlog = None
        config.graceful_timeout = 1
        stop = anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(server.serve, app, config, shutdown_trigger=stop.wait))
            try:
                yield port
            finally:
                stop.set()

    return serving


def cookies(response: Any) -> list[str]:
    """The Set-Cookie lines of a response."""
    lines: list[str] = response.headers.getlist("set-cookie")
    return lines


@pytest.fixture
def count(app: Quart) -> None:
    """A handler that counts the visits of a session."""

    @app.route("/count")
    async def count() -> str:
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])


Peek = Callable[[], Awaitable[dict[str, Any]]]


@pytest.fixture
async def cookie(manager: SessionManager[Any]) -> str:
    """The Cookie header of somebody with a session."""
    return await client_cookie(manager, {"begun": True})


@pytest.fixture
def peek(manager: SessionManager[Any], cookie: str) -> Peek:
    """What that session holds now."""

    async def peeking() -> dict[str, Any]:
        return dict(await manager.load([cookie.encode()]))

    return peeking
