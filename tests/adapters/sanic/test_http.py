"""What a browser sees of a Sanic application with sessions, through Sanic's own server."""

from __future__ import annotations

from typing import Any

import pytest
from sanic import Request, empty, json, redirect, text
from sanic.exceptions import Forbidden

from sojourn import ConfigurationError, CookieOptions, SessionManager, StoreUnavailableError
from sojourn_sanic import Sessions, get_session

pytestmark = pytest.mark.anyio


async def test_counts(app, serve, sessions):
    """A session is created by a write, and read and changed by later requests."""

    @app.get("/")
    async def index(request: Request):
        return json(request.ctx.session.modify("n", lambda n: n + 1, 0))

    async with serve(app) as client:
        first = await client.get("/")
        assert [1, 2, 3] == [first.json(), *[(await client.get("/")).json() for _ in range(2)]]
    assert "no-store" == first.headers["cache-control"]
    assert "Cookie" == first.headers["vary"]


async def test_untouched(app, serve, sessions, store):
    """A request that does not touch its session sets no cookie, no Vary, and asks no store."""

    @app.get("/")
    async def index(request: Request):
        return text("public")

    async with serve(app) as client:
        response = await client.get("/")
    assert "set-cookie" not in response.headers
    assert "vary" not in response.headers
    assert ["aopen", "aclose"] == store.calls


async def test_redirect_and_error(app, serve, sessions):
    """A redirect and a raised 4xx carry the session; an unhandled error drops its changes."""

    @app.get("/redirect")
    async def go(request: Request):
        request.ctx.session["a"] = 1
        return redirect("/data")

    @app.get("/forbidden")
    async def forbidden(request: Request):
        request.ctx.session["b"] = 2
        raise Forbidden("no")

    @app.get("/crash")
    async def crash(request: Request):
        request.ctx.session["c"] = 3
        raise ZeroDivisionError

    @app.get("/data")
    async def data(request: Request):
        return json(dict(request.ctx.session.items()))

    async with serve(app) as client:
        statuses = [
            (await client.get(p)).status_code for p in ("/redirect", "/forbidden", "/crash")
        ]
        assert [302, 403, 500] == statuses
        assert {"a": 1, "b": 2} == (await client.get("/data")).json()


async def test_not_found(app, serve, sessions):
    """The page of a 404 may use the session."""

    @app.exception(Exception)
    async def missing(request: Request, error: Exception):
        request.ctx.session["lost"] = request.path
        return text("gone", status=404)

    @app.get("/data")
    async def data(request: Request):
        return json(dict(request.ctx.session.items()))

    async with serve(app) as client:
        assert 404 == (await client.get("/nowhere")).status_code
        assert {"lost": "/nowhere"} == (await client.get("/data")).json()


async def test_stream(app, serve, sessions):
    """A stream's session is written before its first byte."""

    @app.get("/")
    async def stream(request: Request):
        request.ctx.session["a"] = 1
        response: Any = await request.respond(content_type="text/plain")
        await response.send("one")
        await response.send("two")
        await response.eof()

    async with serve(app) as client:
        response = await client.get("/")
    assert "onetwo" == response.text
    assert "session=" in response.headers["set-cookie"]


async def test_respond_then_raise(app, serve, sessions, store):
    """A handler that responds and then raises leaves no session that nobody has the cookie of."""

    @app.get("/")
    async def late(request: Request):
        request.ctx.session["a"] = 1
        await request.respond(content_type="text/plain")
        raise ZeroDivisionError

    async with serve(app) as client:
        response = await client.get("/")
    assert 500 == response.status_code
    assert len(store.inner) == len(client.cookies.jar)


@pytest.mark.parametrize("operation", ["create", "load"])
async def test_store_down(app, serve, sessions, store, operation):
    """A store that is down gives a 503 and no cookie, at load and at commit, and recovers."""

    @app.get("/")
    async def index(request: Request):
        return json(request.ctx.session.modify("n", lambda n: n + 1, 0))

    async with serve(app) as client:
        if operation == "load":
            await client.get("/")
        cookies = dict(client.cookies)
        store.down = {operation}
        response = await client.get("/")
        assert 503 == response.status_code
        assert "set-cookie" not in response.headers
        assert "test's store" not in response.text
        assert cookies == dict(client.cookies)
        store.down = set()
        assert 200 == (await client.get("/")).status_code


async def test_own_handler(app, serve, sessions, store):
    """The application's own handler for StoreUnavailableError makes the page."""

    @app.exception(StoreUnavailableError)
    async def unavailable(request: Request, error: Exception):
        return text("back soon", status=503)

    @app.get("/")
    async def index(request: Request):
        request.ctx.session["a"] = 1
        return empty()

    store.down = {"create"}
    async with serve(app) as client:
        assert "back soon" == (await client.get("/")).text


async def test_life(app, serve, sessions):
    """The store is open while the server runs."""
    async with serve(app):
        assert sessions.manager.is_open
    assert not sessions.manager.is_open


async def test_own_headers(app, serve, sessions):
    """The application's own Set-Cookie, Vary and Cache-Control stay beside ours."""

    @app.get("/")
    async def index(request: Request):
        request.ctx.session["a"] = 1
        response = text("ok", headers={"Vary": "Accept", "Cache-Control": "max-age=5"})
        response.add_cookie("own", "1", secure=False)
        return response

    async with serve(app) as client:
        headers = (await client.get("/")).headers
    assert "Accept, Cookie" == headers["vary"]
    assert "max-age=5, no-store" == headers["cache-control"]
    assert 2 == len(headers.get_list("set-cookie"))


async def test_two_managers(app, serve, sessions, manager, store):
    """Two managers with two cookies keep two sessions; the same cookie twice is refused."""
    other = Sessions(
        app, SessionManager("memory://", cookie=CookieOptions(name="other", secure=False))
    )
    with pytest.raises(ConfigurationError, match="already"):
        Sessions(app, manager)

    @app.get("/")
    async def index(request: Request):
        request.ctx.session["which"] = "first"
        (await other.get_session(request))["which"] = "second"
        return empty()

    @app.get("/data")
    async def data(request: Request):
        second = await other.get_session(request)
        return json([(await get_session(request))["which"], second["which"]])

    async with serve(app) as client:
        await client.get("/")
        assert ["first", "second"] == (await client.get("/data")).json()


async def test_cookie_bytes(app, serve, sessions):
    """Bytes that are no text in a Cookie header hide nothing and break nothing."""

    @app.get("/")
    async def index(request: Request):
        return json(request.ctx.session.modify("n", lambda n: n + 1, 0))

    async with serve(app) as client:
        await client.get("/")
        good = client.cookies["session"].encode()
        header = b'a="\xff\xfe; \x80=1; session=' + good + b"; b=\xc3\x28"
        client.cookies.clear()
        assert 2 == (await client.get("/", headers={b"cookie": header})).json()


async def test_not_installed(app, serve):
    """get_session without Sessions says what to do."""
    said = []

    @app.get("/")
    async def index(request: Request):
        with pytest.raises(ConfigurationError, match="Sessions"):
            await get_session(request)
        said.append(True)
        return empty()

    async with serve(app) as client:
        await client.get("/")
    assert said
