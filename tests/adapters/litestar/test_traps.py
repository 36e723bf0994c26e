"""What is easily got wrong around Litestar, each as Litestar does it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from litestar import Litestar, Request, Response, asgi, get
from litestar.di import NamedDependency, Provide
from litestar.exceptions import (
    ImproperlyConfiguredException,
    NotAuthorizedException,
    NotFoundException,
)
from litestar.handlers import websocket_listener
from litestar.plugins.flash import FlashConfig, FlashPlugin
from litestar.testing import TestClient

from sojourn import ConfigurationError, SessionManager
from sojourn.testing import RecordingStore, client_cookie
from sojourn_litestar import SessionDep, SessionPlugin, get_session
from sojourn_memory import MemoryStore

BASE = "https://testserver.local"
AnyRequest = Request[Any, Any, Any]


class Session:
    """An application's own, as of a database."""


async def open_database() -> Session:
    """The application's own dependency."""
    return Session()


@get("/count")
async def count(session: SessionDep) -> int:
    """Count."""
    session["n"] = session.get("n", 0) + 1
    return int(session["n"])


@get("/database")
async def database(db: NamedDependency[Session], session: SessionDep) -> str:
    """Both sessions."""
    session["n"] = 1
    return type(db).__module__


@websocket_listener("/listener")
async def listener(data: str, session: SessionDep) -> str:
    """Accepted before this is called."""
    session["said"] = data
    return data


@asgi("/mounted", is_mount=True, copy_scope=True)
async def mounted(scope: Any, receive: Any, send: Any) -> None:
    """An application that is not Litestar's."""
    scope["session"]["n"] = scope["session"].get("n", 0) + 1
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(scope["session"]["n"]).encode()})


def client(*routes: Any, manager: Any = "memory://", **options: Any) -> TestClient[Litestar]:
    """As an application's own tests make it."""
    options.setdefault("plugins", [SessionPlugin(manager)])
    app = Litestar([count, *routes], logging_config=None, **options)
    return TestClient(app, base_url=BASE)


def test_without_plugin():
    """A handler that asks for a session which nobody provides stops the application's start."""
    with pytest.raises(ImproperlyConfiguredException, match="session"):
        client(plugins=[])


def test_another_session_class():
    """An application's own class of the name Session is injected beside ours."""
    with client(database, dependencies={"db": Provide(open_database)}) as browser:
        response = browser.get("/database")
    assert (200, __name__) == (response.status_code, response.text)
    assert 1 == len(response.headers.get_list("set-cookie"))


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("DELETE", "/count")])
def test_answers_of_the_router(method, path):
    """A 404 or 405 of the router's own came to no middleware, and asking there says so."""
    told: list[str] = []

    def page(request: AnyRequest, error: Exception) -> Response[str]:
        with pytest.raises(ConfigurationError, match="has no session") as caught:
            get_session(request)
        told.append(str(caught.value))
        return Response("nothing here", status_code=getattr(error, "status_code", 500))

    store = RecordingStore(MemoryStore())
    with client(manager=store, exception_handlers={404: page, 405: page}) as browser:
        browser.get("/count")
        calls = len(store.calls)
        response = browser.request(method, path)
    assert "nothing here" == response.text
    assert 1 == len(told)
    assert [] == response.headers.get_list("set-cookie")
    assert ["aclose"] == [call.name for call in store.calls[calls:]]


def test_404_of_a_handler():
    """A 404 that a handler raises has the session, in the application's page as well."""

    @get("/raises")
    async def raises(session: SessionDep) -> None:
        raise NotFoundException("gone")

    def page(request: AnyRequest, error: Exception) -> Response[str]:
        get_session(request)["seen"] = True
        return Response("gone", status_code=404)

    with client(raises, exception_handlers={404: page}) as browser:
        response = browser.get("/raises")
    assert (404, "gone") == (response.status_code, response.text)
    assert 1 == len(response.headers.get_list("set-cookie"))


def test_own_hooks():
    """``before_request`` and ``after_request`` of a handler may change the session."""

    async def before(request: AnyRequest) -> None:
        request.session["before"] = True

    async def after(response: Any) -> Any:
        response.headers["X-After"] = "yes"
        return response

    @get("/hooked", before_request=before, after_request=after)
    async def hooked(session: SessionDep) -> bool:
        return bool(session["before"])

    with client(hooked) as browser:
        response = browser.get("/hooked")
    assert (True, "yes") == (response.json(), response.headers["x-after"])
    assert 1 == len(response.headers.get_list("set-cookie"))


def test_mounted_application():
    """An ASGI application that is mounted finds the session in its scope, and may change it."""
    with client(mounted) as browser:
        assert ["1", "2"] == [browser.get("/mounted/").text for _ in range(2)]
        assert 3 == browser.get("/count").json()


@pytest.mark.anyio
@pytest.mark.parametrize("known", [False, True])
async def test_listener(known):
    """A ``websocket_listener`` writes to a session that exists, and begins none behind a cookie."""
    store = MemoryStore()
    manager = SessionManager(store)
    headers = {"Cookie": await client_cookie(manager, {"n": 1})} if known else {}
    with (
        client(listener, manager=manager) as browser,
        browser.websocket_connect("/listener", headers=headers) as socket,
    ):
        socket.send_text("hello")
        assert "hello" == socket.receive_text()
    assert int(known) == len(store)
    if known:
        session = await manager.load([headers["Cookie"].encode()])
        assert {"n": 1, "said": "hello"} == dict(session)


def test_secure_cookie_over_http():
    """A test client that speaks plain http never sends the Secure cookie back."""
    with TestClient(Litestar([count], plugins=[SessionPlugin("memory://")])) as browser:
        assert [1, 1] == [browser.get("/count").json() for _ in range(2)]


def test_flash_plugin():
    """Litestar's FlashPlugin wants Litestar's own session middleware, and says so at the start."""
    flashes = FlashPlugin(FlashConfig(template_config=cast("Any", None)))  # looked at later
    with pytest.raises(ImproperlyConfiguredException, match="session middleware"):
        client(plugins=[SessionPlugin("memory://"), flashes])


def test_owner_in_a_guard():
    """A guard reads the owner, as the way to keep strangers out."""

    def known(connection: Any, _handler: Any) -> None:
        if connection.session.owner is None:
            raise NotAuthorizedException

    @get("/login")
    async def log_in(session: SessionDep) -> None:
        session.bind("ada")

    @get("/inside", guards=[known])
    async def inside(session: SessionDep) -> str:
        return str(session.owner)

    with client(log_in, inside) as browser:
        assert 401 == browser.get("/inside").status_code
        browser.get("/login")
        assert "ada" == browser.get("/inside").text
