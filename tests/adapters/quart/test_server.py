"""The same on Hypercorn, asyncio and trio, over loopback sockets."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from quart import Quart, Response, abort, redirect, send_file, session, websocket
from tests.adapters._rows import LazyRows
from wsproto.events import AcceptConnection, RejectConnection

from sojourn import SessionManager
from sojourn.testing import client_cookie
from sojourn_quart import Sessions, get_session

from ._client import connect
from .conftest import Serve

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.usefixtures("site"),
    # A client that has read the file and leaves cuts Quart off while it closes the file.
    pytest.mark.filterwarnings(r"ignore:unclosed file .*a\.txt:ResourceWarning"),
]


@pytest.fixture
def site(app: Quart, sessions: Sessions[Any], tmp_path: Path) -> None:
    """Pages and websockets of every kind."""
    (tmp_path / "a.txt").write_text("text")
    _add_pages(app)
    _add_bodies(app, tmp_path / "a.txt")
    _add_websockets(app)


def _add_pages(app: Quart) -> None:
    @app.route("/")
    async def index() -> dict[str, Any]:
        return dict(session)

    @app.route("/count")
    async def count() -> str:
        session["n"] = session.get("n", 0) + 1
        return str(session["n"])

    @app.route("/login")
    async def login() -> Any:
        get_session().bind("ada")
        return redirect("/")

    @app.route("/logout")
    async def logout() -> Any:
        get_session().destroy()
        return redirect("/")


def _add_bodies(app: Quart, path: Path) -> None:
    @app.route("/stream")
    async def stream() -> Response:
        session["streamed"] = True

        async def lines() -> AsyncIterator[bytes]:
            yield b"a"
            yield b"b"

        return Response(lines())

    @app.route("/file")
    async def file() -> Response:
        session["filed"] = True
        return await send_file(path)


def _add_websockets(app: Quart) -> None:
    @app.websocket("/ws")
    async def ws() -> None:
        session["opened"] = True
        while (message := await websocket.receive()) != "bye":
            session["said"] = message
            await websocket.send(message)

    @app.websocket("/last")
    async def last() -> None:
        try:
            while True:
                session["said"] = message = await websocket.receive()
                await websocket.send(message)
        finally:
            session["ended"] = True

    @app.websocket("/deny")
    async def deny() -> None:
        session["denied"] = True
        abort(403)


def http(port: int) -> httpx.AsyncClient:
    """A client that keeps cookies."""
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)


async def saw(client: httpx.AsyncClient, key: str) -> Any:
    """Wait until the session has this key, and give its value."""
    with anyio.fail_after(5):
        while True:
            found = (await client.get("/")).json()
            if key in found:
                return found[key]


async def test_http(app: Quart, serve: Serve) -> None:
    """Visits are counted, HEAD, 404, streams and files carry the cookie, redirects too."""
    async with serve(app) as port:
        for path, text in (("/stream", "ab"), ("/file", "text")):
            async with http(port) as fresh:
                response = await fresh.get(path)
                assert (response.text, "session" in response.cookies) == (text, True)
        async with http(port) as client:
            assert "session" in (await client.head("/count")).cookies
            assert [(await client.get("/count")).text for _ in range(2)] == ["2", "3"]
            missing = await client.get("/missing")
            assert (missing.status_code, "vary" in missing.headers) == (404, False)
            before = client.cookies["session"]
            login = await client.get("/login")
            assert login.status_code == 302
            assert client.cookies["session"] != before
            assert (await client.get("/")).json() == {"n": 3}
            await client.get("/logout")
            assert "session" not in client.cookies


async def test_store_down(app: Quart, serve: Serve, store: LazyRows) -> None:
    """A store that is down is 503, at load and at commit, and the session is back afterwards."""
    async with serve(app) as port, http(port) as client:
        await client.get("/count")
        for down in ("load", "replace"):
            store.down = {down}
            response = await client.get("/count")
            assert (response.status_code, "set-cookie" in response.headers) == (503, False)
            assert "503 Service Unavailable" in response.text
        store.down = set()
        assert (await client.get("/count")).text == "2"


async def test_restart(app: Quart, serve: Serve) -> None:
    """The application may be served again, and its sessions are still there."""
    async with serve(app) as port, http(port) as client:
        await client.get("/count")
        cookies = client.cookies
    async with serve(app) as port, http(port) as client:
        client.cookies = cookies
        assert (await client.get("/count")).text == "2"


async def test_handshake_cookie(app: Quart, serve: Serve) -> None:
    """The handshake of a new visitor sets the cookie, and what is said goes into its session."""
    async with serve(app) as port, http(port) as client:
        async with connect(port, "/ws") as socket:
            await socket.send("hello")
            assert await socket.receive() == "hello"
            (line,) = socket.cookies
            await socket.send("bye")
            assert await socket.receive() == 1000
        pair = line.split(";")[0]
        response = await client.get("/", headers={"Cookie": pair})
        assert response.json() == {"opened": True, "said": "hello"}


async def test_client_leaves_first(
    app: Quart, serve: Serve, manager: SessionManager[Any], store: LazyRows
) -> None:
    """A client that closes, or is cut off, loses nothing of what it said."""
    cookie = await client_cookie(manager, {"a": 1})
    async with serve(app) as port, http(port) as client:
        client.headers["Cookie"] = cookie
        async with connect(port, "/ws", cookie) as socket:
            await socket.send("closed")
            await socket.receive()
            await socket.leave()
        assert await saw(client, "said") == "closed"
        await manager.revoke((await manager.load([cookie.encode()])).id or "")
        cookie = client.headers["Cookie"] = await client_cookie(manager, {"a": 1})
        async with connect(port, "/ws", cookie) as socket:
            await socket.send("cut")
            await socket.receive()
        assert await saw(client, "said") == "cut"


async def test_server_ends_first(
    app: Quart, serve: Serve, manager: SessionManager[Any], anyio_backend: str
) -> None:
    """A server that is stopped ends its websockets' handlers, and writes what they said last."""
    if anyio_backend == "asyncio" and sys.version_info >= (3, 12):
        pytest.skip("asyncio's servers wait for their clients since Python 3.12")
    cookie = await client_cookie(manager, {"a": 1})
    async with anyio.create_task_group() as tasks:
        said = anyio.Event()

        async def talk(port: int) -> None:
            async with connect(port, "/last", cookie) as socket:
                await socket.send("last words")
                await socket.receive()
                said.set()
                with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                    while await socket.receive():
                        pass

        async with serve(app) as port:
            tasks.start_soon(talk, port)
            await said.wait()
    session = await manager.load([cookie.encode()])
    assert (session["said"], session["ended"]) == ("last words", True)


async def test_denial(app: Quart, serve: Serve) -> None:
    """A denied handshake is an ordinary response, and carries the cookie."""
    async with serve(app) as port, connect(port, "/deny") as socket:
        assert isinstance(socket.answer, RejectConnection)
        assert socket.answer.status_code == 403
        assert len(socket.cookies) == 1


async def test_second_handshake(app: Quart, serve: Serve, manager: SessionManager[Any]) -> None:
    """A handshake that changes nothing leaves the cookie alone."""
    cookie = await client_cookie(manager, {"opened": True})
    async with serve(app) as port, connect(port, "/ws", cookie) as socket:
        assert isinstance(socket.answer, AcceptConnection)
        assert socket.cookies == []


async def test_disconnect_in_a_commit(
    app: Quart, serve: Serve, manager: SessionManager[Any], store: LazyRows
) -> None:
    """A client that leaves while its request is committed leaves the old session or the new one."""
    cookie = await client_cookie(manager, {"n": 1})
    arrived, go_on = anyio.Event(), anyio.Event()

    async def wait(name: str) -> None:
        if name == "replace":
            arrived.set()
            await go_on.wait()

    store.before = wait
    async with serve(app) as port:
        request = f"GET /count HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\n\r\n"
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(request.encode())
            await arrived.wait()
        await anyio.wait_all_tasks_blocked()
        go_on.set()
        store.before = None
        async with http(port) as client:
            client.headers["Cookie"] = cookie
            assert (await client.get("/count")).text in ("2", "3")
