"""The application of ``AdapterTests`` on Starlette."""

from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from sojourn import SessionManager
from sojourn.testing import OWN_HEADERS, Setup, act, afterwards, chunks
from sojourn_asgi import SessionMiddleware, get_session


async def _acted(request: Request | WebSocket) -> str:
    return await act(get_session(request), request.path_params["action"])


async def text(request: Request) -> Response:
    return PlainTextResponse(await _acted(request))


async def headers(request: Request) -> Response:
    response = PlainTextResponse(await _acted(request))
    for name, value in OWN_HEADERS:
        response.headers.append(name, value)
    return response


async def redirect(request: Request) -> Response:
    await _acted(request)
    return RedirectResponse("/text/take", status_code=303)


async def error(request: Request) -> Response:
    raise HTTPException(403, await _acted(request))


async def crash(request: Request) -> Response:
    raise RuntimeError(await _acted(request))


async def stream(request: Request) -> Response:
    await _acted(request)
    return StreamingResponse(chunks(get_session(request)), media_type="text/plain")


async def sse(request: Request) -> Response:
    await _acted(request)

    async def events() -> AsyncIterator[str]:
        async for chunk in chunks(get_session(request)):
            yield f"data: {chunk}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")


async def ws(websocket: WebSocket) -> None:
    await _acted(websocket)
    await websocket.accept()
    while True:
        match await websocket.receive_text():
            case "close":
                return await websocket.close()
            case "crash":
                raise RuntimeError("crash")
            case message:
                await websocket.send_text(await act(get_session(websocket), message))


async def deny(websocket: WebSocket) -> None:
    await _acted(websocket)
    if "websocket.http.response" in websocket.scope["extensions"]:
        await websocket.send_denial_response(PlainTextResponse("no", status_code=401))
    else:
        await websocket.close()


async def missing(request: Request, error: Exception) -> Response:
    text = "nothing"
    if request.url.path.startswith("/missing/"):
        text = await act(get_session(request), request.url.path.rpartition("/")[2])
    return PlainTextResponse(text, status_code=404)


def build(setup: Setup) -> Starlette:
    """The application."""
    managers = [setup.second] if setup.second is not None else []
    managers += [setup.manager] * (2 if setup.twice else 1)
    middleware = [Middleware(SessionMiddleware, manager=manager) for manager in managers]
    pages: dict[Any, Any] = {404: missing}
    return Starlette(routes=_routes(setup), middleware=middleware, exception_handlers=pages)


def _routes(setup: Setup) -> list[BaseRoute]:
    manager: SessionManager = setup.manager

    async def typed(request: Request) -> Response:
        return PlainTextResponse(await act(get_session(request, manager), "typed"))

    async def second(request: Request) -> Response:
        session = get_session(request, setup.second)
        return PlainTextResponse(await act(session, request.path_params["action"]))

    async def file(request: Request) -> Response:
        await _acted(request)
        return FileResponse(setup.folder / "page.txt")

    async def background(request: Request) -> Response:
        task = BackgroundTask(afterwards, get_session(request), setup)
        return PlainTextResponse(await _acted(request), background=task)

    acting = [text, headers, redirect, error, crash, stream, sse, file, background, second]
    return [
        *(Route(f"/{handler.__name__}/{{action}}", handler) for handler in acting),
        Route("/typed", typed),
        WebSocketRoute("/ws/{action}", ws),
        WebSocketRoute("/deny/{action}", deny),
        Mount("/sub", Starlette(routes=[Route("/text/{action}", text)])),
        Mount("/static", StaticFiles(directory=setup.folder)),
    ]
