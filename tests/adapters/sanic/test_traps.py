"""What is easily got wrong around Sanic, each as Sanic does it."""

import pytest
from sanic import Request, json, text

from sojourn import Session

pytestmark = pytest.mark.anyio


async def test_head_and_options_of_sanic_ext(app, serve, sessions, store):
    """HEAD as sanic-ext adds it runs the handler and sets its cookie; OPTIONS touches nothing."""
    app.config.update(HTTP_AUTO_HEAD=True, HTTP_AUTO_OPTIONS=True)

    @app.get("/")
    async def index(request: Request):
        request.ctx.session["n"] = 1
        return text("body")

    async with serve(app) as client:
        options = await client.options("/")
        assert "create" not in store.calls
        head = await client.head("/")
    assert (204, []) == (options.status_code, options.headers.get_list("set-cookie"))
    assert (200, "", 1) == (head.status_code, head.text, len(head.headers.get_list("set-cookie")))


async def test_injected_before_request_middleware(app, serve, sessions, store):
    """sanic-ext injects before request middleware runs; session and store are asked once."""
    seen = []

    @app.on_request(priority=200)
    async def earliest(request: Request):
        seen.append(request.ctx.session)

    @app.get("/")
    async def index(request: Request, session: Session):
        session["n"] = session.get("n", 0) + 1
        return json(session is request.ctx.session is seen[-1])

    async with serve(app) as client:
        assert [True, True] == [(await client.get("/")).json() for _ in range(2)]
    assert 1 == store.calls.count("load")
