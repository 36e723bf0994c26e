"""Middlewares around the session: inside of ours, outside of it, and with cloned requests."""

from __future__ import annotations

import pytest
from aiohttp import web

from sojourn import CookieOptions, SessionSealedError
from sojourn_aiohttp import get_session, setup

pytestmark = pytest.mark.anyio


async def count(request: web.Request) -> web.Response:
    """Count the visits."""
    session = await get_session(request)
    session["visits"] = session.get("visits", 0) + 1
    return web.Response(text=str(session["visits"]))


async def test_middlewares_inside_decide(app, serve):
    """A middleware that turns an exception into a page below 500 keeps the changes."""

    @web.middleware
    async def pages(request, handler):
        try:
            return await handler(request)
        except ZeroDivisionError:
            (await get_session(request))["seen"] = True
            return web.Response(status=422)

    async def crashes(request):
        (await get_session(request))["a"] = 1
        raise ZeroDivisionError

    app.middlewares.append(pages)
    app.router.add_get("/", crashes)
    async with serve(app) as client:
        response = await client.get("/")
    assert response.status == 422
    assert "Set-Cookie" in response.headers


async def test_middlewares_outside_come_too_late(app, store, serve):
    """What an exception did to the session is dropped when it leaves ours, whoever catches it."""

    @web.middleware
    async def pages(request, handler):
        try:
            return await handler(request)
        except ZeroDivisionError:
            with pytest.raises(SessionSealedError):
                (await get_session(request))["late"] = True
            return web.Response(status=422)

    async def crashes(request):
        (await get_session(request))["a"] = 1
        raise ZeroDivisionError

    app.middlewares.insert(0, pages)
    app.router.add_get("/", crashes)
    async with serve(app) as client:
        response = await client.get("/")
    assert response.status == 422
    assert "create" not in store.calls


async def test_asked_for_too_late(app, store, serve):
    """A session that is asked for first outside of ours comes too late for a change as well."""

    @web.middleware
    async def outside(request, handler):
        response = await handler(request)
        with pytest.raises(SessionSealedError):
            (await get_session(request))["late"] = True
        return response

    async def plain(_request):
        return web.Response(text="plain")

    app.middlewares.insert(0, outside)
    app.router.add_get("/", plain)
    async with serve(app) as client:
        assert await (await client.get("/")).text() == "plain"
    assert "create" not in store.calls


async def test_cloned_requests(app, serve):
    """A middleware may hand a clone of the request on: the session is the same one."""

    @web.middleware
    async def clones(request, handler):
        return await handler(request.clone(scheme="https"))

    app.middlewares.append(clones)
    app.router.add_get("/", count)
    async with serve(app) as client:
        texts = [await (await client.get("/")).text() for _ in range(2)]
    assert texts == ["1", "2"]


async def test_a_clone_for_a_sub_application(app, serve):
    """A sub-application's own session, behind a clone of the request, gets its cookie out."""

    @web.middleware
    async def clones(request, handler):
        return await handler(request.clone(scheme="https"))

    sub = web.Application()
    setup(sub, "memory://", cookie=CookieOptions(name="inner", secure=False))
    sub.router.add_get("/", count)
    app.middlewares.append(clones)
    app.add_subapp("/sub", sub)
    async with serve(app) as client:
        texts = [await (await client.get("/sub/")).text() for _ in range(2)]
    assert texts == ["1", "2"]
