"""The README's programs, as they stand; each builds on those before it."""

import pytest
from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from tests.adapters._readme import load, programs

from sojourn_aiohttp import setup

pytestmark = pytest.mark.anyio


@pytest.fixture
def readme(tmp_path):
    """What the README defines."""
    return load(tmp_path, *programs("adapters/aiohttp/README.md"))


def client_of(handler, manager):
    """A client of an application with this one handler."""
    app = web.Application()
    app.router.add_get("/", handler)
    setup(app, manager)
    return TestClient(TestServer(app), cookie_jar=CookieJar(unsafe=True))


async def test_program(readme):
    """The test that the README shows passes on its program, and can fail."""
    await readme.test_counts_visits()
    readme.app = web.Application()
    with pytest.raises(AssertionError):
        await readme.test_counts_visits()


async def test_typed(readme):
    """The typed handler keeps a cart."""
    async with client_of(readme.add, readme.carts) as client:
        response = await client.get("/")
        cookie = response.headers["Set-Cookie"].split(";")[0]
        again = await client.get("/", headers={"Cookie": cookie})
        assert [["tea"], ["tea", "tea"]] == [await response.json(), await again.json()]


async def test_stream(readme):
    """The stream begins a session and says hello."""
    async with client_of(readme.events, readme.manager) as client:
        response = await client.get("/")
        assert "data: hello\n\n" == await response.text()
        assert response.headers["Set-Cookie"].startswith("session=")


async def test_websocket(readme):
    """What is said in the websocket is in the session when it is closed."""
    manager = readme.manager
    async with client_of(readme.chat, manager) as client:
        socket = await client.ws_connect("/")
        await socket.send_str("hello")
        await socket.close()
        cookie = socket._response.headers["Set-Cookie"].split(";")[0]
        assert {"rooms": ["lobby"], "last": "hello"} == dict(await manager.load([cookie.encode()]))
