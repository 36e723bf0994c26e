"""``SessionMiddleware`` around a Starlette application instead of in it."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from sojourn import SessionManager, StoreUnavailableError
from sojourn.testing import in_process
from sojourn_asgi import SessionMiddleware, get_session
from sojourn_memory import MemoryStore

pytestmark = pytest.mark.anyio


class Down(MemoryStore):
    """Answers no load."""

    def load_nowait(self, id, *, now):
        """Fails."""
        raise StoreUnavailableError("made to fail")


async def visit(request: Request) -> PlainTextResponse:
    """Counts."""
    session = get_session(request)
    session["n"] = session.get("n", 0) + 1
    return PlainTextResponse(str(session["n"]))


def around(store):
    """The application, wrapped."""
    return SessionMiddleware(Starlette(routes=[Route("/", visit)]), SessionManager(store))


async def begin(client) -> list[tuple[bytes, bytes]]:
    """Begin a session, and give the headers that carry it."""
    (line,) = (await client.request("GET", "/", [])).all("Set-Cookie")
    return [(b"Cookie", line.split(";")[0].encode("ascii"))]


async def test_values_come_back():
    """The wrapped application's ``request.session`` is the visitor's."""
    async with in_process(around(MemoryStore())) as client:
        headers = await begin(client)
        assert (await client.request("GET", "/", headers)).text == "2"


async def test_the_application_answers_first():
    """An error that the application has a page for is the application's, and drops the cookie."""
    async with in_process(around(Down())) as client:
        headers = await begin(client)
        reply = await client.request("GET", "/", headers)
    assert (reply.status, reply.all("Set-Cookie")) == (500, [])
