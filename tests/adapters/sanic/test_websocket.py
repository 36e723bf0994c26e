"""Sessions of Sanic's websockets: read at once, written to the store, never a cookie."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest
from sanic import Request, empty, json
from websockets.asyncio.client import connect

from sojourn import SessionSealedError

pytestmark = pytest.mark.anyio


def connected(client, path="/ws"):
    """A websocket to the served application, with the client's cookies."""
    url = str(client.base_url).replace("http", "ws") + path
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    return connect(url, additional_headers={"Cookie": cookies} if cookies else {})


async def until(condition):
    """Wait for what another task does, with an end."""
    with anyio.fail_after(5):
        while not condition():
            await anyio.lowlevel.checkpoint()


@pytest.fixture
def routes(app, sessions):
    """A page that begins a session and one that shows it."""

    @app.get("/begin")
    async def begin(request: Request):
        request.ctx.session["n"] = 0
        return empty()

    @app.get("/data")
    async def data(request: Request):
        return json(dict(request.ctx.session.items()))


@pytest.mark.parametrize("leaves_first", [False, True])
async def test_written_at_the_end(app, serve, routes, store, leaves_first):
    """What a websocket's handler changed is written, also if the client left first."""

    @app.websocket("/ws")
    async def counting(request: Request, ws):
        async for _ in ws:
            request.ctx.session.modify("n", lambda n: n + 1)
            await ws.send("seen")
            if not leaves_first:
                break

    async with serve(app) as client:
        await client.get("/begin")
        async with connected(client) as socket:
            await socket.send("x")
            assert "seen" == await socket.recv()
        await until(lambda: "replace" in store.calls)
        assert {"n": 1} == (await client.get("/data")).json()


async def test_explicit_commit(app, serve, routes):
    """session.commit() in a websocket writes at once."""

    @app.websocket("/ws")
    async def writing(request: Request, ws):
        request.ctx.session["from"] = "socket"
        await request.ctx.session.commit()
        await ws.send("written")
        await ws.recv()

    async with serve(app) as client:
        await client.get("/begin")
        async with connected(client) as socket:
            assert "written" == await socket.recv()
            assert "socket" == (await client.get("/data")).json()["from"]


async def test_nothing_begins(app, serve, sessions, store):
    """A websocket cannot begin a session: nobody would get the cookie, and commit says so."""
    said = []

    @app.websocket("/ws")
    async def writing(request: Request, ws):
        request.ctx.session["a"] = 1
        try:
            await request.ctx.session.commit()
        except SessionSealedError as error:
            said.append(str(error))
        await ws.send("done")

    async with serve(app) as client, connected(client) as socket:
        assert "done" == await socket.recv()
    assert said
    assert 0 == len(store.inner)


async def test_store_down_at_the_end(app, serve, routes, store, caplog):
    """A store that is down when a websocket ends is logged, and the server goes on."""

    @app.websocket("/ws")
    async def writing(request: Request, ws):
        request.ctx.session["a"] = 1
        store.down = {"replace"}

    async with serve(app) as client:
        await client.get("/begin")
        async with connected(client) as socket:
            await socket.wait_closed()
        await until(lambda: "could not be written" in caplog.text)
        assert {"n": 0} == (await client.get("/data")).json()
