"""The application of ``AdapterTests`` on Sanic."""

from __future__ import annotations

from typing import Any

from sanic import Blueprint, Request, Sanic, file, redirect
from sanic import text as plain
from sanic.exceptions import Forbidden, NotFound

from sojourn import Session
from sojourn.testing import OWN_HEADERS, Setup, Visit, act, afterwards, chunks
from sojourn_sanic import Sessions, get_session

from ._server import new_app


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


async def missing(request: Request, error: Exception) -> Any:
    """The page of every 404."""
    is_ours = request.path.startswith("/missing/")
    action = request.path.rpartition("/")[2] if is_ours else "nothing"
    return plain(await act(request.ctx.session, action), status=404)


async def ws(request: Request, socket: Any, action: str) -> None:
    """A websocket, already accepted."""
    await act(request.ctx.session, action)
    # As an ASGI application, Sanic gives None when the client has left.
    while (message := await socket.recv()) not in ("close", None):
        if message == "crash":
            raise RuntimeError("the handler crashes")
        await socket.send(await act(request.ctx.session, message))


def build(given: Setup) -> Sanic[Any, Any]:
    """The application; a second installation of one manager is refused, so "twice" is once."""
    app: Any = new_app()
    app.config.AUTO_EXTEND = False
    Sessions(app, given.manager)
    sub = Blueprint("sub", url_prefix="/sub")

    async def page(request: Request, action: str) -> Any:
        await act(request.ctx.session, action)
        return await file(given.folder / "page.txt")

    async def background(request: Request, action: str) -> None:
        said = await act(request.ctx.session, action)
        response: Any = await request.respond(content_type="text/plain")
        await response.send(said, end_stream=True)
        await afterwards(request.ctx.session, given)

    handlers = {"text": text, "headers": headers, "redirect": go, "error": error, "crash": crash}
    handlers |= {"stream": stream, "sse": sse, "file": page, "background": background}
    for name, handler in handlers.items():
        app.add_route(handler, f"/{name}/<action:str>", name=name)
    app.add_route(typed, "/typed")
    app.error_handler.add(NotFound, missing)
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
