"""Sanic's own test clients."""

import pytest
from sanic import Request, Sanic, json

from sojourn import CookieOptions
from sojourn_sanic import Sessions

from ._server import new_app

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _own_call(monkeypatch):
    """The client replaces this method for all applications; it comes back after the test."""
    monkeypatch.setattr(Sanic, "__call__", Sanic.__call__)


def counting(**options):
    """An application that counts visits."""
    app = new_app()
    app.config.MOTD = False
    Sessions(app, "memory://", **options)

    @app.get("/")
    async def count(request: Request):
        return json(request.ctx.session.modify("n", lambda n: n + 1, 0))

    return app


async def test_asgi_client():
    """``asgi_client`` keeps the session if its cookie is not Secure."""
    client = counting(cookie=CookieOptions(secure=False)).asgi_client
    assert [1, 2] == [(await client.get("/"))[1].json for _ in range(2)]


async def test_secure_cookie():
    """A Secure cookie does not come back over the plain http of the test client."""
    client = counting().asgi_client
    assert [1, 1] == [(await client.get("/"))[1].json for _ in range(2)]
