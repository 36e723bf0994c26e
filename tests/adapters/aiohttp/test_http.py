"""Ordinary requests: what is loaded, what is committed, and what the response carries."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from sojourn import CommitDiscarded, Event, SessionManager
from sojourn.testing import client_cookie
from sojourn_aiohttp import get_session

pytestmark = pytest.mark.anyio


async def count(request: web.Request) -> web.Response:
    """Count the visits."""
    session = await get_session(request)
    session["visits"] = session.get("visits", 0) + 1
    return web.Response(text=str(session["visits"]))


async def plain(request: web.Request) -> web.Response:
    """Use no session."""
    return web.Response(text="plain")


async def test_a_session_lasts_from_request_to_request(app, serve):
    """A visitor's values are there again in the next request."""
    app.router.add_get("/", count)
    async with serve(app) as client:
        texts = [await (await client.get("/")).text() for _ in range(3)]
    assert texts == ["1", "2", "3"]


async def test_untouched_costs_nothing(app, store, manager, serve):
    """A handler that does not ask for its session costs no store call, cookie or Vary."""
    app.router.add_get("/", plain)
    headers = {"Cookie": await client_cookie(manager, {"a": 1})}
    async with serve(app) as client:
        store.calls.clear()
        response = await client.get("/", headers=headers)
        assert (response.status, store.calls) == (200, [])
    assert not {"Set-Cookie", "Vary", "Cache-Control"} & set(response.headers)


async def test_asked_for_and_not_looked_at(app, store, serve):
    """Asking for the session of a stranger and leaving it alone costs nothing either."""

    async def asks(request):
        await get_session(request)
        return web.Response()

    app.router.add_get("/", asks)
    async with serve(app) as client:
        store.calls.clear()
        response = await client.get("/", headers={"Cookie": "session=junk; session=\udcff"})
        assert store.calls == []
    assert not {"Set-Cookie", "Vary"} & set(response.headers)


async def test_loads_once(app, store, manager, serve):
    """Several askers in one request, also at the same time, share one handle and all changes."""

    async def asks(request):
        async def put(key):
            session = await get_session(request)
            session[key] = key
            return session

        one, two = await asyncio.gather(put("one"), put("two"))
        assert one is two
        assert one is await get_session(request)
        return web.json_response(dict(one))

    app.router.add_get("/", asks)
    headers = {"Cookie": await client_cookie(manager, {"zero": "zero"})}
    pauses = iter(range(9))

    async def wait(name):
        # The second load takes longer, so that the first asker goes on before it ends.
        for _ in range(5 * next(pauses)):
            await asyncio.sleep(0)

    store.before = wait
    async with serve(app) as client:
        response = await client.get("/", headers=headers)
        assert set(await response.json()) == {"zero", "one", "two"}


@pytest.mark.parametrize("status", [302, 303, 400, 401, 404, 500, 503])
async def test_raised_pages_carry_the_session(status, app, serve):
    """A raised HTTPException commits, and one from 500 on drops the changes."""
    made = {e.status_code: e for e in vars(web).values() if hasattr(e, "status_code")}

    async def raises(request):
        (await get_session(request))["a"] = 1
        raise made[status](*["/"] if status < 400 else [])

    app.router.add_get("/", raises)
    async with serve(app) as client:
        response = await client.get("/", allow_redirects=False)
    assert response.status == status
    assert ("Set-Cookie" in response.headers) == (status < 500)
    assert response.headers["Vary"] == "Cookie"


async def test_unhandled_exceptions_drop_changes(app, store, events: list[Event], serve):
    """A crash is aiohttp's 500, without a cookie, and the changes are reported as dropped."""

    async def crashes(request):
        (await get_session(request))["a"] = 1
        raise ZeroDivisionError

    app.router.add_get("/", crashes)
    async with serve(app) as client:
        response = await client.get("/")
    assert response.status == 500
    assert "Set-Cookie" not in response.headers
    assert "create" not in store.calls
    assert [type(event) for event in events] == [CommitDiscarded]


async def test_no_return_statement(app, store, serve):
    """A handler that returns nothing is aiohttp's 500, and its changes are dropped."""

    async def forgets(request):
        (await get_session(request))["a"] = 1

    app.router.add_get("/", forgets)
    async with serve(app) as client:
        response = await client.get("/")
    assert response.status == 500
    assert "create" not in store.calls


async def test_routing_errors(app, store, manager, serve):
    """404, 405 and OPTIONS answers of the router ask no store and set no cookie."""
    app.router.add_get("/", plain)
    headers = {"Cookie": await client_cookie(manager, {"a": 1})}
    async with serve(app) as client:
        store.calls.clear()
        answers = [
            await client.get("/nowhere", headers=headers),
            await client.post("/", headers=headers),
            await client.options("/", headers=headers),
        ]
        assert store.calls == []
    assert [answer.status for answer in answers] == [404, 405, 405]
    assert not any("Set-Cookie" in answer.headers for answer in answers)


async def test_head(app, serve):
    """HEAD on a GET handler runs it, and sets its cookie."""
    app.router.add_get("/", count)
    async with serve(app) as client:
        assert "Set-Cookie" in (await client.head("/")).headers
        assert await (await client.get("/")).text() == "2"


async def test_own_headers_are_kept(app, serve):
    """The application's cookies, Vary and Cache-Control stay beside ours."""

    async def own(request):
        (await get_session(request))["a"] = 1
        response = web.Response(headers={"Vary": "Accept", "Cache-Control": "private"})
        response.set_cookie("theme", "dark")
        return response

    app.router.add_get("/", own)
    async with serve(app) as client:
        response = await client.get("/")
    assert response.headers.getall("Vary") == ["Accept, Cookie"]
    assert response.headers.getall("Cache-Control") == ["private, no-store"]
    cookies = [line.split("=")[0] for line in response.headers.getall("Set-Cookie")]
    assert cookies == ["theme", "session"]


async def test_shared_response_headers_do_not_grow(app, serve):
    """A page that is made from a shared exception's headers never carries a stranger's cookie."""
    shared = web.HTTPForbidden(headers={"X-Shared": "yes"})

    @web.middleware
    async def pages(request, handler):
        try:
            return await handler(request)
        except web.HTTPException as page:
            return web.Response(status=page.status, headers=page.headers, text="no")

    async def refuses(request):
        (await get_session(request))["a"] = 1
        raise shared

    app.middlewares.insert(0, pages)
    app.router.add_get("/", refuses)
    async with serve(app) as client:
        responses = []
        for _ in range(3):
            client_jar = getattr(client, "session", client).cookie_jar
            client_jar.clear()
            responses.append(await client.get("/"))
    lines = [response.headers.getall("Set-Cookie") for response in responses]
    assert [len(line) for line in lines] == [1, 1, 1]
    assert len({line[0] for line in lines}) == 3
    assert not {"Set-Cookie", "Vary", "Cache-Control"} & set(shared.headers)


async def test_flash_survives_a_redirect(app, serve):
    """A flash value that a redirect leaves is read once on the page after it."""

    async def leave(request):
        (await get_session(request)).flash("message", "saved")
        raise web.HTTPSeeOther("/read")

    async def read(request):
        return web.Response(text=str((await get_session(request)).get("message")))

    app.router.add_post("/", leave)
    app.router.add_get("/read", read)
    async with serve(app) as client:
        assert await (await client.post("/")).text() == "saved"
        assert await (await client.get("/read")).text() == "None"


async def test_login_and_logout(app, store, manager: SessionManager[Any], serve):
    """A login changes the cookie; a logout ends the row and expires the cookie."""

    async def login(request):
        (await get_session(request)).bind("ada")
        return web.Response()

    async def logout(request):
        (await get_session(request)).destroy()
        return web.Response()

    app.router.add_get("/", count)
    app.router.add_post("/login", login)
    app.router.add_post("/logout", logout)
    async with serve(app) as client:
        before = (await client.get("/")).cookies["session"].value
        after = (await client.post("/login")).cookies["session"].value
        assert before != after
        assert len(await manager.sessions_of("ada")) == 1
        gone = await client.post("/logout")
        assert "Max-Age=0" in gone.headers["Set-Cookie"]
        assert await manager.sessions_of("ada") == []
        assert await (await client.get("/")).text() == "1"
