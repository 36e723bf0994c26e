"""Responses whose body goes out in its own way: files, streams, server-sent events."""

from __future__ import annotations

import gzip

import pytest
from aiohttp import web

from sojourn import SessionSealedError
from sojourn_aiohttp import get_session

pytestmark = pytest.mark.anyio


@pytest.fixture
def page(tmp_path):
    """A file with a compressed twin, for which aiohttp sets its own Vary."""
    path = tmp_path / "page.txt"
    path.write_bytes(b"page")
    path.with_suffix(".txt.gz").write_bytes(gzip.compress(b"page"))
    return path


async def test_files(app, page, serve):
    """A file response carries the cookie, and keeps its own Vary beside ours."""

    async def download(request):
        (await get_session(request))["a"] = 1
        return web.FileResponse(page)

    app.router.add_get("/", download)
    async with serve(app) as client:
        response = await client.get("/")
        assert await response.text() == "page"
    assert "Set-Cookie" in response.headers
    assert response.headers.getall("Vary") == ["Accept-Encoding, Cookie"]


async def test_files_that_are_not_sent(app, page, serve):
    """A missing file's 404 and an unchanged file's 304 carry the cookie as well."""

    async def download(request):
        (await get_session(request))["a"] = request.path
        return web.FileResponse(page.with_name(request.path[1:]))

    app.router.add_get("/{name}", download)
    async with serve(app) as client:
        missing = await client.get("/nothing.txt")
        etag = {"If-None-Match": (await client.head("/page.txt")).headers["ETag"]}
        unchanged = await client.get("/page.txt", headers=etag)
        getattr(client, "session", client).cookie_jar.clear()
        anew = await client.get("/page.txt", headers=etag)
    assert (missing.status, unchanged.status, anew.status) == (404, 304, 304)
    assert "Set-Cookie" in missing.headers
    assert unchanged.headers["Vary"] == "Cookie"
    assert "Set-Cookie" in anew.headers


async def test_static_mounts_are_left_alone(app, page, store, serve):
    """Static files ask no store, set no cookie and get no Vary of ours."""
    app.router.add_static("/static", page.parent)
    async with serve(app) as client:
        response = await client.get("/static/page.txt")
        assert store.calls == [] or set(store.calls) <= {"aopen", "sweep"}
    assert response.headers["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in response.headers


async def test_streams_commit_before_the_first_byte(app, store, serve):
    """A stream's session is written when its headers go out; a later change says so."""

    async def stream(request):
        session = await get_session(request)
        session["a"] = 1
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        assert "create" in store.calls
        with pytest.raises(SessionSealedError):
            session["late"] = True
        await response.write(b"data: %d\n\n" % session["a"])
        return response

    app.router.add_get("/", stream)
    async with serve(app) as client:
        response = await client.get("/")
        assert await response.text() == "data: 1\n\n"
    assert "Set-Cookie" in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    assert store.calls.count("create") == 1


async def test_a_stream_that_asks_too_late(app, store, serve):
    """A session that a stream asks for first after its headers says that it comes too late."""

    async def stream(request):
        response = web.StreamResponse()
        await response.prepare(request)
        with pytest.raises(SessionSealedError):
            (await get_session(request))["late"] = True
        await response.write(b"streamed")
        return response

    app.router.add_get("/", stream)
    async with serve(app) as client:
        response = await client.get("/")
        assert await response.text() == "streamed"
    assert "create" not in store.calls


async def test_a_stream_that_breaks_off(app, manager, store, serve):
    """An exception in the middle of a stream undoes nothing of what its headers have promised."""

    async def stream(request):
        (await get_session(request))["a"] = 1
        response = web.StreamResponse()
        response.content_length = 100
        await response.prepare(request)
        raise ZeroDivisionError

    async def read(request):
        return web.json_response(dict(await get_session(request)))

    app.router.add_get("/", stream)
    app.router.add_get("/read", read)
    async with serve(app) as client:
        async with client.get("/") as response:
            assert response.status == 200
        assert await (await client.get("/read")).json() == {"a": 1}


async def test_committed_by_hand(app, store, serve):
    """``await session.commit()`` writes at once; the response that comes later has the cookie."""

    async def stream(request):
        session = await get_session(request)
        session["a"] = 1
        await session.commit()
        assert store.calls.count("create") == 1
        response = web.StreamResponse()
        await response.prepare(request)
        return response

    app.router.add_get("/", stream)
    async with serve(app) as client:
        response = await client.get("/")
    assert "Set-Cookie" in response.headers
    assert store.calls.count("create") == 1


async def test_prepared_inside_a_middleware(app, serve):
    """A response that is prepared before it is returned carries the cookie once."""

    async def early(request):
        (await get_session(request))["a"] = 1
        response = web.Response(text="early")
        await response.prepare(request)
        return response

    app.router.add_get("/", early)
    async with serve(app) as client:
        response = await client.get("/")
        assert await response.text() == "early"
    assert len(response.headers.getall("Set-Cookie")) == 1
