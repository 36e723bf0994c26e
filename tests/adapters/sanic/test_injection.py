"""Injection by sanic-ext, and the warning about several workers."""

from types import SimpleNamespace

import msgspec
import pytest
from sanic import Request, json

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


@pytest.mark.parametrize(
    ("workers", "one_process", "warns"), [(2, True, True), (1, True, False), (2, False, False)]
)
async def test_workers(app, store, caplog, *, workers, one_process, warns):
    """Several workers with a store of one process each are warned about."""
    store.one_process = one_process
    sessions = Sessions(app, store)
    await sessions._warn_of_workers(SimpleNamespace(state=SimpleNamespace(workers=workers)))
    assert (workers > 1 and one_process) == ("sqlite" in caplog.text)
