"""The handshake of a websocket: accepted, denied, failed.

Quart's test client shows no headers of an accepted one: those are looked at in test_server.py.
"""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from quart import Quart, abort, session, websocket
from quart.testing import WebsocketResponseError
from quart.testing.connections import WebsocketDisconnectError
from tests.adapters._rows import LazyRows

from sojourn import CommitDiscarded, Discard, Event, SessionManager
from sojourn_quart import Sessions

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("sessions")]


async def test_new_visitor_after_the_handshake(
    app: Quart, store: LazyRows, events: list[Event]
) -> None:
    """After the handshake no cookie can be set: a new session is dropped, and the operator told."""

    @app.websocket("/")
    async def ws() -> None:
        await websocket.accept()
        session["late"] = True

    async with app.test_client().websocket("/") as client:
        with pytest.raises(WebsocketDisconnectError):
            await client.receive()
    assert store.calls == []
    assert CommitDiscarded(reason=Discard.NO_COOKIE) in events


async def test_new_visitor_in_the_handshake(app: Quart, store: LazyRows) -> None:
    """Before accepting, a new session can be begun."""

    @app.websocket("/")
    async def ws() -> None:
        session["early"] = True
        await websocket.send("hello")

    async with app.test_client().websocket("/") as client:
        await client.receive()
    assert store.calls == ["create"]


async def test_old_server(app: Quart, store: LazyRows, events: list[Event]) -> None:
    """A server whose handshake has no headers gets none, and no session begins there."""

    @app.websocket("/")
    async def ws() -> None:
        session["early"] = True
        await websocket.send("hello")

    old = {"asgi": {"version": "3.0"}}
    async with app.test_client().websocket("/", scope_base=old) as client:
        assert await client.receive() == "hello"
    assert store.calls == []
    assert CommitDiscarded(reason=Discard.NO_COOKIE) in events


async def test_two_tasks_accept(app: Quart, store: LazyRows) -> None:
    """Two tasks that accept at the same time make one handshake, after the commit."""
    written, order = anyio.Event(), list[str]()

    async def wait(name: str) -> None:
        if name == "create":
            await written.wait()
            order.append("written")

    @app.websocket("/")
    async def ws() -> None:
        session["early"] = True
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(say, "a")
            tasks.start_soon(say, "b")
            await anyio.wait_all_tasks_blocked()
            written.set()

    async def say(word: str) -> None:
        await websocket.send(word)
        order.append(word)

    store.before = wait
    async with app.test_client().websocket("/") as client:
        assert {await client.receive(), await client.receive()} == {"a", "b"}
    assert order[0] == "written"
    assert store.calls == ["create"]


@pytest.mark.parametrize("deny", ["abort", "missing", "close", "return"])
async def test_denied(app: Quart, store: LazyRows, deny: str) -> None:
    """A handshake that is denied without a response sets no cookie and begins no session."""

    @app.websocket("/")
    async def ws() -> Any:
        session["denied"] = True
        if deny == "close":
            await websocket.close(1008)
        elif deny == "abort":
            abort(403)

    path = "/missing" if deny == "missing" else "/"
    connection = app.test_client().websocket(path)
    connection.scope["extensions"] = {}  # type: ignore[attr-defined]
    async with connection:
        if deny != "return":
            with pytest.raises(WebsocketDisconnectError):
                await connection.receive()
    assert store.calls == []


async def test_no_answer_at_all(app: Quart, store: LazyRows) -> None:
    """A handler that neither accepts nor denies begins no session."""

    @app.websocket("/")
    async def ws() -> None:
        session["early"] = True

    async with app.test_client().websocket("/"):
        pass
    assert store.calls == []


async def test_denial_response(app: Quart, store: LazyRows) -> None:
    """A denial that is a response carries the cookie like any other."""

    @app.websocket("/")
    async def ws() -> Any:
        session["why"] = "closed"
        abort(403)

    async with app.test_client().websocket("/") as client:
        with pytest.raises(WebsocketResponseError) as caught:
            await client.receive()
    response = caught.value.response
    assert response.status_code == 403
    assert len(response.headers.getlist("set-cookie")) == 1
    assert store.calls == ["create"]


async def test_down_in_the_handshake(app: Quart, store: LazyRows) -> None:
    """A commit that fails in the handshake is answered with 503 in its place."""

    @app.websocket("/")
    async def ws() -> None:
        session["early"] = True
        await websocket.accept()

    store.down = {"create"}
    async with app.test_client().websocket("/") as client:
        with pytest.raises(WebsocketResponseError) as caught:
            await client.receive()
    response = caught.value.response
    assert response.status_code == 503
    assert response.headers.getlist("set-cookie") == []
    assert store.calls == ["create"]


async def test_down_at_load(app: Quart, store: LazyRows, cookie: str) -> None:
    """A store that is down when the session is looked at is answered with 503."""

    @app.websocket("/")
    async def ws() -> None:
        await websocket.send(str(session["begun"]))

    store.down = {"load"}
    async with app.test_client().websocket("/", headers={"Cookie": cookie}) as client:
        with pytest.raises(WebsocketResponseError) as caught:
            await client.receive()
    assert caught.value.response.status_code == 503


async def test_own_classes(app: Quart, manager: SessionManager[Any], cookie: str) -> None:
    """An application's own websocket class, set before the sessions, keeps working."""
    kind: Any = type(app).websocket_class

    class Shouting(kind):  # type: ignore[misc, valid-type]
        async def send(self, data: Any) -> None:
            await super().send(data.upper())

    fresh = type(app)("fresh")
    fresh.websocket_class = Shouting
    Sessions(fresh, manager)

    @fresh.websocket("/")
    async def ws() -> None:
        await websocket.send(str(session["begun"]))

    async with fresh.test_client().websocket("/", headers={"Cookie": cookie}) as client:
        assert await client.receive() == "TRUE"


async def test_class_extended_before(app: Quart, cookie: str) -> None:
    """A websocket class that was made from one with sessions is fine as well."""

    class Quiet(app.websocket_class):  # type: ignore[misc, name-defined]
        pass

    fresh = type(app)("fresh")
    fresh.websocket_class = Quiet
    Sessions(fresh, "memory://")
    assert fresh.websocket_class is Quiet
