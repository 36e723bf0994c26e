"""The store opens and closes with the application, whoever speaks the lifespan protocol."""

from contextlib import asynccontextmanager

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from sojourn import SessionManager, StoreUnavailableError
from sojourn.testing import in_process
from sojourn_asgi import SessionMiddleware, get_session

from ._recording import Recording

pytestmark = pytest.mark.anyio


async def visit(request: Request) -> PlainTextResponse:
    """Begins a session."""
    request.session["n"] = 1
    return PlainTextResponse("done")


async def bare(scope, receive, send):
    """An application that knows of no lifespan."""
    if scope["type"] != "http":
        raise AssertionError("it knows of no lifespan")
    get_session(scope)["n"] = 1
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


def starlette(manager, *, lifespan=None) -> Starlette:
    """An application with our middleware."""
    middleware = [Middleware(SessionMiddleware, manager=manager)]
    return Starlette(routes=[Route("/", visit)], middleware=middleware, lifespan=lifespan)


def without_lifespan(app) -> httpx2.AsyncClient:
    """A client that never speaks the lifespan protocol."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="https://localhost")


async def test_by_the_middleware():
    """The middleware opens and closes the store by itself, also around a bare application."""
    for build in (starlette, lambda manager: SessionMiddleware(bare, manager)):
        store = Recording()
        async with in_process(build(SessionManager(store))) as client:
            assert store.is_open
            assert (await client.request("GET", "/", [])).all("Set-Cookie") != []
        assert not store.is_open


async def test_managers_lifespan():
    """``lifespan=manager.lifespan`` is as good, and the store opens once."""
    store = Recording()
    manager = SessionManager(store)
    async with in_process(starlette(manager, lifespan=manager.lifespan)) as client:
        assert (await client.request("GET", "/", [])).status == 200
        was_open = store.is_open
    assert (was_open, store.is_open, store.openings) == (True, False, 1)


async def test_within_the_users_lifespan():
    """A lifespan of the user's may hold the manager's, and has the store from start to end."""
    store = Recording()
    manager = SessionManager(store)
    seen = []

    @asynccontextmanager
    async def lifespan(app):
        async with manager:
            seen.append(store.is_open)
            yield {"greeting": "hello"}
            seen.append(store.is_open)

    async with in_process(starlette(manager, lifespan=lifespan)) as client:
        assert (await client.request("GET", "/", [])).status == 200
    assert (seen, store.is_open, store.openings) == ([True, True], False, 1)


async def test_before_the_users_lifespan():
    """A lifespan of the user's that names no manager finds the store open as well."""
    store = Recording()
    seen = []

    @asynccontextmanager
    async def lifespan(app):
        seen.append(store.is_open)
        yield
        seen.append(store.is_open)

    async with in_process(starlette(SessionManager(store), lifespan=lifespan)):
        pass
    assert (seen, store.is_open) == ([True, True], False)


async def test_failing_start():
    """A store that does not open fails the application's start, by the protocol."""
    with pytest.raises(BaseExceptionGroup) as caught:
        async with in_process(starlette(SessionManager(Recording(is_down=True)))):
            pytest.fail("it started")
    assert caught.group_contains(RuntimeError, match="failed at startup")


async def test_failing_application():
    """An application whose own start fails says so itself, and the store closes."""
    store = Recording()

    @asynccontextmanager
    async def lifespan(app):
        raise LookupError("no configuration")
        yield

    with pytest.raises(BaseExceptionGroup) as caught:
        async with in_process(starlette(SessionManager(store), lifespan=lifespan)):
            pytest.fail("it started")
    assert caught.group_contains(LookupError) or caught.group_contains(RuntimeError)
    assert (store.is_open, store.openings) == (False, 1)


async def test_no_lifespan():
    """Where nobody speaks the lifespan protocol, the store opens at the first request."""
    store = Recording()
    manager = SessionManager(store, sweep_every=None)
    async with without_lifespan(SessionMiddleware(bare, manager)) as client:
        first, second = await client.get("/"), await client.get("/")
    assert (first.status_code, second.status_code) == (200, 200)
    assert (store.is_open, store.openings) == (True, 1)
    await manager.__aexit__(None, None, None)


async def test_no_lifespan_and_no_store():
    """A store that does not open at the first request gives 503; the next one tries again."""
    store = Recording(is_down=True)
    manager = SessionManager(store, sweep_every=None)
    async with without_lifespan(SessionMiddleware(bare, manager)) as client:
        refused = await client.get("/")
        store.is_down = False
        served = await client.get("/")
    assert (refused.status_code, refused.headers.get("set-cookie")) == (503, None)
    assert served.status_code == 200
    await manager.__aexit__(None, None, None)


async def test_failed_commit_of_a_bare_app():
    """A failed commit is answered by the middleware, as nothing was sent yet."""
    store = Recording()
    async with in_process(SessionMiddleware(bare, store)) as client:
        store.is_down = True
        reply = await client.request("GET", "/", [])
    assert (reply.status, reply.text) == (StoreUnavailableError.status_code, "Service Unavailable")
    assert reply.all("Set-Cookie") == []
