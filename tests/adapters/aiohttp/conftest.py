"""aiohttp on asyncio, over loopback: by its test client and by a server as applications run it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from tests.adapters._rows import AwaitedRows, LazyRows

from sojourn import (
    CookieOptions,
    Event,
    SessionManager,
)
from sojourn_aiohttp import setup
from sojourn_memory import MemoryStore

COOKIE = CookieOptions(name="session", secure=False)


@pytest.fixture
def anyio_backend() -> str:
    """The only event loop of aiohttp."""
    return "asyncio"


@pytest.fixture(params=[AwaitedRows, LazyRows], ids=["awaited", "lazy"])
def store(request: pytest.FixtureRequest) -> LazyRows:
    """A store that is asked in ``get_session``, and one that is asked at first use."""
    made: LazyRows = request.param(MemoryStore())
    return made


@pytest.fixture
def events() -> list[Event]:
    """What the manager told."""
    return []


@pytest.fixture
def manager(store: LazyRows, events: list[Event]) -> SessionManager[Any]:
    """A manager for plain http."""
    return SessionManager(store, cookie=COOKIE, on_event=events.append)


@pytest.fixture
def app(manager: SessionManager[Any]) -> web.Application:
    """An application with sessions."""
    made = web.Application()
    setup(made, manager)
    return made


Serve = Callable[[web.Application], AbstractAsyncContextManager[Any]]


@asynccontextmanager
async def by_test_client(app: web.Application) -> AsyncIterator[Any]:
    """The test client of aiohttp, which keeps cookies."""
    async with TestClient(TestServer(app)) as client:
        yield client


@asynccontextmanager
async def by_runner(app: web.Application, **options: Any) -> AsyncIterator[ClientSession]:
    """A server as applications run it, and an ordinary client with a cookie jar."""
    runner = web.AppRunner(app, shutdown_timeout=1, **options)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        jar = CookieJar(unsafe=True)  # which means: also for hosts without a name
        async with ClientSession(site.name, cookie_jar=jar) as client:
            yield client
    finally:
        await runner.cleanup()


@pytest.fixture(params=[by_test_client, by_runner], ids=["test client", "server"])
def serve(request: pytest.FixtureRequest) -> Serve:
    """Serves an application on a loopback port; gives a client that keeps cookies."""
    server: Serve = request.param
    return server
