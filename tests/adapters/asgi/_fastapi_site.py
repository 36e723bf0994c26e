"""The application of ``AdapterTests`` on FastAPI."""

# ruff: noqa: FAST003 - the dependency takes it

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import (
    FileResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from fastapi.staticfiles import StaticFiles

from sojourn import Session
from sojourn.testing import OWN_HEADERS, Setup, Visit, act, afterwards, chunks
from sojourn_asgi import SessionMiddleware, get_session
from sojourn_asgi.fastapi import CurrentSession, SessionDep

router = APIRouter(default_response_class=PlainTextResponse)


async def acted(session: SessionDep, action: str) -> str:
    """What the route's last segment does, as a dependency."""
    return await act(session, action)


Acted = Annotated[str, Depends(acted)]


@router.get("/text/{action}")
async def text(said: Acted) -> str:
    """Said by a dependency."""
    return said


@router.get("/typed")
async def typed(session: SessionDep[Visit]) -> str:
    """By the model."""
    return await act(session, "typed")


@router.get("/headers/{action}")
async def headers(said: Acted, response: Response) -> str:
    """With headers of the application's own."""
    for name, value in OWN_HEADERS:
        response.headers.append(name, value)
    return said


@router.get("/redirect/{action}")
async def redirect(said: Acted) -> RedirectResponse:
    """On to where flash values are taken."""
    return RedirectResponse("/text/take", status_code=303)


@router.get("/error/{action}")
async def error(said: Acted) -> None:
    """FastAPI's own error."""
    raise HTTPException(403, said)


@router.get("/crash/{action}")
async def crash(said: Acted) -> None:
    """Nobody handles it."""
    raise RuntimeError(said)


@router.get("/stream/{action}")
async def stream(said: Acted, session: SessionDep) -> StreamingResponse:
    """A streamed text."""
    return StreamingResponse(chunks(session), media_type="text/plain")


@router.get("/sse/{action}")
async def sse(said: Acted, session: SessionDep) -> StreamingResponse:
    """Server-sent events."""
    events = (f"data: {chunk}\n\n" async for chunk in chunks(session))
    return StreamingResponse(events, media_type="text/event-stream")


@router.websocket("/ws/{action}")
async def ws(websocket: WebSocket, session: SessionDep, said: Acted) -> None:
    """Does what the messages say."""
    await websocket.accept()
    while (message := await websocket.receive_text()) != "close":
        if message == "crash":
            raise RuntimeError("crash")
        await websocket.send_text(await act(session, message))
    await websocket.close()


@router.websocket("/deny/{action}")
async def deny(websocket: WebSocket, said: Acted) -> None:
    """Refuses."""
    await websocket.send_denial_response(PlainTextResponse("no", status_code=401))


async def missing(request: Request, error: Exception) -> Response:
    """The page of every 404; handlers of errors have no dependencies."""
    said = "nothing"
    if request.url.path.startswith("/missing/"):
        said = await act(get_session(request), request.url.path.rpartition("/")[2])
    return PlainTextResponse(said, status_code=404)


def build(setup: Setup) -> FastAPI:
    """The application."""
    app, sub = FastAPI(exception_handlers={404: missing}), FastAPI()
    for manager in [setup.manager] * (1 + setup.twice):
        app.add_middleware(SessionMiddleware, manager=manager)
    if setup.second is not None:
        app.add_middleware(SessionMiddleware, manager=setup.second)
    app.include_router(router)
    _add_routes(app, setup)
    sub.get("/text/{action}", response_class=PlainTextResponse)(text)
    app.mount("/sub", sub)
    app.mount("/static", StaticFiles(directory=setup.folder))
    return app


def _add_routes(app: FastAPI, setup: Setup) -> None:
    second_session = Depends(CurrentSession(setup.second))

    @app.get("/second/{action}", response_class=PlainTextResponse)
    async def second(session: Annotated[Session, second_session], action: str) -> str:
        return await act(session, action)

    @app.get("/file/{action}")
    async def file(said: Acted) -> FileResponse:
        return FileResponse(setup.folder / "page.txt")

    @app.get("/background/{action}", response_class=PlainTextResponse)
    async def background(said: Acted, session: SessionDep, tasks: BackgroundTasks) -> str:
        tasks.add_task(afterwards, session, setup)
        return said
