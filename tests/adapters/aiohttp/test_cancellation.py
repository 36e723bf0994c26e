"""``handler_cancellation=True``: aiohttp cancels the handler when its client leaves."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import anyio
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sojourn.testing import client_cookie
from sojourn_aiohttp import get_session

pytestmark = pytest.mark.anyio


@pytest.fixture
async def cancelling():
    """Serves an application by a server that cancels; gives a client that keeps cookies."""
    async with AsyncExitStack() as stack:

        async def make(app):
            # The test server, unlike others, has handler_cancellation on.
            return await stack.enter_async_context(TestClient(TestServer(app)))

        yield make


async def read(request: web.Request) -> web.Response:
    """Show the session."""
    return web.json_response(dict(await get_session(request)))


async def leave(client, path: str, headers: dict[str, str], when: asyncio.Event) -> None:
    """Send a request, and drop the connection at that moment."""
    _, writer = await asyncio.open_connection(client.host, client.port)
    lines = [f"GET {path} HTTP/1.1", "Host: x", *(f"{k}: {v}" for k, v in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    with anyio.fail_after(5):
        await when.wait()
        writer.transport.abort()


async def test_cut_in_the_handler(app, store, manager, cancelling):
    """A handler that is cut before its response leaves the session as it was."""
    started, ended = asyncio.Event(), asyncio.Event()

    async def slow(request):
        (await get_session(request))["a"] = 2
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    app.router.add_get("/", slow)
    app.router.add_get("/read", read)
    headers = {"Cookie": await client_cookie(manager, {"a": 1})}
    client = await cancelling(app)
    await leave(client, "/", headers, started)
    with anyio.fail_after(5):
        await ended.wait()
    assert await (await client.get("/read", headers=headers)).json() == {"a": 1}
    assert "replace" not in store.calls


async def test_cut_in_the_commit(app, store, manager, cancelling):
    """A commit that is cut leaves the old row or the new one, and the session works on."""
    started, ended = asyncio.Event(), asyncio.Event()

    async def put(request):
        (await get_session(request))["a"] = 2
        return web.Response()

    async def stuck(name):
        if name == "replace" and not started.is_set():
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    app.router.add_get("/", put)
    app.router.add_get("/read", read)
    headers = {"Cookie": await client_cookie(manager, {"a": 1})}
    store.before = stuck
    client = await cancelling(app)
    await leave(client, "/", headers, started)
    with anyio.fail_after(5):
        await ended.wait()
    assert await (await client.get("/read", headers=headers)).json() == {"a": 1}
    assert (await client.get("/", headers=headers)).status == 200
    assert await (await client.get("/read", headers=headers)).json() == {"a": 2}


async def test_websockets_keep_what_they_wrote(app, store, cancelling):
    """A websocket whose handler is cancelled keeps its changes."""

    async def socket(request):
        session = await get_session(request)
        session["n"] = 0
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        session["n"] = int(await ws.receive_str())
        await ws.send_str("seen")
        await asyncio.Event().wait()
        return ws

    app.router.add_get("/", socket)
    app.router.add_get("/read", read)
    client = await cancelling(app)
    ws = await client.ws_connect("/")
    await ws.send_str("7")
    assert await ws.receive_str() == "seen"
    ws._response.connection.transport.abort()
    await ws.close()
    with anyio.fail_after(5):
        while await (await client.get("/read")).json() != {"n": 7}:
            await anyio.lowlevel.checkpoint()
