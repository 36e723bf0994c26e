"""The application of ``AdapterTests`` on Litestar."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Litestar, MediaType, Request, Router, WebSocket, asgi, get, websocket
from litestar.background_tasks import BackgroundTask
from litestar.exceptions import PermissionDeniedException, WebSocketDisconnect
from litestar.handlers import ASGIRouteHandler
from litestar.params import Parameter
from litestar.response import File, Redirect, Response, ServerSentEvent, Stream
from litestar.static_files import create_static_files_router

from sojourn import Session
from sojourn.testing import OWN_HEADERS, Setup, Visit, act, afterwards, chunks
from sojourn_litestar import SessionDep, SessionMiddleware, SessionPlugin, get_session

AnyRequest = Request[Any, Any, Any]
AnyWebSocket = WebSocket[Any, Any, Any]
Action = Annotated[str, Parameter()]
PLAIN = MediaType.TEXT


@get("/text/{action:str}", media_type=PLAIN)
async def text(action: Action, session: SessionDep) -> str:
    """Plain text."""
    return await act(session, action)


@get("/typed", media_type=PLAIN)
async def typed(session: SessionDep[Visit]) -> str:
    """The typed way."""
    return await act(session, "typed")


@get("/headers/{action:str}")
async def headers(action: Action, session: SessionDep) -> Response[str]:
    """With headers of its own."""
    own = dict(OWN_HEADERS)
    response = Response(await act(session, action), media_type=PLAIN)
    name, _, value = own.pop("Set-Cookie").partition("=")
    response.set_cookie(name, value)
    response.headers.update(own)
    return response


@get("/redirect/{action:str}")
async def redirect(action: Action, session: SessionDep) -> Redirect:
    """Elsewhere."""
    await act(session, action)
    return Redirect("/text/take", status_code=303)


@get("/error/{action:str}")
async def error(action: Action, session: SessionDep) -> None:
    """Raised."""
    raise PermissionDeniedException(await act(session, action))


@get("/crash/{action:str}")
async def crash(action: Action, session: SessionDep) -> None:
    """Not handled."""
    raise RuntimeError(await act(session, action))


@get("/stream/{action:str}")
async def stream(action: Action, session: SessionDep) -> Stream:
    """Piece by piece."""
    await act(session, action)
    return Stream(chunks(session), media_type=PLAIN)


@get("/sse/{action:str}")
async def sse(action: Action, session: SessionDep) -> ServerSentEvent:
    """Server-sent events."""
    await act(session, action)

    async def events() -> AsyncIterator[str]:
        async for chunk in chunks(session):
            yield chunk

    return ServerSentEvent(events())


@get("/opt-out", media_type=PLAIN, no_session=True)
async def opt_out(request: AnyRequest) -> str:
    """Without a session."""
    return str("session" in request.scope)


async def _converse(socket: AnyWebSocket, session: Session[Any]) -> None:
    while True:
        match await socket.receive_text():
            case "close":
                return await socket.close()
            case "crash":
                raise RuntimeError("the handler crashes")
            case message:
                await socket.send_text(await act(session, message))


@websocket("/ws/{action:str}")
async def ws(socket: AnyWebSocket, action: Action, session: SessionDep) -> None:
    """A websocket."""
    await act(session, action)
    await socket.accept()
    try:
        await _converse(socket, session)
    except WebSocketDisconnect:
        return


@websocket("/deny/{action:str}")
async def deny(socket: AnyWebSocket, action: Action, session: SessionDep) -> None:
    """No websocket."""
    await act(session, action)
    await socket.close()


BARE: dict[str, Any] = {"logging_config": None, "openapi_config": None}
"""Hundreds of tests build an application, and half the time would go into a schema for nobody."""

HANDLERS = [text, typed, headers, redirect, error, crash, stream, sse, opt_out, ws, deny]


def build(setup: Setup) -> Litestar:
    """The application; "twice" is the plugin and the middleware, and a mounted application."""

    @get("/file/{action:str}")
    async def file(action: Action, session: SessionDep) -> File:
        """As Litestar sends files."""
        await act(session, action)
        return File(setup.folder / "page.txt")

    @get("/background/{action:str}")
    async def background(action: Action, session: SessionDep) -> Response[str]:
        """A task after the response."""
        text = await act(session, action)
        task = BackgroundTask(afterwards, session, setup)
        return Response(text, media_type=PLAIN, background=task)

    @get("/second/{action:str}", media_type=PLAIN)
    async def second(action: Action, request: AnyRequest) -> str:
        """The other manager."""
        assert setup.second is not None
        return await act(get_session(request, setup.second), action)

    plugins = [SessionPlugin(setup.manager)]
    if setup.second is not None:
        plugins.append(SessionPlugin(setup.second, dependency_key="other"))
    static = create_static_files_router("/static", [setup.folder], opt={"no_session": True})
    again = [SessionMiddleware(setup.manager)] if setup.twice else []
    sub = Router("/sub", route_handlers=[text], middleware=again)
    mounted = [_mounted(setup)] if setup.twice else []
    routes = [*HANDLERS, file, background, second, static, sub, *mounted]
    return Litestar(routes, plugins=plugins, middleware=again, **BARE)


def _mounted(setup: Setup) -> ASGIRouteHandler:
    app = Litestar([text], plugins=[SessionPlugin(setup.manager)], **BARE)
    return asgi("/mounted", is_mount=True, copy_scope=True)(app)
