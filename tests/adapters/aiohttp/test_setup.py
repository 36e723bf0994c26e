"""Setting up: the store's life, sub-applications, several managers, and mistakes."""

from __future__ import annotations

import asyncio
from importlib.metadata import entry_points

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient, TestServer

from sojourn import ConfigurationError, CookieOptions, SessionManager
from sojourn_aiohttp import MANAGER, get_session, setup
from sojourn_memory import MemoryStore

pytestmark = pytest.mark.anyio

COOKIE = CookieOptions(name="session", secure=False)


class Opened(MemoryStore):
    """Says when it opens and closes."""

    def __init__(self):
        super().__init__()
        self.life = []

    async def aopen(self):
        """See ``SupportsOpen``."""
        self.life.append("open")

    async def aclose(self):
        """See ``Store``."""
        self.life.append("close")


async def count(request: web.Request) -> web.Response:
    """Count the visits."""
    session = await get_session(request)
    session["visits"] = session.get("visits", 0) + 1
    return web.Response(text=str(session["visits"]))


async def test_entry_point():
    """The adapter is found through its entry point."""
    (found,) = entry_points(group="sojourn.adapters", name="aiohttp")
    assert found.load() is setup


async def test_the_store_lives_with_the_application(serve):
    """The store opens before the first request and closes after the last, each once."""
    store = Opened()
    manager = SessionManager(store, cookie=COOKIE)
    app, sub = web.Application(), web.Application()
    setup(app, manager)
    setup(sub, manager)
    app.add_subapp("/sub", sub)
    async with serve(app):
        assert store.life == ["open"]
    assert store.life == ["open", "close"]


async def test_restart(serve):
    """Sessions survive the application's end when their store does."""
    store = MemoryStore()
    cookies = {}
    for expected in ("1", "2"):
        app = web.Application()
        app.router.add_get("/", count)
        setup(app, store, cookie=COOKIE)
        async with serve(app) as client:
            response = await client.get("/", cookies=cookies)
            assert await response.text() == expected
            cookies = cookies or {"session": response.cookies["session"].value}


async def test_a_url_makes_the_manager(serve):
    """A store's URL with the manager's options is enough; the manager is found by its key."""
    app = web.Application()
    manager = setup(app, "memory://", cookie=COOKIE)
    app.router.add_get("/", count)
    assert app[MANAGER] is manager
    async with serve(app) as client:
        assert "session" in (await client.get("/")).cookies


@pytest.mark.parametrize("where", [("root",), ("sub",), ("root", "sub"), ("root", "root")])
async def test_sub_applications(where, serve):
    """Set up above, below, on both or twice: one session, one write and one cookie."""
    apps = {"root": web.Application(), "sub": web.Application()}
    manager = SessionManager("memory://", cookie=COOKIE)
    for name in where:
        setup(apps[name], manager)
    apps["sub"].router.add_get("/", count)
    apps["root"].add_subapp("/sub", apps["sub"])
    async with serve(apps["root"]) as client:
        response = await client.get("/sub/")
        assert len(response.headers.getall("Set-Cookie")) == 1
        assert response.headers.getall("Vary") == ["Cookie"]
        assert await (await client.get("/sub/")).text() == "2"


async def test_the_nearest_application_decides(serve):
    """A sub-application with a manager of its own gets that one's session by default."""
    app, sub = web.Application(), web.Application()
    setup(app, "memory://", cookie=COOKIE)
    setup(sub, "memory://", cookie=CookieOptions(name="inner", secure=False))
    sub.router.add_get("/", count)
    app.router.add_get("/", count)
    app.add_subapp("/sub", sub)
    async with serve(app) as client:
        assert set((await client.get("/sub/")).cookies) == {"inner"}
        assert set((await client.get("/")).cookies) == {"session"}


async def test_two_managers(serve):
    """Two managers in one application are told apart; the first one is the default."""
    one = SessionManager("memory://", cookie=COOKIE)
    two = SessionManager("memory://", cookie=CookieOptions(name="second", secure=False))

    async def both(request):
        (await get_session(request))["a"] = 1
        (await get_session(request, two))["b"] = 2
        assert await get_session(request) is await get_session(request, one)
        return web.Response()

    app = web.Application()
    setup(app, one)
    setup(app, two)
    app.router.add_get("/", both)
    async with serve(app) as client:
        assert set((await client.get("/")).cookies) == {"session", "second"}


async def test_one_cookie_for_two_managers():
    """Two managers of one application with the same cookie are refused by name."""
    app = web.Application()
    setup(app, "memory://", cookie=COOKIE)
    with pytest.raises(ConfigurationError, match="cookie 'session'"):
        setup(app, "memory://", cookie=COOKIE)


async def test_too_late():
    """Setting up a sub-application after it was added is refused, and says what to do."""
    app, sub = web.Application(), web.Application()
    app.add_subapp("/sub", sub)
    with pytest.raises(ConfigurationError, match="before add_subapp"):
        setup(sub, "memory://", cookie=COOKIE)


async def test_options_beside_a_manager():
    """A manager has its own options: others beside it are refused."""
    manager = SessionManager("memory://", cookie=COOKIE)
    with pytest.raises(ConfigurationError, match="cookie"):
        setup(web.Application(), manager, cookie=COOKIE)


@pytest.mark.parametrize("which", ["none", "other"])
async def test_not_set_up(which, serve):
    """Asking for a session that no application has set up says so."""
    app = web.Application()
    other = SessionManager("memory://", cookie=COOKIE)
    if which == "other":
        setup(app, "memory://", cookie=COOKIE)

    async def asks(request):
        with pytest.raises(ConfigurationError, match="setup"):
            await get_session(request, *[other] * (which == "other"))
        return web.Response(text="asked")

    app.router.add_get("/", asks)
    async with serve(app) as client:
        assert await (await client.get("/")).text() == "asked"


async def test_requests_in_flight_at_the_end():
    """A request that is served while the application ends still finds the store open."""
    store, started, stopping = Opened(), asyncio.Event(), asyncio.Event()
    app = web.Application()
    setup(app, SessionManager(store, cookie=COOKIE))

    async def slow(request):
        session = await get_session(request)
        started.set()
        await stopping.wait()
        session["a"] = 1
        return web.Response(text=",".join(store.life))

    async def note(_app):
        stopping.set()

    app.router.add_get("/", slow)
    app.on_shutdown.append(note)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with ClientSession(site.name) as client:
        reply = asyncio.ensure_future(client.get("/"))
        await started.wait()
        await runner.cleanup()
        response = await reply
        assert (200, "open") == (response.status, await response.text())
        assert "Set-Cookie" in response.headers
    assert store.life == ["open", "close"]


async def test_secure_cookie_over_http():
    """A client of aiohttp never sends the Secure cookie back over plain http."""
    app = web.Application()
    app.router.add_get("/", count)
    setup(app, "memory://")
    async with TestClient(TestServer(app)) as client:
        replies = [await (await client.get("/")).text() for _ in range(2)]
    assert replies == ["1", "1"]
