"""Websockets whose client leaves, and what is kept then."""

from __future__ import annotations

from typing import Any

import pytest
from litestar import Litestar, WebSocket, websocket

from sojourn import SessionManager
from sojourn.testing import FailingStore, client_cookie
from sojourn_litestar import SessionDep, SessionPlugin
from sojourn_memory import MemoryStore

pytestmark = pytest.mark.anyio
AnyWebSocket = WebSocket[Any, Any, Any]


@websocket("/push")
async def push(socket: AnyWebSocket, session: SessionDep) -> None:
    """Sends for as long as somebody listens."""
    await socket.accept()
    session["n"] = 2
    while True:
        await socket.send_text("news")


@websocket("/listen")
async def listen(socket: AnyWebSocket, session: SessionDep) -> None:
    """Listens for as long as somebody sends."""
    await socket.accept()
    session["n"] = 2
    while True:
        await socket.receive_text()


@websocket("/crash")
async def crash(socket: AnyWebSocket, session: SessionDep) -> None:
    """Crashes while the client is there."""
    await socket.accept()
    session["n"] = 2
    raise RuntimeError("the handler crashes")


@websocket("/login")
async def login(socket: AnyWebSocket, session: SessionDep) -> None:
    """Begins a session in the handshake."""
    session["n"] = 2
    await socket.accept()


async def serve(manager: SessionManager[Any], path: str, cookie: str) -> list[Any]:
    """One websocket whose client leaves after the handshake, as a server of ASGI 2.4 tells it."""
    app = Litestar(
        [push, listen, crash, login], plugins=[SessionPlugin(manager)], logging_config=None
    )
    sent: list[Any] = []
    incoming = iter([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1006}])

    async def receive() -> Any:
        return next(incoming)

    async def send(message: Any) -> None:
        if message["type"] == "websocket.send":
            raise OSError("the client has left")
        sent.append(message)

    scope: Any = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "scheme": "wss",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"testserver.local"), (b"cookie", cookie.encode())],
        "subprotocols": [],
        "state": {},
    }
    await app(scope, receive, send)
    return sent


@pytest.mark.parametrize(("path", "kept"), [("/push", 2), ("/listen", 2), ("/crash", 1)])
async def test_client_leaves(path, kept):
    """What a websocket changed is kept if its client leaves, and dropped if its handler crashes."""
    manager = SessionManager(MemoryStore())
    cookie = await client_cookie(manager, {"n": 1})
    await serve(manager, path, cookie)
    assert (await manager.load([cookie.encode()]))["n"] == kept


async def test_down_at_handshake():
    """A handshake whose session cannot be written is refused: try again later (RFC 6455 7.4)."""
    store = FailingStore(MemoryStore(), lambda number, name: name == "create")
    sent = await serve(SessionManager(store), "/login", "a=b")
    assert [(m["type"], m["code"]) for m in sent] == [("websocket.close", 1013)]
