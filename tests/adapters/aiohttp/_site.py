"""The application of ``AdapterTests`` on aiohttp."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from sojourn import Session
from sojourn.testing import OWN_HEADERS, Setup, Visit, act, afterwards, chunks
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


async def background(request: web.Request) -> web.Response:
    """Aiohttp's way to go on after the response: send it to its end first."""
    response = web.Response(text=await acted(request))
    await response.prepare(request)
    await response.write_eof()
    await afterwards(await get_session(request), request.app[SETUP])
    return response


@web.middleware
async def missing(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The page of every 404 but those of static files."""
    try:
        return await handler(request)
    except web.HTTPNotFound:
        if not request.path.startswith("/missing/"):
            raise
        session = await get_session(request)
        return web.Response(text=await act(session, request.path.rpartition("/")[2]), status=404)


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
    app, sub = web.Application(middlewares=[missing]), web.Application()
    app[SETUP] = given
    acting = [text, headers, redirect, error, crash, stream, sse, file, second, background]
    for handler in [*acting, ws, deny]:
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
