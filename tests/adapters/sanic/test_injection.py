"""Injection by sanic-ext."""

import msgspec
import pytest
from sanic import Request, json
from websockets.asyncio.client import connect

from sojourn import CookieOptions, Session, SessionManager
from sojourn_sanic import Sessions

pytestmark = pytest.mark.anyio


class Visit(msgspec.Struct):
    visits: int = 0


@pytest.fixture
def typed(app, store):
    """Typed sessions in the application."""
    return Sessions(app, SessionManager(store, model=Visit, cookie=CookieOptions(secure=False)))


async def test_injected(app, serve, typed):
    """A handler gets the session by its annotation, typed or not, and it is request.ctx.session."""

    @app.get("/typed")
    async def index(request: Request, session: Session[Visit]):
        session.data.visits += 1
        return json(session is request.ctx.session)

    @app.get("/plain")
    async def plain(request: Request, session: Session):
        return json(session["visits"])

    async with serve(app) as client:
        assert (await client.get("/typed")).json()
        assert 1 == (await client.get("/plain")).json()


async def test_injected_into_a_websocket(app, serve, typed):
    """A websocket's handler gets the session in the same way."""

    @app.websocket("/ws")
    async def ws(request: Request, ws, session: Session[Visit]):
        await ws.send(str(session is request.ctx.session))

    async with serve(app) as client:
        url = str(client.base_url).replace("http", "ws")
        async with connect(f"{url}/ws") as socket:
            assert "True" == await socket.recv()


async def test_not_extended(app, serve, typed):
    """An application that does not want sanic-ext has its sessions all the same."""
    app.config.AUTO_EXTEND = False

    @app.get("/")
    async def index(request: Request):
        request.ctx.session.data.visits += 1
        return json(request.ctx.session.data.visits)

    async with serve(app) as client:
        assert [1, 2] == [(await client.get("/")).json() for _ in range(2)]
