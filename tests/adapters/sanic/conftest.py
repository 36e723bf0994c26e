"""A real Sanic server on a loopback port, in this event loop, and a store that can be broken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from sanic import Sanic
from tests.adapters._rows import AwaitedRows

from sojourn import CookieOptions, SessionManager
from sojourn_memory import MemoryStore
from sojourn_sanic import Sessions

from ._server import new_app, served


@pytest.fixture
def anyio_backend() -> str:
    """Sanic runs on asyncio only."""
    return "asyncio"


@pytest.fixture
def store() -> AwaitedRows:
    """A fresh store."""
    return AwaitedRows(MemoryStore())


@pytest.fixture
def manager(store: AwaitedRows) -> SessionManager[Any]:
    """A manager for plain http."""
    return SessionManager(store, cookie=CookieOptions(secure=False))


@pytest.fixture
def app() -> Sanic[Any, Any]:
    """An application without sessions."""
    return new_app()


Serve = Callable[[Sanic[Any, Any]], AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def serve() -> Serve:
    """Serve an application on loopback; gives a client that keeps cookies."""

    @asynccontextmanager
    async def serving(app: Sanic[Any, Any]) -> AsyncIterator[httpx.AsyncClient]:
        async with (
            served(app) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
        ):
            yield client

    return serving


@pytest.fixture
def sessions(app: Sanic[Any, Any], manager: SessionManager[Any]) -> Sessions[Any]:
    """Sessions installed in the application."""
    return Sessions(app, manager)
