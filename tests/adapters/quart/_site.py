"""The application of ``AdapterTests`` on Quart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from quart import Blueprint, Quart, Response, abort, g, redirect, request, send_file, websocket

from sojourn import Session
from sojourn.testing import OWN_HEADERS, Setup, Visit, act, afterwards, chunks
from sojourn_quart import Sessions, get_session


def build(app: Quart, setup: Setup) -> Quart:
    """The suite's application."""
    Sessions(app, setup.manager)
    if setup.twice:
        Sessions(app, setup.manager)
    if setup.second is not None:
        second = Sessions(app, setup.second)
        _add(app, "/second", second.get_session)
    _add(app, "/text", get_session)
    _add_pages(app)
    _add_bodies(app, setup)
    _add_background(app, setup)
    _add_websockets(app)
    blueprint = Blueprint("sub", __name__, url_prefix="/sub")
    _add(blueprint, "/text", get_session)
    app.register_blueprint(blueprint)
    return app


def _add(site: Quart | Blueprint, path: str, session: Any) -> None:
    @site.get(f"{path}/<action>", endpoint=path.strip("/"))
    async def text(action: str) -> str:
        return await act(session(), action)


def _add_pages(app: Quart) -> None:
    @app.get("/typed")
    async def typed() -> str:
        return await act(get_session(Visit), "typed")

    @app.get("/headers/<action>")
    async def headers(action: str) -> Response:
        response = Response(await act(get_session(), action))
        response.headers.extend(OWN_HEADERS)
        return response

    @app.get("/redirect/<action>")
    async def redirected(action: str) -> Any:
        await act(get_session(), action)
        return redirect("/text/take", 303)

    @app.get("/error/<action>")
    async def error(action: str) -> str:
        await act(get_session(), action)
        abort(403)

    @app.get("/crash/<action>")
    async def crash(action: str) -> str:
        await act(get_session(), action)
        raise RuntimeError("the handler crashes")

    @app.errorhandler(404)
    async def missing(error: Exception) -> tuple[str, int]:
        is_ours = request.path.startswith("/missing/")
        action = request.path.rpartition("/")[2] if is_ours else "nothing"
        return await act(get_session(), action), 404


def _add_bodies(app: Quart, setup: Setup) -> None:
    async def encoded(session: Session, form: str) -> AsyncIterator[bytes]:
        async for chunk in chunks(session):
            yield form.format(chunk).encode()

    @app.get("/stream/<action>")
    async def stream(action: str) -> Response:
        await act(get_session(), action)
        return Response(encoded(get_session(), "{}"))

    @app.get("/sse/<action>")
    async def sse(action: str) -> Response:
        await act(get_session(), action)
        body = encoded(get_session(), "data: {}\n\n")
        return Response(body, mimetype="text/event-stream")

    @app.get("/file/<action>")
    async def file(action: str) -> Response:
        await act(get_session(), action)
        return await send_file(setup.folder / "page.txt")


def _add_background(app: Quart, setup: Setup) -> None:
    async def after(over: Any, session: Session) -> None:
        await over.wait()
        await afterwards(session, setup)

    @app.get("/background/<action>")
    async def background(action: str) -> str:
        g.over = app.event_class()
        app.add_background_task(after, g.over, get_session())
        return await act(get_session(), action)

    @app.teardown_request
    async def over(error: BaseException | None) -> None:
        if "over" in g:
            g.over.set()


def _add_websockets(app: Quart) -> None:
    @app.websocket("/ws/<action>")
    async def ws(action: str) -> None:
        await act(get_session(), action)
        await websocket.accept()
        while (text := await websocket.receive()) != "close":
            if text == "crash":
                raise RuntimeError("the handler crashes")
            await websocket.send(await act(get_session(), str(text)))

    @app.websocket("/deny/<action>")
    async def deny(action: str) -> None:
        await act(get_session(), action)
        abort(403)
