"""The store is down, or the session does not fit: an honest error page, and the cookie stays."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from sojourn import SessionManager, StoreUnavailableError
from sojourn.testing import client_cookie
from sojourn_aiohttp import get_session, setup

pytestmark = pytest.mark.anyio

OURS = {"Set-Cookie", "Cache-Control"}


async def put(request: web.Request) -> web.Response:
    """Change the session."""
    (await get_session(request))["a"] = 2
    return web.Response(text="done")


async def plain(request: web.Request) -> web.Response:
    """Use no session."""
    return web.Response(text="plain")


async def stream(request: web.Request) -> web.StreamResponse:
    """Change the session, then stream."""
    (await get_session(request))["a"] = request.query.get("value", 2)
    response = web.StreamResponse(headers={"X-Stream": "yes"})
    if "compress" in request.query:
        response.enable_compression()
    await response.prepare(request)
    await response.write(b"streamed")
    return response


async def test_down_at_load(app, store, manager, serve):
    """A store that is down when the session is asked for is a 503 that leaves the cookie alone."""
    app.router.add_get("/", put)
    headers = {"Cookie": await client_cookie(manager, {"a": 1})}
    store.down = {"load"}
    async with serve(app) as client:
        response = await client.get("/", headers=headers)
    assert response.status == 503
    assert not OURS & set(response.headers)
    assert "create" not in store.calls[1:]


async def test_down_and_nobody_asks(app, store, manager, serve):
    """A page that needs no session does not notice that the store is down."""
    app.router.add_get("/", plain)
    headers = {"Cookie": await client_cookie(manager, {"a": 1})}
    store.down = {"load"}
    async with serve(app) as client:
        assert (await client.get("/", headers=headers)).status == 200


async def test_an_application_may_answer_itself(app, store, manager, serve):
    """A middleware inside ours may make its own page of StoreUnavailableError."""

    @web.middleware
    async def pages(request, handler):
        try:
            return await handler(request)
        except StoreUnavailableError:
            return web.Response(text="come back later")

    app.middlewares.append(pages)
    app.router.add_get("/", put)
    headers = {"Cookie": await client_cookie(manager, {"a": 1})}
    store.down = {"load"}
    async with serve(app) as client:
        response = await client.get("/", headers=headers)
        assert await response.text() == "come back later"
    assert not OURS & set(response.headers)


async def test_anonymous_while_down(store, serve, manager):
    """With ``on_store_error="anonymous"``, a store that is down shows an empty session."""
    anonymous = SessionManager(store, cookie=manager.cookie, on_store_error="anonymous")

    async def index(request):
        return web.json_response(dict(await get_session(request)))

    app = web.Application()
    setup(app, anonymous)
    app.router.add_get("/", index)
    headers = {"Cookie": await client_cookie(manager, {"a": 1})}
    store.down = {"load"}
    async with serve(app) as client:
        response = await client.get("/", headers=headers)
        assert (response.status, await response.json()) == (200, {})


@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
async def test_down_at_commit(known, app, store, manager, serve):
    """A commit that fails is a 503 without a cookie, on a connection that goes on."""
    app.router.add_get("/", put)
    app.router.add_get("/plain", plain)
    headers = {"Cookie": await client_cookie(manager, {"a": 1})} if known else {}
    store.down = {"create", "replace"}
    async with serve(app) as client:
        response = await client.get("/", headers=headers)
        assert response.status == 503
        assert "done" not in await response.text()
        assert (await client.get("/plain")).status == 200
    assert not OURS & set(response.headers)
    assert store.calls.count("replace" if known else "create") == 1


async def test_too_large(store, manager, serve):
    """A session that does not fit is a 500 without a cookie, and the old one stays."""
    small = SessionManager(store, cookie=manager.cookie, max_bytes=200)

    async def grow(request):
        (await get_session(request))["big"] = "x" * 1000
        return web.Response(text="done")

    async def read(request):
        return web.json_response(dict(await get_session(request)))

    app = web.Application()
    setup(app, small)
    app.router.add_post("/", grow)
    app.router.add_get("/", read)
    headers = {"Cookie": await client_cookie(manager, {"a": 1})}
    async with serve(app) as client:
        response = await client.post("/", headers=headers)
        assert response.status == 500
        assert not OURS & set(response.headers)
        assert await (await client.get("/", headers=headers)).json() == {"a": 1}


@pytest.mark.parametrize("query", ["", "?compress"])
async def test_down_at_a_streams_commit(query, app, store, serve):
    """A stream that cannot be committed is a whole 503 instead, and the connection goes on."""
    app.router.add_get("/", stream)
    app.router.add_get("/plain", plain)
    store.down = {"create"}
    async with serve(app) as client:
        for _ in range(2):
            response = await client.get("/" + query)
            assert response.status == 503
            assert await response.text() == "503: Service Unavailable"
            assert not (OURS | {"X-Stream"}) & set(response.headers)
        assert await (await client.get("/plain")).text() == "plain"


async def test_a_value_that_no_stream_can_carry(app, serve, store):
    """A stream whose session cannot be encoded is a whole 500 instead."""

    async def broken(request):
        values: list[Any] = []
        (await get_session(request))["a"] = values
        values.append(object())
        response = web.StreamResponse()
        await response.prepare(request)
        return response

    app.router.add_get("/", broken)
    async with serve(app) as client:
        response = await client.get("/")
        assert response.status == 500
        assert "500 Internal Server Error" in await response.text()
    assert "create" not in store.calls


async def test_commit_on_error(store, manager, serve):
    """With ``commit_on_error``, a crash keeps the changes and its 500 carries the cookie."""

    async def crashes(request):
        (await get_session(request))["a"] = 1
        raise ZeroDivisionError

    app = web.Application()
    setup(app, SessionManager(store, cookie=manager.cookie, commit_on_error=True))
    app.router.add_get("/", crashes)
    async with serve(app) as client:
        response = await client.get("/")
    assert response.status == 500
    assert "Set-Cookie" in response.headers
