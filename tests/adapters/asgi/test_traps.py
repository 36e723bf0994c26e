"""What is easily got wrong around ASGI frameworks, each as Starlette or FastAPI does it."""

import inspect

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from sojourn import CookieOptions, SessionManager
from sojourn.testing import in_process
from sojourn_asgi import SessionMiddleware, get_session
from sojourn_asgi.fastapi import CurrentSession

pytestmark = pytest.mark.anyio


async def count(request: Request) -> PlainTextResponse:
    """Counts, by Starlette's own name."""
    request.session["n"] = request.session.get("n", 0) + 1
    return PlainTextResponse(str(request.session["n"]))


async def ask(request: Request) -> PlainTextResponse:
    """Asks Starlette for the session, and does nothing with it."""
    return PlainTextResponse(type(request.session).__name__)


async def ignore(request: Request) -> PlainTextResponse:
    """Asks us for it, and does nothing with it."""
    return PlainTextResponse(type(get_session(request)).__name__)


async def crash(request: Request) -> PlainTextResponse:
    """Changes it, and raises."""
    request.session["n"] = 7
    raise RuntimeError("the handler crashes")


ROUTES = [Route(f"/{handler.__name__}", handler) for handler in (count, ask, ignore, crash)]


class Probe:
    """A session that notes whether Starlette tells it of looks; its older releases do not."""

    told = False

    def mark_accessed(self) -> None:
        """Told."""
        self.told = True


async def test_asking_starlette_is_a_look():
    """``request.session`` is a look where Starlette says so; ``get_session`` is none."""
    probe = Probe()
    assert Request({"type": "http", "session": probe}).session is probe
    inside = [Middleware(SessionMiddleware, manager=SessionManager("memory://"))]
    async with in_process(Starlette(routes=ROUTES, middleware=inside)) as client:
        asked = await client.request("GET", "/ask", [])
        ignored = await client.request("GET", "/ignore", [])
    assert (["Cookie"] if probe.told else [], []) == (asked.all("Vary"), ignored.all("Vary"))
    assert [] == asked.all("Set-Cookie") + ignored.all("Set-Cookie")


@pytest.mark.parametrize("commits", [False, True])
async def test_crash_inside_of_ours(commits):
    """Around an application, ours sees the 500 that it makes: its changes go, or stay if told."""
    manager = SessionManager("memory://", commit_on_error=commits)
    async with in_process(SessionMiddleware(Starlette(routes=ROUTES), manager)) as client:
        reply = await client.request("GET", "/crash", [])
    assert 500 == reply.status
    assert int(commits) == len(reply.all("Set-Cookie"))


async def test_mounted_application_with_its_own():
    """A mounted application with another manager has its session, and leaves the outer one be."""
    outer = SessionManager("memory://")
    inner = SessionManager("memory://", cookie=CookieOptions(name="sub"))
    sub = Starlette(routes=ROUTES, middleware=[Middleware(SessionMiddleware, manager=inner)])
    app = Starlette(
        routes=[*ROUTES, Mount("/sub", sub)],
        middleware=[Middleware(SessionMiddleware, manager=outer)],
    )
    async with in_process(app) as client:
        first = await client.request("GET", "/count", [])
        (line,) = first.all("Set-Cookie")
        cookie = [(b"Cookie", line.split(";")[0].encode())]
        inside = await client.request("GET", "/sub/count", cookie)
        again = await client.request("GET", "/count", cookie)
    assert ["1", "1", "2"] == [first.text, inside.text, again.text]
    assert ["sub"] == [line.partition("=")[0] for line in inside.all("Set-Cookie")]


def test_dependency_has_real_annotations():
    """Our dependency's annotations need no resolving, which older releases of FastAPI cannot."""
    (parameter,) = list(inspect.signature(CurrentSession()).parameters.values())
    assert not isinstance(parameter.annotation, str)


def test_secure_cookie_over_http():
    """A test client that speaks plain http never sends the Secure cookie back."""
    inside = [Middleware(SessionMiddleware, manager=SessionManager("memory://"))]
    with TestClient(Starlette(routes=ROUTES, middleware=inside)) as client:
        assert ["1", "1"] == [client.get("/count").text for _ in range(2)]


class Counting(list[tuple[bytes, bytes]]):
    """Headers that know how often somebody went through them."""

    times = 0

    def __iter__(self):
        """Once more."""
        for header in super().__iter__():
            self.times += 1
            yield header


@pytest.mark.parametrize(("looks", "times"), [(False, 0), (True, 2)])
async def test_headers_of_an_untouched_request(looks, times):
    """Nobody goes through a request's headers before somebody looks at the session."""
    headers = Counting([(b"host", b"a.example"), (b"cookie", b"theme=dark")])

    async def application(scope, _receive, send):
        if looks:
            assert "n" not in scope["session"]
            assert "n" not in scope["session"]
        await send({"type": "http.response.start", "status": 204})

    async def send(message):
        assert looks == any(name == b"vary" for name, _ in message.get("headers", ()))

    async with SessionManager("memory://") as manager:
        await SessionMiddleware(application, manager)(
            {"type": "http", "headers": headers}, None, send
        )
    assert times == headers.times
