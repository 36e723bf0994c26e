"""The middleware around frameworks that it knows nothing of."""

import falcon.asgi
import pytest
from blacksheep import Application, Request, redirect
from blacksheep.server.responses import text

from sojourn import SessionManager
from sojourn.testing import in_process
from sojourn_asgi import SessionMiddleware, get_session

pytestmark = pytest.mark.anyio


class Count:
    """Falcon's handler."""

    async def on_get(self, req, resp):
        """Count."""
        resp.text = str(get_session(req).modify("n", lambda n: n + 1, 0))

    async def on_post(self, req, resp):
        """Count, and go elsewhere."""
        get_session(req).modify("n", lambda n: n + 1, 0)
        raise falcon.HTTPSeeOther("/")


def on_falcon():
    """Falcon's application."""
    app = falcon.asgi.App()
    app.add_route("/", Count())
    return app


def on_blacksheep():
    """BlackSheep's application."""
    app = Application()

    @app.router.get("/")
    async def count(request: Request):
        return text(str(get_session(request).modify("n", lambda n: n + 1, 0)))

    @app.router.post("/")
    async def count_elsewhere(request: Request):
        get_session(request).modify("n", lambda n: n + 1, 0)
        return redirect("/")

    return app


@pytest.mark.parametrize("make", [on_falcon, on_blacksheep])
async def test_counts(make, anyio_backend_name):
    """A visitor is counted, redirects included, and the store lives as long as the application."""
    if (make, anyio_backend_name) == (on_blacksheep, "trio"):
        pytest.skip("BlackSheep runs on asyncio")
    manager = SessionManager("memory://")
    async with in_process(SessionMiddleware(make(), manager)) as client:
        assert manager.is_open
        first = await client.request("POST", "/", [])
        (line,) = first.all("Set-Cookie")
        sent = [(b"Cookie", line.split(";")[0].encode())]
        replies = [(await client.request("GET", "/", sent)).text for _ in range(2)]
        missing = await client.request("GET", "/nowhere", sent)
    assert first.status in (302, 303)
    assert ["2", "3"] == replies
    assert (404, []) == (missing.status, missing.all("Set-Cookie"))
    assert not manager.is_open
