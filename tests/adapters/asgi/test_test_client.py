"""Starlette's TestClient, which runs each call in an event loop of another thread."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from sojourn import SessionManager
from sojourn_asgi import SessionMiddleware

from ._recording import Recording

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


async def count(request: Request) -> PlainTextResponse:
    """Counts."""
    request.session["n"] = request.session.get("n", 0) + 1
    return PlainTextResponse(str(request.session["n"]))


async def ws(websocket: WebSocket) -> None:
    """Counts."""
    websocket.session["n"] = websocket.session.get("n", 0) + 1
    await websocket.accept()
    await websocket.send_text(str(websocket.session["n"]))
    await websocket.close()


def make_client(store, backend) -> TestClient:
    """A client of an application with our middleware."""
    app = Starlette(
        routes=[Route("/", count), WebSocketRoute("/ws", ws)],
        middleware=[Middleware(SessionMiddleware, manager=SessionManager(store))],
    )
    return TestClient(app, "https://testserver", backend=backend)


@BACKENDS
def test_with_lifespan(backend):
    """As a context manager it opens and closes the store, and keeps the cookie."""
    store = Recording()
    with make_client(store, backend) as client:
        was_open = store.is_open
        assert [client.get("/").text for _ in range(2)] == ["1", "2"]
        with client.websocket_connect("wss://testserver/ws") as socket:
            assert socket.receive_text() == "3"
    assert (was_open, store.is_open) == (True, False)


@BACKENDS
def test_without_lifespan(backend):
    """Without the context manager each request has an event loop of its own, and sessions last."""
    client = make_client(Recording(), backend)
    assert [client.get("/").text for _ in range(3)] == ["1", "2", "3"]
