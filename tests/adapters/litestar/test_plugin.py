"""What Litestar's own means do with the session, and what the plugin adds to an application."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from litestar import Litestar, Request, get
from litestar.config.response_cache import ResponseCacheConfig
from litestar.testing import TestClient
from msgspec import Struct

from sojourn import ConfigurationError, CookieOptions, SessionManager, SessionValueError
from sojourn.testing import RecordingStore
from sojourn_litestar import SessionDep, SessionMiddleware, SessionPlugin, get_session
from sojourn_memory import MemoryStore

BASE = "https://testserver.local"
AnyRequest = Request[Any, Any, Any]


class Visit(Struct):
    n: int = 0


@get("/read")
async def read(session: SessionDep) -> Any:
    """The value."""
    return {"n": session.get("n", 0)}


@get("/write")
async def write(session: SessionDep) -> str:
    """Another value."""
    session["n"] = session.get("n", 0) + 1
    return "written"


@get("/clear")
async def clear(request: AnyRequest) -> str:
    """Litestar's own way to end it."""
    request.clear_session()
    return "cleared"


@get("/same")
async def same(request: AnyRequest, session: SessionDep) -> bool:
    """Whether both ways lead to one object."""
    return request.session is session is get_session(request)


@get("/nothing")
async def nothing() -> str:
    """No session wanted."""
    return "nothing"


def client(*routes: Any, manager: Any = "memory://", **options: Any) -> TestClient[Litestar]:
    """As an application's own tests make it."""
    plugins = options.pop("plugins", None) or [SessionPlugin(manager)]
    app = Litestar([*routes, read, write], plugins=plugins, logging_config=None, **options)
    return TestClient(app, base_url=BASE)


def test_same():
    """``request.session`` is the injected object."""
    with client(same) as c:
        assert c.get("/same").json() is True


def test_clear_session():
    """``request.clear_session()`` ends the session and expires its cookie."""
    with client(clear) as c:
        c.get("/write")
        reply = c.get("/clear")
        assert "Max-Age=0" in reply.headers["set-cookie"]
        assert c.get("/read").json() == {"n": 0}


@pytest.mark.parametrize("value", [{"n": 7}, Visit(7)], ids=["mapping", "model"])
def test_set_session(value):
    """``request.set_session`` takes a mapping or the manager's model."""

    @get("/set")
    async def put(request: AnyRequest) -> str:
        request.set_session(value)
        return "set"

    with client(put, manager=SessionManager("memory://", model=Visit)) as c:
        c.get("/write")
        c.get("/set")
        assert c.get("/read").json() == {"n": 7}


@pytest.mark.parametrize("model", [None, Visit])
@pytest.mark.parametrize("junk", [7, "text", [1], object()], ids=["int", "str", "list", "object"])
def test_set_session_junk(model, junk):
    """``request.set_session`` refuses anything else, and what was there before stays."""
    heard: list[Exception] = []

    async def hear(error: Exception, _: Any) -> None:
        heard.append(error)

    @get("/set")
    async def put(request: AnyRequest) -> str:
        request.set_session(junk)
        return "set"

    manager = SessionManager("memory://", model=model)
    with client(put, manager=manager, after_exception=[hear]) as c:
        c.get("/write")
        assert c.get("/set").status_code == 500
        assert c.get("/read").json() == {"n": 1}
    expected = ConfigurationError if model is None else SessionValueError
    assert [type(error) for error in heard] == [expected]


def test_opted_out():
    """A handler that opted out and asks for the session all the same is told what is wrong."""
    heard: list[Exception] = []

    async def hear(error: Exception, _: Any) -> None:
        heard.append(error)

    @get("/out", no_session=True)
    async def out(session: SessionDep) -> str:
        return str(session)

    with client(out, after_exception=[hear]) as c:
        assert c.get("/out").status_code == 500
    (error,) = heard
    assert isinstance(error, ConfigurationError)
    assert "opt out" in str(error)


def test_openapi():
    """OpenAPI knows the cookie, and handlers have no parameter that clients could send."""
    with client() as c:
        schema = c.get("/schema/openapi.json").json()
    scheme = schema["components"]["securitySchemes"]["sessionCookie"]
    assert scheme == {"type": "apiKey", "name": "__Host-session", "in": "cookie"}
    assert "parameters" not in schema["paths"]["/read"]["get"]


def test_installed_twice():
    """Plugin and middleware with one manager are one session."""
    manager = SessionManager("memory://")
    with client(manager=manager, middleware=[SessionMiddleware(manager)]) as c:
        assert len(c.get("/write").headers.get_list("set-cookie")) == 1
        assert c.get("/read").json() == {"n": 1}


def test_two_managers():
    """Two managers have a cookie each, and ``request.session`` is the first one's."""

    @get("/both")
    async def both(request: AnyRequest, session: SessionDep, other: SessionDep) -> bool:
        session["n"], other["n"] = 1, 2
        return request.session is session

    second = SessionPlugin(
        "memory://", dependency_key="other", cookie=CookieOptions(name="__Host-other")
    )
    with client(both, plugins=[SessionPlugin("memory://"), second]) as c:
        reply = c.get("/both")
    assert reply.json() is True
    assert len(reply.headers.get_list("set-cookie")) == 2


def test_key_taken():
    """A dependency that has our name already is an error at start."""
    with pytest.raises(ConfigurationError, match="dependency_key"):
        client(dependencies={"session": lambda: None})


def test_response_cache():
    """A response from Litestar's cache carries nobody's session cookie."""

    @get("/cached", cache=60)
    async def cached(session: SessionDep) -> str:
        session["n"] = 1
        return "cached"

    with client(cached, response_cache_config=ResponseCacheConfig()) as c:
        assert "set-cookie" in c.get("/cached").headers
        c.cookies.clear()
        reply = c.get("/cached")
    assert (reply.text, "set-cookie" in reply.headers) == ("cached", False)


def test_untouched(monkeypatch):
    """A request that touches no session costs no store call, no crypto and no header."""
    store = RecordingStore(MemoryStore())
    bare = Litestar([nothing], logging_config=None)
    with TestClient(bare, base_url=BASE) as c:
        expected = c.get("/nothing")
    with client(nothing, manager=SessionManager(store, sweep_every=None)) as c:
        c.get("/write")
        store.calls.clear()

        def refuse(*_: Any) -> Any:
            raise AssertionError("crypto for nothing")

        monkeypatch.setattr(hashlib, "sha256", refuse)
        monkeypatch.setattr(hashlib, "blake2b", refuse)
        reply = c.get("/nothing")
        monkeypatch.undo()
        assert store.calls == []
    assert (reply.content, reply.headers.raw) == (expected.content, expected.headers.raw)
