"""Requests and responses, through Quart's own test client."""

from __future__ import annotations

from typing import Any

import pytest
from quart import (
    Quart,
    Response,
    render_template_string,
    session,
)
from tests.adapters._rows import LazyRows

from sojourn import (
    CookieOptions,
    SessionManager,
)
from sojourn_quart import Sessions, get_session

from .conftest import cookies

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("sessions")]


@pytest.mark.usefixtures("count")
async def test_session_lasts(app: Quart) -> None:
    """What one request puts into quart.session, the next one finds there."""
    client = app.test_client()
    assert [await (await client.get("/count")).get_data(as_text=True) for _ in range(3)] == [
        "1",
        "2",
        "3",
    ]


@pytest.mark.usefixtures("count")
async def test_headers(app: Quart) -> None:
    """A response that sets the cookie varies by Cookie and is not stored by caches."""
    response = await app.test_client().get("/count")
    assert len(cookies(response)) == 1
    assert cookies(response)[0].startswith("session=")
    assert response.headers["Vary"] == "Cookie"
    assert response.headers["Cache-Control"] == "no-store"


async def test_headers_are_merged(app: Quart) -> None:
    """The application's own Vary and Cache-Control stay, ours join them."""

    @app.route("/")
    async def index() -> Response:
        session["a"] = 1
        response = Response("")
        response.vary.add("Accept")
        response.cache_control.private = True
        response.set_cookie("own", "1")
        return response

    response = await app.test_client().get("/")
    assert response.headers.getlist("Vary") == ["Accept, Cookie"]
    assert response.headers.getlist("Cache-Control") == ["private, no-store"]
    assert [line.split("=")[0] for line in cookies(response)] == ["own", "session"]


@pytest.mark.usefixtures("count")
async def test_untouched_costs_nothing(app: Quart, store: LazyRows) -> None:
    """A visitor without a cookie, on a page that does not look at the session, costs nothing."""

    @app.route("/plain")
    async def plain() -> str:
        return await render_template_string("{{ 1 + 1 }}")

    response = await app.test_client().get("/plain")
    assert await response.get_data() == b"2"
    assert cookies(response) == []
    assert "Vary" not in response.headers
    assert store.calls == []


@pytest.mark.usefixtures("count")
async def test_lazy_load(app: Quart, store: LazyRows) -> None:
    """With a cookie, an untouched request of a lazy store costs nothing either."""

    @app.route("/plain")
    async def plain() -> str:
        return ""

    client = app.test_client()
    await client.get("/count")
    store.calls.clear()
    response = await client.get("/plain")
    assert "Vary" not in response.headers
    assert store.calls == ([] if type(store).__name__ == "LazyRows" else ["load"])


async def test_template_looks(app: Quart) -> None:
    """A template that reads the session has looked at it, so that caches must know."""

    @app.route("/")
    async def index() -> str:
        return await render_template_string("{{ session.get('name', 'nobody') }}")

    response = await app.test_client().get("/")
    assert await response.get_data() == b"nobody"
    assert response.headers["Vary"] == "Cookie"
    assert cookies(response) == []


async def test_junk(app: Quart, store: LazyRows) -> None:
    """Junk in our cookie is an absent session, and no store is asked."""

    @app.route("/")
    async def index() -> dict[str, Any]:
        return dict(session)

    response = await app.test_client().get("/", headers={"Cookie": 'session=";\\xff"; session=x'})
    assert (response.status_code, await response.get_json()) == (200, {})
    assert store.calls == []


@pytest.mark.usefixtures("count")
async def test_cookie_header_of_many_lines(app: Quart) -> None:
    """HTTP/2 may send one Cookie header for each cookie; ours is found among them."""
    client = app.test_client()
    response = await client.get("/count")
    pair = cookies(response)[0].split(";")[0]
    headers = [("Cookie", "a=1"), ("Cookie", pair), ("Cookie", "b=2")]
    other = app.test_client(use_cookies=False)
    from werkzeug.datastructures import Headers

    response = await other.get("/count", headers=Headers(headers))
    assert await response.get_data() == b"2"


async def test_logout(app: Quart, manager: SessionManager[Any], store: LazyRows) -> None:
    """Login gives another cookie, logout takes the row and then the cookie."""

    @app.route("/login")
    async def login() -> str:
        get_session().bind("ada")
        return ""

    @app.route("/logout")
    async def logout() -> str:
        get_session().destroy()
        return ""

    client = app.test_client()
    first = cookies(await client.get("/login"))[0]
    second = cookies(await client.get("/login"))[0]
    assert first.split(";")[0] != second.split(";")[0]
    assert len(await manager.sessions_of("ada")) == 1
    response = await client.get("/logout")
    assert "Max-Age=0" in cookies(response)[0]
    assert await manager.sessions_of("ada") == []
    assert list(client.cookie_jar or ()) == []


async def test_session_transaction(app: Quart, manager: SessionManager[Any]) -> None:
    """A test may prepare a session with session_transaction, log in included."""

    @app.route("/")
    async def index() -> str:
        return f"{get_session().owner} {session['cart']}"

    client = app.test_client()
    async with client.session_transaction() as prepared:
        prepared["cart"] = ["tea"]
        prepared.bind("ada")  # type: ignore[attr-defined]
    assert await (await client.get("/")).get_data() == b"ada ['tea']"


async def test_nested_changes(app: Quart) -> None:
    """A change inside a nested value needs no session.modified."""

    @app.route("/")
    async def index() -> str:
        session.setdefault("list", []).append(1)
        return str(len(session["list"]))

    client = app.test_client()
    assert [await (await client.get("/")).get_data() for _ in range(2)] == [b"1", b"2"]


async def test_permanent_cookie_line(app: Quart, manager: SessionManager[Any]) -> None:
    """The cookie's line is the manager's, attribute by attribute."""
    assert manager.cookie == CookieOptions(secure=False)

    @app.route("/")
    async def index() -> str:
        session["a"] = 1
        return ""

    line = cookies(await app.test_client().get("/"))[0]
    assert line.split("; ")[1:] == ["Max-Age=1800", "Path=/", "HttpOnly", "SameSite=Lax"] or (
        line.split("; ")[1:] == ["Max-Age=1799", "Path=/", "HttpOnly", "SameSite=Lax"]
    )


def test_sessions_are_installed(app: Quart, sessions: Sessions[Any]) -> None:
    """The extension is found where Quart's extensions are."""
    assert app.extensions["sojourn"] is sessions
