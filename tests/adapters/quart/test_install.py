"""Installing: early or late, twice, two managers, and the store's life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from quart import Quart, session
from tests.adapters._rows import LazyRows

from sojourn import ConfigurationError, CookieOptions, SessionManager, StoreUnavailableError
from sojourn.testing import Wrapper
from sojourn_memory import MemoryStore
from sojourn_quart import Sessions, get_session

from .conftest import cookies

pytestmark = pytest.mark.anyio

MakeApp = Callable[[], Quart]


class LivingStore(MemoryStore):
    """Writes down when it is opened and closed."""

    def __init__(self) -> None:
        super().__init__()
        self.life: list[str] = []

    async def aopen(self) -> None:
        """See ``SupportsOpen``."""
        self.life.append("open")

    async def aclose(self) -> None:
        """See ``Store``."""
        self.life.append("close")


async def test_init_app(app: Quart, manager: SessionManager[Any]) -> None:
    """Sessions(manager).init_app(app) is the same as Sessions(app, manager)."""
    sessions = Sessions(manager)
    sessions.init_app(app)

    @app.route("/")
    async def index() -> str:
        session["a"] = 1
        assert sessions.get_session()["a"] == get_session()["a"] == 1
        return ""

    assert len(cookies(await app.test_client().get("/"))) == 1
    assert sessions.manager is manager


async def test_one_extension_for_many_apps(make_app: MakeApp) -> None:
    """With a URL, each application of an extension has a manager and sessions of its own."""
    sessions = Sessions("memory://", cookie=CookieOptions(secure=False))
    managers: list[SessionManager[Any]] = []
    answers: list[bytes] = []
    with pytest.raises(ConfigurationError, match="init_app"):
        async with make_app().app_context():
            sessions.manager  # noqa: B018
    clients = []
    for _ in range(2):
        app = make_app()
        sessions.init_app(app)

        @app.route("/")
        async def index() -> str:
            managers.append(sessions.manager)
            session["n"] = session.get("n", 0) + 1
            assert sessions.get_session()["n"] == session["n"]
            return str(session["n"])

        clients.append(app.test_client())
    first = await clients[0].get("/")
    cookie = cookies(first)[0].split(";")[0]
    for client, headers in ((clients[1], {"Cookie": cookie}), (clients[0], None)):
        response = await client.get("/", headers=headers)
        answers.append(await response.get_data())
    assert answers == [b"1", b"2"]
    assert managers[0] is managers[2] is not managers[1]


async def test_twice(app: Quart, manager: SessionManager[Any], store: LazyRows) -> None:
    """Installing the same manager twice is installing it once: one load, one write, one cookie."""
    first, second = Sessions(app, manager), Sessions(app, manager)
    first.init_app(app)

    @app.route("/")
    async def index() -> str:
        session["n"] = session.get("n", 0) + 1
        assert first.get_session() is second.get_session()
        return str(session["n"])

    client = app.test_client()
    assert len(cookies(await client.get("/"))) == 1
    assert await (await client.get("/")).get_data() == b"2"
    assert store.calls == ["create", "load", "replace"]


async def test_same_app_twice(app: Quart) -> None:
    """An extension that is given the same application again has it already."""
    sessions = Sessions(app, "memory://")
    manager = sessions.manager
    sessions.init_app(app)
    assert sessions.manager is manager


async def test_same_cookie(app: Quart) -> None:
    """Two managers with one cookie would confuse each other, and are refused at start-up."""
    Sessions(app, "memory://")
    with pytest.raises(ConfigurationError, match="'__Host-session'"):
        Sessions(app, "memory://")


async def test_two_managers(app: Quart, manager: SessionManager[Any]) -> None:
    """A second manager has a cookie of its own, and its sessions are reached by its Sessions."""
    main = Sessions(app, manager)
    other = Sessions(app, MemoryStore(), cookie=CookieOptions(name="cart", secure=False))

    @app.route("/")
    async def index() -> dict[str, Any]:
        mine, cart = main.get_session(), other.get_session()
        assert dict(get_session()) == dict(session) == dict(mine)
        answer = {"main": dict(mine), "cart": dict(cart)}
        mine["a"] = mine.get("a", 0) + 1
        cart["tea"] = cart.get("tea", 0) + 10
        return answer

    client = app.test_client()
    response = await client.get("/")
    assert sorted(line.split("=")[0] for line in cookies(response)) == ["cart", "session"]
    assert response.headers.getlist("Vary") == ["Cookie"]
    assert response.headers.getlist("Cache-Control") == ["no-store"]
    assert await (await client.get("/")).get_json() == {"main": {"a": 1}, "cart": {"tea": 10}}


async def test_one_of_two_fails(app: Quart, manager: SessionManager[Any], store: LazyRows) -> None:
    """If one manager's commit fails, the 503 page still carries the other's cookie."""
    Sessions(app, MemoryStore(), cookie=CookieOptions(name="main", secure=False))
    other = Sessions(app, manager)

    @app.route("/")
    async def index() -> str:
        session["a"] = 1
        other.get_session()["b"] = 2
        return ""

    store.down = {"create"}
    response = await app.test_client().get("/")
    assert response.status_code == 503
    assert [line.split("=")[0] for line in cookies(response)] == ["main"]


async def test_not_installed_here(make_app: MakeApp, manager: SessionManager[Any]) -> None:
    """Sessions of another application are a mistake, and said to be one."""
    elsewhere, app = make_app(), make_app()
    other = Sessions(elsewhere, MemoryStore())
    Sessions(app, manager)
    async with app.test_request_context("/"):
        with pytest.raises(ConfigurationError, match="not installed"):
            other.get_session()


@pytest.mark.parametrize("given", [(), (1, 2), ("memory://", "memory://"), ("app",)])
def test_wrong_arguments(make_app: MakeApp, given: tuple[Any, ...]) -> None:
    """What cannot be meant is refused, at the latest when the application comes."""
    make: Any = Sessions
    with pytest.raises(ConfigurationError):
        make(*given).init_app(make_app())


async def test_life(app: Quart) -> None:
    """The store opens and closes with the application, as often as that is started."""
    store = LivingStore()
    Sessions(app, store)
    for _ in range(2):
        async with app.test_app():
            assert store.life[-1] == "open"
        assert store.life[-1] == "close"
    assert store.life == ["open", "close", "open", "close"]


async def test_life_of_a_shared_manager(make_app: MakeApp) -> None:
    """A manager that two applications share is open until the last one ends."""
    store = LivingStore()
    manager = SessionManager(store)
    apps = [make_app(), make_app()]
    for app in apps:
        Sessions(app, manager)
    async with apps[0].test_app():
        async with apps[1].test_app():
            pass
        assert store.life == ["open"]
    assert store.life == ["open", "close"]


async def test_closed_in_a_hurry(app: Quart) -> None:
    """The store is closed even if Quart cancels everything at shutdown."""
    app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] = None
    closing: list[str] = []

    class Slow(Wrapper):
        async def around(self, name: str, arguments: Any, call: Any) -> Any:
            from anyio.lowlevel import checkpoint

            await checkpoint()
            closing.append(name)
            return await call()

    manager: SessionManager[Any] = SessionManager(Slow(MemoryStore()))
    Sessions(app, manager)
    async with app.test_app():
        pass
    assert closing[-1] == "aclose"
    assert not manager.is_open


async def test_store_that_cannot_open(app: Quart) -> None:
    """An application whose store cannot open does not start."""

    class Closed(LivingStore):
        async def aopen(self) -> None:
            raise StoreUnavailableError("nobody answers at this address")

    Sessions(app, Closed())
    with pytest.raises(StoreUnavailableError, match="nobody answers"):
        await app.startup()
