"""Every kind of answer: streams, files, errors, redirects; through Quart's own test client."""

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
    send_file,
    session,
    stream_with_context,
)
from tests.adapters._rows import LazyRows

from sojourn import (
    CommitDiscarded,
    Discard,
    Event,
    SessionManager,
    SessionSealedError,
)
from sojourn_quart import get_session

from .conftest import cookies

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("sessions")]


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

    client: Any = app.test_client()
    response = await client.open(path, method=method)
    assert response.status_code == status
    assert len(cookies(response)) == 1
    async with client.session_transaction() as seen:
        assert dict(seen) == {"seen": status}


async def test_stream(app: Quart) -> None:
    """A stream's session is committed before its first byte; then it can only be read."""

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
