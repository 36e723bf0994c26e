"""When a store is down, or a commit cannot be: Quart's own error pages, and no cookie."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from quart import Quart, Response, redirect, session
from tests.adapters._rows import LazyRows
from werkzeug.exceptions import ServiceUnavailable

from sojourn import (
    ConflictError,
    CookieOptions,
    Event,
    SessionManager,
    SessionValueError,
    StoreError,
    StoreFailed,
    StoreUnavailableError,
)
from sojourn_quart import Sessions, get_session

from .conftest import cookies

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("site")]

_WRITES = {"create", "replace", "touch", "delete"}


@pytest.fixture
def site(app: Quart, sessions: Sessions[Any]) -> Quart:
    """Pages that read, write and do neither."""

    @app.route("/read")
    async def read() -> str:
        return str(session.get("a"))

    @app.route("/write")
    async def write() -> Response:
        session["a"] = session.get("a", 0) + 1
        response = redirect("/read")
        response.set_cookie("own", "1")
        return response  # type: ignore[return-value]

    @app.route("/plain")
    async def plain() -> str:
        return "plain"

    return app


async def text(response: Any) -> str:
    """The body of a response."""
    body: str = await response.get_data(as_text=True)
    return body


async def test_down_at_load(app: Quart, store: LazyRows) -> None:
    """A store that is down is no new visitor: 503, and the cookie is left alone."""
    client = app.test_client()
    await client.get("/write")
    store.down = {"load"}
    for path in ("/read", "/write"):
        response = await client.get(path)
        assert response.status_code == 503
        assert "503 Service Unavailable" in await text(response)
        assert cookies(response) == []
    store.down = set()
    assert await text(await client.get("/read")) == "1"


async def test_untouched_while_down(app: Quart, store: LazyRows) -> None:
    """A page that does not look at the session is served while the store is down."""
    client = app.test_client()
    await client.get("/write")
    store.down = {"load"}
    response = await client.get("/plain")
    assert (response.status_code, await text(response)) == (200, "plain")
    assert "Vary" not in response.headers


async def test_new_visitor_while_down(app: Quart, store: LazyRows) -> None:
    """Who has no cookie reads an empty session, whatever the store does."""
    store.down = {"load", *_WRITES}
    assert await text(await app.test_client().get("/read")) == "None"


async def test_down_at_commit(app: Quart, store: LazyRows, events: list[Event]) -> None:
    """A commit that fails becomes the 503 page: no redirect, no cookie, no second try."""
    store.down = _WRITES
    response = await app.test_client().get("/write")
    assert response.status_code == 503
    assert "503 Service Unavailable" in await text(response)
    assert response.headers["Content-Length"] == str(len(await response.get_data()))
    assert response.headers["Content-Type"].startswith("text/html")
    assert cookies(response) == []
    assert "Location" not in response.headers
    assert response.headers.getlist("Vary") == ["Cookie"]
    assert [name for name in store.calls if name in _WRITES] == ["create"]
    assert [e for e in events if isinstance(e, StoreFailed)] == [
        StoreFailed(operation="create", error="StoreUnavailableError")
    ]


async def test_old_session_stays(app: Quart, store: LazyRows) -> None:
    """After a failed commit the session is the old one, under the old cookie."""
    client = app.test_client()
    await client.get("/write")
    store.down = _WRITES
    assert (await client.get("/write")).status_code == 503
    store.down = set()
    assert await text(await client.get("/read")) == "1"


async def test_failed_commit_of_a_stream(app: Quart, store: LazyRows) -> None:
    """A stream whose commit fails never begins."""
    begun: list[bool] = []

    @app.route("/stream")
    async def stream() -> Response:
        session["a"] = 1

        async def lines() -> AsyncIterator[bytes]:
            begun.append(True)
            yield b"line"

        return Response(lines())

    store.down = _WRITES
    response = await app.test_client().get("/stream")
    assert response.status_code == 503
    assert "503 Service Unavailable" in await text(response)
    assert begun == []


@pytest.mark.parametrize("kind", [StoreUnavailableError, StoreError, ServiceUnavailable, 503])
async def test_own_error_page(app: Quart, store: LazyRows, kind: Any) -> None:
    """The application's own handler, for our error or for 503, makes the page in either case."""

    @app.errorhandler(kind)
    async def unavailable(error: Exception) -> tuple[str, int, dict[str, str]]:
        return "back soon", 503, {"Retry-After": "5"}

    client = app.test_client()
    store.down = _WRITES
    response = await client.get("/write")
    assert (response.status_code, await text(response)) == (503, "back soon")
    assert (response.headers["Retry-After"], cookies(response)) == ("5", [])
    store.down = set()
    await client.get("/write")
    store.down = {"load"}
    response = await client.get("/read")
    assert (response.status_code, await text(response)) == (503, "back soon")


async def test_cause_of_the_page(app: Quart, store: LazyRows) -> None:
    """A handler for 503 can tell why."""
    causes: list[BaseException | None] = []

    @app.errorhandler(503)
    async def unavailable(error: Exception) -> tuple[str, int]:
        causes.append(error.__cause__)
        return "", 503

    store.down = _WRITES
    await app.test_client().get("/write")
    assert [type(cause) for cause in causes] == [StoreUnavailableError]


async def test_conflict(app: Quart, store: LazyRows) -> None:
    """Other errors of a store are answered with their own status."""

    @app.route("/conflict")
    async def conflict() -> str:
        raise ConflictError("others were faster")

    @app.route("/broken")
    async def broken() -> str:
        raise StoreError("broken")

    client = app.test_client()
    assert (await client.get("/conflict")).status_code == 503
    assert (await client.get("/broken")).status_code == 500


async def test_handler_catches(app: Quart, store: LazyRows) -> None:
    """A handler may catch the error of an explicit commit, and answer as it likes."""

    @app.route("/careful")
    async def careful() -> str:
        session["a"] = 1
        try:
            await get_session().commit()
        except StoreUnavailableError:
            session.clear()
            return "later"
        return "now"

    store.down = {"create"}
    response = await app.test_client().get("/careful")
    assert (response.status_code, await text(response)) == (200, "later")


async def test_values_that_cannot_be(app: Quart) -> None:
    """A value that no store could give back is the handler's error: 500, and nothing is written."""

    @app.route("/bad")
    async def bad() -> str:
        session.setdefault("list", []).append({1, 2})
        return ""

    response = await app.test_client().get("/bad")
    assert (response.status_code, cookies(response)) == (500, [])


async def test_too_large(make_app: Any, store: LazyRows) -> None:
    """A session that is too large is Quart's own 500 page, once, and the old session stays."""
    app, errors = make_app(), list[Exception]()
    Sessions(app, store, cookie=CookieOptions(secure=False), max_bytes=1000)

    @app.route("/grow/<int:size>")
    async def grow(size: int) -> str:
        session["a"] = "x" * size
        return ""

    @app.route("/size")
    async def size() -> str:
        return str(len(session["a"]))

    @app.errorhandler(500)
    async def page(error: Any) -> tuple[str, int]:
        errors.append(error.original_exception)
        return "sorry", 500

    client = app.test_client()
    await client.get("/grow/10")
    store.calls.clear()
    response = await client.get("/grow/5000")
    assert (response.status_code, await text(response), cookies(response)) == (500, "sorry", [])
    assert [type(error).__name__ for error in errors] == ["SessionTooLargeError"]
    assert "'a'" in str(errors[0])
    assert not set(store.calls) & _WRITES
    assert await text(await client.get("/size")) == "10"


async def test_anonymous(make_app: Any, store: LazyRows) -> None:
    """With on_store_error="anonymous", who only reads does not notice that the store is down."""
    app = make_app()
    manager: SessionManager[Any] = SessionManager(
        store, cookie=CookieOptions(secure=False), on_store_error="anonymous"
    )
    Sessions(app, manager)

    @app.route("/")
    async def index() -> str:
        session.get("a")
        return "hello"

    @app.route("/write")
    async def write() -> str:
        session["a"] = 1
        return ""

    client = app.test_client()
    await client.get("/write")
    store.down = {"load"}
    assert await text(await client.get("/")) == "hello"
    assert (await client.get("/write")).status_code == 503


async def test_testing_mode(app: Quart, store: LazyRows) -> None:
    """In testing mode a store that is down is a 503 as well, and a handler's error is seen."""
    app.testing = True

    @app.route("/bad")
    async def bad() -> str:
        session["a"] = object()
        return ""

    store.down = _WRITES
    assert (await app.test_client().get("/write")).status_code == 503
    async with app.test_request_context("/bad"):
        with pytest.raises(SessionValueError):
            await app.full_dispatch_request()
