"""What every adapter proves, on aiohttp."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

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
from sojourn_aiohttp import get_session, setup

SETUP = web.AppKey("SETUP", Setup)


async def acted(request: web.Request) -> str:
    """Do what the path says."""
    return await act(await get_session(request), request.match_info["action"])


async def text(request: web.Request) -> web.Response:
    """Plain text."""
    return web.Response(text=await acted(request))


async def typed(request: web.Request) -> web.Response:
    """The typed way."""
    session: Session[Visit] = await get_session(request, request.app[SETUP].manager)
    return web.Response(text=await act(session, "typed"))


async def second(request: web.Request) -> web.Response:
    """The other manager."""
    other = request.app[SETUP].second
    assert other is not None
    session = await get_session(request, other)
    return web.Response(text=await act(session, request.match_info["action"]))


async def headers(request: web.Request) -> web.Response:
    """With headers of its own."""
    return web.Response(text=await acted(request), headers=OWN_HEADERS)


async def redirect(request: web.Request) -> web.Response:
    """Elsewhere."""
    await acted(request)
    raise web.HTTPSeeOther("/text/take")


async def error(request: web.Request) -> web.Response:
    """Raised."""
    raise web.HTTPForbidden(text=await acted(request))


async def crash(request: web.Request) -> web.Response:
    """Not handled."""
    raise RuntimeError(await acted(request))


async def body(request: web.Request, kind: str, line: str) -> web.StreamResponse:
    """Piece by piece."""
    await acted(request)
    response = web.StreamResponse(headers={"Content-Type": kind})
    await response.prepare(request)
    async for chunk in chunks(await get_session(request)):
        await response.write(line.format(chunk).encode())
    return response


async def stream(request: web.Request) -> web.StreamResponse:
    """Change the session, then stream."""
    return await body(request, "text/plain", "{}")


async def sse(request: web.Request) -> web.StreamResponse:
    """Server-sent events."""
    return await body(request, "text/event-stream", "data: {}\n\n")


async def file(request: web.Request) -> web.FileResponse:
    """As aiohttp sends files."""
    await acted(request)
    return web.FileResponse(request.app[SETUP].folder / "page.txt")


async def ws(request: web.Request) -> web.WebSocketResponse:
    """A websocket."""
    await acted(request)
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    while (message := await socket.receive_str()) != "close":
        if message == "crash":
            raise RuntimeError("the handler crashes")
        await socket.send_str(await act(await get_session(request), message))
    return socket


async def deny(request: web.Request) -> web.WebSocketResponse:
    """No websocket."""
    await acted(request)
    raise web.HTTPForbidden


def build(given: Setup) -> web.Application:
    """The application; "twice" is on the root and on its sub-application."""
    app, sub = web.Application(), web.Application()
    app[SETUP] = given
    acting = [text, headers, redirect, error, crash, stream, sse, file, second, ws, deny]
    for handler in acting:
        app.router.add_get(f"/{handler.__name__}/{{action}}", handler)
    app.router.add_get("/typed", typed)
    app.router.add_static("/static", given.folder)
    sub.router.add_get("/text/{action}", text)
    setup(app, given.manager)
    if given.second is not None:
        setup(app, given.second)
    if given.twice:
        setup(app, given.manager)
        setup(sub, given.manager)
    app.add_subapp("/sub", sub)
    return app


class TestAiohttp(AdapterTests):
    """aiohttp runs nothing after a response, and a route is excluded by not asking."""

    capabilities = Capabilities(opt_out=False, background=False)

    @pytest.fixture(params=[False, True], ids=["", "handler cancellation"])
    def serve(self, request: pytest.FixtureRequest) -> Serve:
        """See ``AdapterTests``."""
        options: dict[str, Any] = {"handler_cancellation": request.param}

        @asynccontextmanager
        async def run(given: Setup) -> AsyncIterator[Client]:
            runner = web.AppRunner(build(given), shutdown_timeout=1, **options)
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                async with over_tcp(*runner.addresses[0][:2]) as client:
                    yield client
            finally:
                await runner.cleanup()

        return run
