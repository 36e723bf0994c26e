"""Requests and responses, through Quart's own test client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from quart import (
    Blueprint,
    Quart,
    Response,
    abort,
    flash,
    get_flashed_messages,
    redirect,
    render_template_string,
    send_file,
    session,
    stream_with_context,
)

from sojourn import (
    CommitDiscarded,
    CookieOptions,
    Discard,
    Event,
    SessionManager,
    SessionSealedError,
)
from sojourn_quart import Sessions, get_session

from .conftest import LazyRows

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("sessions")]


def cookies(response: Any) -> list[str]:
    """The Set-Cookie lines of a response."""
    lines: list[str] = response.headers.getlist("set-cookie")
    return lines


@pytest.fixture
def count(app: Quart) -> None:
    """A handler that counts the visits of a session."""

    @app.route("/count")
    async def count() -> str:
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])


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


async def test_redirect(app: Quart) -> None:
    """A redirect carries the cookie, and quart.flash works across it."""

    @app.route("/")
    async def index() -> dict[str, Any]:
        return {"messages": get_flashed_messages(with_categories=True)}

    @app.route("/save")
    async def save() -> Any:
        await flash("saved", "good")
        await flash("twice")
        return redirect("/")

    client = app.test_client()
    response = await client.get("/save", follow_redirects=True)
    assert await response.get_json() == {"messages": [["good", "saved"], ["message", "twice"]]}
    response = await client.get("/")
    assert await response.get_json() == {"messages": []}


async def test_own_flash(app: Quart) -> None:
    """The session's own flash values are gone after one read."""

    @app.route("/save")
    async def save() -> Any:
        get_session().flash("message", "saved")
        return redirect("/")

    @app.route("/")
    async def index() -> str:
        return str(session.pop("message", "nothing"))

    client = app.test_client()
    response = await client.get("/save", follow_redirects=True)
    assert await response.get_data() == b"saved"
    assert await (await client.get("/")).get_data() == b"nothing"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/missing", 404),
        ("POST", "/counted", 405),
        ("HEAD", "/counted", 200),
        ("OPTIONS", "/counted", 200),
        ("GET", "/aborts", 418),
    ],
)
async def test_every_kind_of_answer(app: Quart, method: str, path: str, status: int) -> None:
    """404, 405, HEAD, OPTIONS and abort() carry the session, as after_request leaves it."""

    @app.get("/counted")
    async def counted() -> str:
        return "body"

    @app.get("/aborts")
    async def aborts() -> str:
        abort(418)

    @app.after_request
    async def late(response: Any) -> Any:
        session["seen"] = response.status_code
        return response

    client = app.test_client()
    response = await client.open(path, method=method)
    assert response.status_code == status
    assert len(cookies(response)) == 1
    async with client.session_transaction() as seen:
        assert dict(seen) == {"seen": status}


async def test_stream(app: Quart) -> None:
    """A stream's session is committed before its first byte; then it can be read and not changed."""

    @app.route("/")
    async def index() -> Response:
        session["begun"] = True

        @stream_with_context
        async def lines() -> AsyncIterator[bytes]:
            yield b"%d " % session["begun"]
            try:
                session["late"] = True
            except SessionSealedError:
                yield b"sealed"

        return Response(lines(), mimetype="text/event-stream")

    client = app.test_client()
    response = await client.get("/")
    assert await response.get_data() == b"1 sealed"
    assert len(cookies(response)) == 1
    async with client.session_transaction() as seen:
        assert dict(seen) == {"begun": True}


async def test_file(app: Quart, tmp_path: Path) -> None:
    """A file carries the cookie."""
    (tmp_path / "a.txt").write_text("text")

    @app.route("/")
    async def index() -> Response:
        session["read"] = True
        return await send_file(tmp_path / "a.txt")

    response = await app.test_client().get("/")
    assert (await response.get_data(), len(cookies(response))) == (b"text", 1)


@pytest.mark.usefixtures("count")
async def test_static(app: Quart, tmp_path: Path) -> None:
    """Static files say nothing of the session."""
    (tmp_path / "a.css").write_text("p {}")
    app.static_folder = str(tmp_path)
    client = app.test_client()
    await client.get("/count")
    response = await client.get("/static/a.css")
    assert (await response.get_data(), cookies(response)) == (b"p {}", [])
    assert "Vary" not in response.headers


async def test_blueprint(app: Quart) -> None:
    """Blueprints share the application's session."""
    admin = Blueprint("admin", __name__, url_prefix="/admin")

    @admin.before_request
    async def guard() -> None:
        session["guarded"] = True

    @admin.route("/")
    async def index() -> dict[str, Any]:
        return dict(session)

    app.register_blueprint(admin)
    response = await app.test_client().get("/admin/")
    assert await response.get_json() == {"guarded": True}


async def test_unhandled_error_discards(app: Quart, events: list[Event]) -> None:
    """An unhandled exception drops what the handler changed, and its page sets no cookie."""

    @app.route("/")
    async def index() -> str:
        session["half"] = "done"
        raise ZeroDivisionError

    response = await app.test_client().get("/")
    assert (response.status_code, cookies(response)) == (500, [])
    assert CommitDiscarded(reason=Discard.FAILED_RESPONSE) in events


async def test_error_response_discards(app: Quart, store: LazyRows) -> None:
    """A 5xx that the handler returns drops the changes as well."""

    @app.route("/")
    async def index() -> tuple[str, int]:
        session["half"] = "done"
        return "", 502

    response = await app.test_client().get("/")
    assert (response.status_code, cookies(response), store.calls) == (502, [], [])


async def test_explicit_commit_stays(app: Quart, store: LazyRows) -> None:
    """What was committed explicitly stays when the handler fails later, and gets its cookie."""

    @app.route("/")
    async def index() -> str:
        session["kept"] = True
        await get_session().commit()
        session["lost"] = True
        raise ZeroDivisionError

    client = app.test_client()
    response = await client.get("/")
    assert (response.status_code, len(cookies(response))) == (500, 1)
    async with client.session_transaction() as seen:
        assert dict(seen) == {"kept": True}


async def test_error_after_the_commit(app: Quart) -> None:
    """An error between commit and response does not lose the cookie of what was written."""
    from quart import request_finished

    async def fail(sender: Any, response: Any) -> None:
        if response.status_code == 200:
            raise ZeroDivisionError

    @app.route("/")
    async def index() -> str:
        session["written"] = True
        return ""

    request_finished.connect(fail, app)
    client = app.test_client()
    response = await client.get("/")
    assert (response.status_code, len(cookies(response))) == (500, 1)
    async with client.session_transaction() as seen:
        assert dict(seen) == {"written": True}


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


async def test_background_task(app: Quart, manager: SessionManager[Any]) -> None:
    """A background task works on the session by its id."""

    async def work(id: str) -> None:
        async with manager.edit(id) as later:
            later["worked"] = True

    @app.route("/")
    async def index() -> str:
        session["begun"] = True
        await get_session().commit()
        app.add_background_task(work, get_session().id)
        return ""

    client = app.test_client()
    async with app.test_app():
        await client.get("/")
    async with client.session_transaction() as seen:
        assert dict(seen) == {"begun": True, "worked": True}


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
