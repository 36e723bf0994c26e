"""What a client gets when a session cannot be loaded or written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
from litestar import Litestar, Request, get
from litestar.config.compression import CompressionConfig
from litestar.exceptions import HTTPException
from litestar.response import Response, Stream
from litestar.testing import TestClient

from sojourn import SessionError, SessionManager, StoreUnavailableError
from sojourn.testing import FailingStore
from sojourn_litestar import SessionDep, SessionPlugin
from sojourn_memory import MemoryStore

BASE = "https://testserver.local"


@pytest.fixture(params=["asyncio", "trio"])
def backend(request) -> Any:
    """Both event loops."""
    return request.param


def down() -> SessionManager[Any]:
    """A store that writes nothing."""
    return SessionManager(FailingStore(MemoryStore(), lambda number, name: name == "create"))


@get("/write")
async def write(session: SessionDep) -> str:
    """A new session."""
    session["n"] = 1
    return "written"


@get("/big")
async def big(session: SessionDep) -> str:
    """More than a session may hold."""
    session["n"] = "x" * 1_000_000
    return "written"


@get("/endless")
async def endless(session: SessionDep) -> Stream:
    """A stream without an end."""
    session["n"] = 1

    async def chunks() -> AsyncIterator[str]:
        for number in count():
            yield str(number)

    return Stream(chunks())


def client(app: Litestar, backend: Any = "asyncio") -> TestClient[Litestar]:
    """As an application's own tests make it."""
    return TestClient(app, base_url=BASE, backend=backend)


def site(**options: Any) -> Litestar:
    """An application whose store is down."""
    return Litestar(
        [write, big, endless], plugins=[SessionPlugin(down())], logging_config=None, **options
    )


def test_endless_stream(backend):
    """A stream without an end ends, if its session cannot be written, and gives 503."""
    with client(site(), backend) as c:
        reply = c.get("/endless")
    assert (reply.status_code, "set-cookie" in reply.headers) == (503, False)


def test_own_page():
    """Without handlers of the application the client learns the status, and no reason."""
    with client(site()) as c:
        reply = c.get("/write")
    assert reply.json() == {"status_code": 503, "detail": "Service Unavailable"}


def handled(_: Request[Any, Any, Any], error: Exception) -> Response[str]:
    """The application's page."""
    return Response(type(error).__name__, status_code=418)


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (StoreUnavailableError, "StoreUnavailableError"),
        (SessionError, "StoreUnavailableError"),
        (503, "HTTPException"),
        (HTTPException, "HTTPException"),
        (Exception, "StoreUnavailableError"),
        (500, "StoreUnavailableError"),
    ],
)
def test_own_handlers(kind, shown):
    """The application's exception handlers make the page of a failed commit."""
    with client(site(exception_handlers={kind: handled})) as c:
        reply = c.get("/write")
    assert (reply.status_code, reply.text) == (418, shown)


def test_nearest_handler():
    """A handler for HTTP exceptions comes before one for all that nobody expected."""

    def crashed(_: Request[Any, Any, Any], error: Exception) -> Response[str]:
        raise AssertionError(error)

    with client(site(exception_handlers={Exception: crashed, HTTPException: handled})) as c:
        assert c.get("/write").text == "HTTPException"


def test_debug_page():
    """In debug mode a session that is too large shows Litestar's debug page."""
    with client(site(debug=True)) as c:
        reply = c.get("/big", headers={"Accept": "text/plain"})
    assert reply.status_code == 500
    assert "SessionTooLargeError" in reply.text


def test_after_exception():
    """An ``after_exception`` hook hears of a failed commit once."""
    heard: list[Exception] = []

    async def hear(error: Exception, _: Any) -> None:
        heard.append(error)

    with client(site(after_exception=[hear])) as c:
        c.get("/write")
    assert [type(error) for error in heard] == [StoreUnavailableError]


def test_compression():
    """A compressed response whose session cannot be written is a 503, too."""
    config = CompressionConfig(backend="gzip", minimum_size=1)
    with client(site(compression_config=config)) as c:
        reply = c.get("/write", headers={"Accept-Encoding": "gzip"})
    assert reply.json() == {"status_code": 503, "detail": "Service Unavailable"}


@pytest.mark.parametrize("kind", [None, ZeroDivisionError, 500])
def test_any_exception(kind, backend):
    """Whatever a commit raises becomes the application's own error page."""
    manager = SessionManager(MemoryStore())

    def function(value: int) -> int:
        if value == 5:
            raise ZeroDivisionError
        return value + 1

    @get("/modify")
    async def modify(session: SessionDep, request: Request[Any, Any, Any]) -> str:
        session.modify("n", function, 0)
        rival = await manager.load([request.headers["cookie"].encode()])
        rival["n"] = 5
        await manager.commit(rival)
        return "written"

    handlers = {} if kind is None else {kind: handled}
    plugins, routes = [SessionPlugin(manager)], [modify, write]
    app = Litestar(routes, plugins=plugins, exception_handlers=handlers, logging_config=None)
    with client(app, backend) as c:
        c.get("/write")
        reply = c.get("/modify")
    assert reply.status_code == (500 if kind is None else 418)
    if kind is not None:
        assert reply.text == "ZeroDivisionError"
