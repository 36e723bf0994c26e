"""The application's own response middleware beside ours."""

import pytest
from sanic import HTTPResponse, Request, text

pytestmark = pytest.mark.anyio


@pytest.fixture
def replaced(app, sessions):
    """An application whose own middleware answers something else, which ends Sanic's chain."""

    @app.get("/")
    async def index(request: Request):
        request.ctx.session["n"] = request.ctx.session.get("n", 0) + 1
        return text("the handler's")

    @app.on_response
    async def replace(request: Request, response):
        return text(f"another {request.ctx.session['n']}")


async def test_replaced(app, serve, replaced):
    """A response that a middleware of the application puts in place carries the session."""
    async with serve(app) as client:
        replies = [(await client.get("/")).text for _ in range(2)]
    assert ["another 1", "another 2"] == replies


async def test_changed(app, serve, sessions):
    """What a response middleware of the application does to the session is kept."""

    @app.get("/")
    async def index(request: Request):
        return text(str(request.ctx.session.get("n", 0)))

    @app.on_response
    async def count(request: Request, response):
        request.ctx.session["n"] = request.ctx.session.get("n", 0) + 1

    async with serve(app) as client:
        replies = [(await client.get("/")).text for _ in range(2)]
    assert ["0", "1"] == replies


async def test_replaced_stream(app, serve, sessions):
    """A stream in place of the handler's is under way: what exists is written, nothing begins."""

    @app.get("/begin")
    async def begin(request: Request):
        request.ctx.session["n"] = 0
        return text("")

    @app.get("/stream")
    async def stream(request: Request):
        request.ctx.session["n"] = count = request.ctx.session.get("n", 0) + 1
        response = await request.respond(content_type="text/plain")
        await response.send(f"another {count}")

    @app.on_response
    async def replace(request: Request, response):
        return HTTPResponse(content_type="text/csv") if request.path == "/stream" else None

    async with serve(app) as client:
        paths = ("/stream", "/stream", "/begin", "/stream", "/stream")
        replies = [(await client.get(path)).text for path in paths]
    assert ["another 1", "another 1", "", "another 1", "another 2"] == replies


async def test_replaced_and_store_down(app, serve, replaced, store):
    """If that response's session cannot be written, it is a 503 as well."""
    store.down = {"create"}
    async with serve(app) as client:
        response = await client.get("/")
    assert (503, None) == (response.status_code, response.headers.get("set-cookie"))
