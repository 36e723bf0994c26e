"""What every adapter proves, on Sanic's own server."""

from __future__ import annotations

import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sanic import Blueprint, Request, Sanic, file, redirect
from sanic import text as plain
from sanic.exceptions import Forbidden

from sojourn import Session
from sojourn.testing import (
    OWN_HEADERS,
    AdapterTests,
    Capabilities,
    Client,
    Serve,
    Setup,
    Visit,
    act,
    chunks,
    over_tcp,
)
from sojourn_sanic import Sessions, get_session

_NAMES = itertools.count()


async def text(request: Request, action: str) -> Any:
    """Plain text."""
    return plain(await act(request.ctx.session, action))


async def typed(request: Request) -> Any:
    """The typed way."""
    session: Session[Visit] = await get_session(request)
    return plain(await act(session, "typed"))


async def headers(request: Request, action: str) -> Any:
    """With headers of its own."""
    response = plain(await act(request.ctx.session, action))
    for name, value in OWN_HEADERS:
        response.headers.add(name, value)
    return response


async def go(request: Request, action: str) -> Any:
    """Elsewhere."""
    await act(request.ctx.session, action)
    return redirect("/text/take", status=303)


async def error(request: Request, action: str) -> Any:
    """Raised."""
    raise Forbidden(await act(request.ctx.session, action))


async def crash(request: Request, action: str) -> Any:
    """Not handled."""
    raise RuntimeError(await act(request.ctx.session, action))


async def _body(request: Request, action: str, kind: str, line: str) -> None:
    await act(request.ctx.session, action)
    response: Any = await request.respond(content_type=kind)
    async for chunk in chunks(request.ctx.session):
        await response.send(line.format(chunk))
    await response.eof()


async def stream(request: Request, action: str) -> None:
    """Change the session, then stream."""
    await _body(request, action, "text/plain", "{}")


async def sse(request: Request, action: str) -> None:
    """Server-sent events."""
    await _body(request, action, "text/event-stream", "data: {}\n\n")


async def ws(request: Request, socket: Any, action: str) -> None:
    """A websocket, already accepted."""
    await act(request.ctx.session, action)
    while (message := await socket.recv()) != "close":
        if message == "crash":
            raise RuntimeError("the handler crashes")
        await socket.send(await act(request.ctx.session, message))


def build(given: Setup) -> Sanic[Any, Any]:
    """The application; a second installation of one manager is refused, so "twice" is once."""
    Sanic.test_mode = True
    app: Any = Sanic(f"site{next(_NAMES)}")
    app.config.update(MOTD=False, AUTO_EXTEND=False)
    Sessions(app, given.manager)
    sub = Blueprint("sub", url_prefix="/sub")

    async def page(request: Request, action: str) -> Any:
        await act(request.ctx.session, action)
        return await file(given.folder / "page.txt")

    handlers = {"text": text, "headers": headers, "redirect": go, "error": error, "crash": crash}
    handlers |= {"stream": stream, "sse": sse, "file": page}
    for name, handler in handlers.items():
        app.add_route(handler, f"/{name}/<action:str>", name=name)
    app.add_route(typed, "/typed")
    app.add_websocket_route(ws, "/ws/<action:str>")
    app.static("/static", given.folder)
    sub.add_route(text, "/text/<action:str>", name="text")
    app.blueprint(sub)
    if given.second is not None:
        _add_second(app, Sessions(app, given.second))
    return app


def _add_second(app: Any, sessions: Sessions[Any]) -> None:
    @app.get("/second/<action:str>")
    async def second(request: Request, action: str) -> Any:
        return plain(await act(await sessions.get_session(request), action))


class TestSanic(AdapterTests):
    """Sanic answers a websocket's handshake before its handler, and HEAD only where asked to."""

    capabilities = Capabilities(
        head=False, opt_out=False, background=False, websocket_cookie=False, websocket_deny=False
    )

    @pytest.fixture
    def anyio_backend(self) -> str:
        """Sanic runs on asyncio only."""
        return "asyncio"

    @pytest.fixture
    def serve(self) -> Serve:
        """See ``AdapterTests``."""

        @asynccontextmanager
        async def run(given: Setup) -> AsyncIterator[Client]:
            sock = socket.create_server(("127.0.0.1", 0))
            port = sock.getsockname()[1]
            server: Any = await build(given).create_server(sock=sock, return_asyncio_server=True)
            await server.startup()
            await server.before_start()
            await server.start_serving()
            await server.after_start()
            try:
                async with over_tcp("127.0.0.1", port) as client:
                    yield client
            finally:
                await server.before_stop()
                server.close()
                await server.wait_closed()
                await server.after_stop()

        return run
