"""``quart.session`` itself: a mapping, our handle, and the attributes that Quart knows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
import pytest
from quart import Quart, session
from quart.sessions import SessionMixin

from sojourn import ConfigurationError, CookieOptions, SessionManager
from sojourn_memory import MemoryStore
from sojourn_quart import Sessions, get_session

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("sessions")]

Ask = Callable[[Callable[[], Any]], Awaitable[Any]]


@pytest.fixture
def ask(app: Quart) -> Ask:
    """Runs a function inside a request of the same visitor, and gives its result."""
    client, answers = app.test_client(), list[Any]()
    todo: list[Callable[[], Any]] = []

    @app.route("/")
    async def index() -> str:
        answers.append(todo.pop()())
        return ""

    async def asking(function: Callable[[], Any]) -> Any:
        todo.append(function)
        response = await client.get("/")
        assert response.status_code == 200, await response.get_data()
        return answers.pop()

    app.config["PROPAGATE_EXCEPTIONS"] = False
    return asking


async def test_same_session(ask: Ask) -> None:
    """quart.session and get_session() show one and the same session."""

    def handler() -> bool:
        session["a"] = 1
        get_session()["b"] = 2
        return dict(session) == dict(get_session()) == {"a": 1, "b": 2}

    assert await ask(handler)


async def test_kind(ask: Ask) -> None:
    """quart.session is what Quart's own code and extensions expect."""
    assert await ask(lambda: isinstance(session, SessionMixin))
    assert await ask(lambda: isinstance(session, MutableMapping))


@pytest.mark.parametrize(
    "look",
    [
        lambda: session.get("a"),
        lambda: "a" in session,
        lambda: len(session),
        lambda: bool(session),
        lambda: list(session),
        lambda: dict(session),
        lambda: session.pop("a", None),
        lambda: session.new,
        lambda: get_session().owner,
        lambda: session.update(a=1),
        lambda: session.setdefault("a", 1),
        lambda: session == {},
    ],
)
async def test_looks(ask: Ask, look: Callable[[], Any]) -> None:
    """Whatever reads or writes the session is a look at it."""

    def handler() -> tuple[bool, bool]:
        before = session.accessed
        look()
        return before, session.accessed

    assert await ask(handler) == (False, True)


@pytest.mark.parametrize(
    "ask_only",
    [
        lambda: session.accessed,
        lambda: session.modified,
        lambda: session.permanent,
        lambda: repr(session),
        get_session,
        lambda: setattr(session, "modified", True),
        lambda: setattr(session, "permanent", True),
        lambda: setattr(session, "extend", False),
    ],
)
async def test_no_look(ask: Ask, ask_only: Callable[[], Any]) -> None:
    """Asking about the session, or for it, is no look at it."""
    assert not await ask(lambda: [ask_only(), session.accessed][-1])


async def test_accessed_can_be_set(ask: Ask) -> None:
    """Whoever declares the session accessed is believed; nobody can take a look back."""

    def handler() -> tuple[bool, bool]:
        session.accessed = True
        after = session.accessed
        session.accessed = False
        return after, session.accessed

    assert await ask(handler) == (True, True)


async def test_new(ask: Ask) -> None:
    """session.new says whether something is stored for the visitor."""
    assert await ask(lambda: session.new)
    await ask(lambda: session.update(a=1))
    assert not await ask(lambda: session.new)


async def test_modified(ask: Ask) -> None:
    """session.modified is False for sure only when nobody looked; setting it changes nothing."""

    def handler() -> tuple[bool, bool, bool]:
        before = session.modified
        session["a"] = 1
        session.modified = False
        return before, session.modified, "a" in session

    assert await ask(handler) == (False, True, True)


async def test_permanent(ask: Ask, manager: SessionManager[Any]) -> None:
    """session.permanent is the manager's to say; another wish is refused and not forgotten."""
    assert await ask(lambda: session.permanent) is manager.cookie.persistent is True

    def handler() -> str:
        try:
            session.permanent = False
        except ConfigurationError as error:
            return str(error)
        return ""

    assert "CookieOptions(persistent=False)" in await ask(handler)
    assert not await ask(lambda: "_permanent" in session)


async def test_browser_session(make_app: Callable[[], Quart]) -> None:
    """With persistent=False the cookie has no age, and session.permanent is False."""
    app = make_app()
    Sessions(app, MemoryStore(), cookie=CookieOptions(persistent=False))

    @app.route("/")
    async def index() -> str:
        session.permanent = False
        session["a"] = 1
        return str(session.permanent)

    response = await app.test_client().get("/")
    assert await response.get_data() == b"False"
    assert "Max-Age" not in response.headers["Set-Cookie"]


async def test_handle_attributes(ask: Ask) -> None:
    """Everything that our handle has can be read, called and set on quart.session."""

    def handler() -> Any:
        proxy: Any = session
        proxy.flash("message", "hello")
        proxy.extend = False
        assert get_session().extend is False
        assert proxy.peek("message") == "hello"
        assert "message" in proxy
        assert proxy.modify("n", lambda n: n + 1, default=0) == 1
        proxy.bind("ada")
        assert get_session().owner == "ada"
        assert proxy.id is None
        return [list(proxy.items()), list(proxy.values()), proxy.pop("message"), dict(proxy)]

    expected = [[("message", "hello"), ("n", 1)], ["hello", 1], "hello", {"n": 1}]
    assert await ask(handler) == expected


async def test_unknown_attribute(ask: Ask) -> None:
    """An attribute that no session has is an error, in reading and in setting."""

    def handler() -> int:
        proxy, errors = session, 0
        for act in (lambda: proxy.missing, lambda: setattr(proxy, "missing", 1)):  # type: ignore[attr-defined]
            try:
                act()
            except AttributeError:
                errors += 1
        return errors

    assert await ask(handler) == 2


async def test_repr(ask: Ask) -> None:
    """The representation shows the public id, and no data."""

    def handler() -> str:
        session["secret"] = "payload"
        return repr(session)

    assert await ask(handler) == "<Session id=None>"


async def test_deleting(ask: Ask) -> None:
    """Both del and clear remove keys; what is absent is a KeyError."""

    def handler() -> Any:
        session.update(a=1, b=2)
        del session["a"]
        try:
            session["a"]
        except KeyError:
            left = dict(session)
            session.clear()
            return left, dict(session)

    assert await ask(handler) == ({"b": 2}, {})


class _Visit(msgspec.Struct):
    visits: int = 0


async def test_typed(make_app: Callable[[], Quart]) -> None:
    """get_session(Visit) is the session with a typed view; another model is refused."""
    app = make_app()
    Sessions(app, MemoryStore(), model=_Visit)

    @app.route("/")
    async def index() -> str:
        get_session(_Visit).data.visits += 1
        assert session["visits"] == get_session(_Visit).data.visits
        with pytest.raises(ConfigurationError, match="the manager's model is _Visit"):
            get_session(dict)
        return str(session["visits"])

    client = app.test_client()
    assert [await (await client.get("/")).get_data() for _ in range(2)] == [b"1", b"2"]


async def test_untyped_has_no_model(ask: Ask) -> None:
    """A model that the manager does not have is refused when it is asked for."""

    def handler() -> str:
        with pytest.raises(ConfigurationError, match="the manager's model is none"):
            get_session(_Visit)
        return "refused"

    assert await ask(handler) == "refused"


async def test_without_sessions(make_app: Callable[[], Quart]) -> None:
    """get_session() in an application without Sessions says what is missing."""
    app = make_app()
    async with app.test_request_context("/"):
        with pytest.raises(ConfigurationError, match=r"Sessions\(app, \.\.\.\)"):
            get_session()


async def test_without_request() -> None:
    """get_session() outside a request is the error that quart.session gives there."""
    with pytest.raises(RuntimeError, match="request"):
        get_session()
