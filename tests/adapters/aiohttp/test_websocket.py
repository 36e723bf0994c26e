"""Websockets: the cookie goes out with the 101, and everything later goes to the store."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from aiohttp import WSMsgType, WSServerHandshakeError, web

from sojourn import SessionSealedError
from sojourn.testing import client_cookie
from sojourn_aiohttp import get_session

pytestmark = pytest.mark.anyio


async def read(request: web.Request) -> web.Response:
    """Show the session."""
    return web.json_response(dict(await get_session(request)))


async def eventually(client: Any, expected: dict[str, Any], **options: Any) -> None:
    """The session is as expected, at once or when the server has noticed that the client left."""
    with anyio.fail_after(5):
        while await (await client.get("/read", **options)).json() != expected:
            await anyio.lowlevel.checkpoint()


async def test_cookie_on_the_101(app, serve):
    """What is set before the handshake sets the cookie on the 101."""

    async def socket(request):
        (await get_session(request))["a"] = 1
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        return ws

    app.router.add_get("/", socket)
    app.router.add_get("/read", read)
    async with serve(app) as client:
        async with client.ws_connect("/") as ws:
            assert ws._response.headers["Set-Cookie"].startswith("session=")
            assert (await ws.receive()).type is WSMsgType.CLOSE
        assert await (await client.get("/read")).json() == {"a": 1}


@pytest.mark.parametrize("way", ["iterate", "receive_str", "send"])
async def test_the_client_leaves_first(way, app, serve):
    """What a websocket's handler wrote is kept when the client leaves first."""

    async def socket(request):
        session = await get_session(request)
        session["n"] = 0
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        if way == "iterate":
            async for message in ws:
                session["n"] = int(message.data)
        while way == "receive_str":
            session["n"] = int(await ws.receive_str())
        session["n"] = int(await ws.receive_str()) if way == "send" else session["n"]
        while way == "send":
            await ws.send_str("more")
            await anyio.lowlevel.checkpoint()
        return ws

    app.router.add_get("/", socket)
    app.router.add_get("/read", read)
    async with serve(app) as client:
        ws = await client.ws_connect("/")
        await ws.send_str("7")
        if way == "send":  # this handler never reads, so it would never see a close frame
            await ws.receive_str()
            ws._response.connection.transport.abort()
        await ws.close()
        await eventually(client, {"n": 7})


async def test_the_server_closes(app, serve):
    """What is set before and after the server's own close is kept."""

    async def socket(request):
        session = await get_session(request)
        session["before"] = True
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.close()
        session["after"] = True
        return ws

    app.router.add_get("/", socket)
    app.router.add_get("/read", read)
    async with serve(app) as client:
        async with client.ws_connect("/") as ws:
            await ws.receive()
        await eventually(client, {"before": True, "after": True})


async def test_commit_in_between(app, store, serve):
    """``await session.commit()`` writes while the websocket is open."""

    async def socket(request):
        session = await get_session(request)
        session["n"] = 0
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for message in ws:
            session["n"] = int(message.data)
            await session.commit()
            await ws.send_str("written")
        return ws

    app.router.add_get("/", socket)
    app.router.add_get("/read", read)
    async with serve(app) as client, client.ws_connect("/") as ws:
        for n in (1, 2):
            await ws.send_str(str(n))
            await ws.receive_str()
            assert await (await client.get("/read")).json() == {"n": n}


async def test_no_new_session_after_the_handshake(app, store, serve):
    """A session that begins after the handshake could reach nobody: it says so, and has no row."""

    async def socket(request):
        session = await get_session(request)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        session["a"] = 1
        with pytest.raises(SessionSealedError):
            await session.commit()
        await ws.send_str("refused")
        return ws

    app.router.add_get("/", socket)
    async with serve(app) as client, client.ws_connect("/") as ws:
        assert await ws.receive_str() == "refused"
        assert (await ws.receive()).type is WSMsgType.CLOSE
    assert "create" not in store.calls


async def test_asked_for_after_the_handshake(app, manager, serve):
    """A session that is asked for first after the handshake is written when the socket ends."""

    async def socket(request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        (await get_session(request))["n"] = int(await ws.receive_str())
        await ws.close()
        return ws

    app.router.add_get("/", socket)
    app.router.add_get("/read", read)
    headers = {"Cookie": await client_cookie(manager, {"n": 0})}
    async with serve(app) as client:
        ws = await client.ws_connect("/", headers=headers)
        await ws.send_str("7")
        assert (await ws.receive()).type is WSMsgType.CLOSE
        await ws.close()
        await eventually(client, {"n": 7}, headers=headers)


async def test_a_crash_drops_what_was_not_committed(app, serve):
    """An exception in an open websocket drops the changes since the last commit."""

    async def socket(request):
        session = await get_session(request)
        session["kept"] = True
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        session["lost"] = True
        raise ZeroDivisionError

    app.router.add_get("/", socket)
    app.router.add_get("/read", read)
    async with serve(app) as client:
        async with client.ws_connect("/") as ws:
            await ws.receive()
        assert await (await client.get("/read")).json() == {"kept": True}


@pytest.mark.parametrize("status", [403, 500])
async def test_a_handshake_that_is_refused(status, app, store, serve):
    """A refused handshake is an ordinary response, with its cookie below 500."""
    pages = {403: web.HTTPForbidden, 500: web.HTTPInternalServerError}

    async def socket(request):
        (await get_session(request))["a"] = 1
        raise pages[status]

    app.router.add_get("/", socket)
    async with serve(app) as client:
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect("/")
    assert refused.value.status == status
    assert ("Set-Cookie" in (refused.value.headers or {})) == (status < 500)


async def test_no_websocket_request(app, serve):
    """A plain request to a websocket's address is aiohttp's 400, and its session is kept."""

    async def socket(request):
        (await get_session(request))["a"] = 1
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        return ws

    app.router.add_get("/", socket)
    async with serve(app) as client:
        response = await client.get("/")
    assert response.status == 400
    assert "Set-Cookie" in response.headers


async def test_down_at_the_handshake(app, store, serve):
    """A handshake that cannot be committed is a 503, on a connection that goes on."""

    async def socket(request):
        (await get_session(request))["a"] = 1
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        return ws

    app.router.add_get("/", socket)
    app.router.add_get("/read", read)
    store.down = {"create"}
    async with serve(app) as client:
        with pytest.raises(WSServerHandshakeError) as refused:
            await client.ws_connect("/")
        assert (await client.get("/read")).status == 200
    assert refused.value.status == 503
    assert "Set-Cookie" not in (refused.value.headers or {})


async def test_down_at_the_end(app, store, manager, serve):
    """A last commit that fails cuts the websocket, and no page is written into its frames."""

    async def socket(request):
        session = await get_session(request)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        session["a"] = 2
        store.down = {"replace"}
        return ws

    app.router.add_get("/", socket)
    headers = {"Cookie": await client_cookie(manager, {"a": 1})}
    async with serve(app) as client, client.ws_connect("/", headers=headers) as ws:
        assert (await ws.receive()).type in (WSMsgType.CLOSED, WSMsgType.CLOSING)
        assert ws.close_code == 1006
    assert "replace" in store.calls
