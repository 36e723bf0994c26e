"""Sanic's own test clients."""

import asyncio

import pytest
from sanic import Request, Sanic, json
from sanic_testing.reusable import ReusableClient
from tests.stores._running import free_port

from sojourn import CookieOptions
from sojourn_sanic import Sessions

from ._server import new_app


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


@pytest.mark.anyio
async def test_asgi_client():
    """``asgi_client`` keeps the session if its cookie is not Secure."""
    client = counting(cookie=CookieOptions(secure=False)).asgi_client
    assert [1, 2] == [(await client.get("/"))[1].json for _ in range(2)]


@pytest.mark.parametrize(("secure", "counts"), [(False, [1, 2]), (True, [1, 1])])
def test_reusable_client(secure: bool, counts: list[int]):
    """The reusable client, which speaks plain http to a real server, is the same."""
    loop = asyncio.new_event_loop()
    app = counting(cookie=CookieOptions(secure=secure))
    try:
        with ReusableClient(app, port=free_port(), loop=loop) as client:
            assert counts == [client.get("/")[1].json for _ in range(2)]
    finally:
        loop.close()


@pytest.mark.anyio
async def test_secure_cookie():
    """A Secure cookie does not come back over the plain http of the test client."""
    client = counting().asgi_client
    assert [1, 1] == [(await client.get("/"))[1].json for _ in range(2)]
