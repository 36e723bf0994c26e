"""A real Sanic server on a loopback port, in this event loop, and a store that can be broken."""

from __future__ import annotations

import itertools
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from sanic import Sanic

from sojourn import (
    CookieOptions,
    Outcome,
    Record,
    SessionManager,
    StoreUnavailableError,
)
from sojourn_sanic import Sessions

_NAMES = itertools.count()


class Rows:
    """An honest store of a few lines, with awaits, that fails while ``down`` is set."""

    def __init__(self) -> None:
        self.rows: dict[str, Record] = {}
        self.calls: list[str] = []
        self.down: set[str] = set()
        self.is_open = False

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.down:
            raise StoreUnavailableError("the test's store is down")

    async def aopen(self) -> None:
        """See ``SupportsOpen``."""
        self.is_open = True

    async def aclose(self) -> None:
        """See ``Store``."""
        self.is_open = False

    async def load(self, id: str, *, now: float) -> Record | None:
        """See ``Store``."""
        self._call("load")
        record = self.rows.get(id)
        return record if record is not None and now < record.expires_at else None

    async def create(self, record: Record) -> bool:
        """See ``Store``."""
        self._call("create")
        if record.id in self.rows:
            return False
        self.rows[record.id] = record
        return True

    async def replace(self, record: Record, *, version: int, now: float) -> Outcome:
        """See ``Store``."""
        self._call("replace")
        old = self.rows.get(record.id)
        if old is None or old.expires_at <= now:
            return Outcome.GONE
        if old.version != version:
            return Outcome.CONFLICT
        self.rows[record.id] = record
        return Outcome.APPLIED

    async def touch(self, id: str, *, version: int, expires_at: float, now: float) -> Outcome:
        """See ``Store``."""
        raise AssertionError("no test here waits long enough for an extension")

    async def delete(self, id: str) -> bool:
        """See ``Store``."""
        self._call("delete")
        return self.rows.pop(id, None) is not None


@pytest.fixture
def anyio_backend() -> str:
    """Sanic runs on asyncio only."""
    return "asyncio"


@pytest.fixture
def store() -> Rows:
    """A fresh store."""
    return Rows()


@pytest.fixture
def manager(store: Rows) -> SessionManager[Any]:
    """A manager for plain http."""
    return SessionManager(store, cookie=CookieOptions(secure=False))


@pytest.fixture
def app() -> Sanic[Any, Any]:
    """An application with a name of its own, as Sanic wants it."""
    Sanic.test_mode = True
    return Sanic(f"app{next(_NAMES)}")


Serve = Callable[[Sanic[Any, Any]], AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def serve() -> Serve:
    """Serve an application on loopback; gives a client that keeps cookies."""

    @asynccontextmanager
    async def serving(app: Sanic[Any, Any]) -> AsyncIterator[httpx.AsyncClient]:
        app.config.MOTD = False
        sock = socket.create_server(("127.0.0.1", 0))
        server: Any = await app.create_server(sock=sock, return_asyncio_server=True)
        assert server is not None
        await server.startup()
        await server.before_start()
        await server.start_serving()
        await server.after_start()
        port = sock.getsockname()[1]
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                yield client
        finally:
            await server.before_stop()
            server.close()
            await server.wait_closed()
            await server.after_stop()

    return serving


@pytest.fixture
def sessions(app: Sanic[Any, Any], manager: SessionManager[Any]) -> Sessions[Any]:
    """Sessions installed in the application."""
    return Sessions(app, manager)
