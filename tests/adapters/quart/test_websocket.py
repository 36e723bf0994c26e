"""Websockets: the handshake's cookie, and data that outlives the connection.

Quart's test client shows no headers of a handshake, so those are looked at in test_server.py.
"""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from quart import Quart, got_websocket_exception, session, websocket
from quart.testing.connections import WebsocketDisconnectError
from tests.adapters._rows import LazyRows

from sojourn_quart import get_session

from .conftest import Peek

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("sessions")]


async def test_reads(app: Quart, cookie: str) -> None:
    """A websocket sees the session of the cookie that it came with."""

    @app.websocket("/")
    async def ws() -> None:
        await websocket.send(str(dict(session)))
        assert get_session()["begun"] is True

    async with app.test_client().websocket("/", headers={"Cookie": cookie}) as client:
        assert await client.receive() == "{'begun': True}"


async def test_returning_handler(app: Quart, cookie: str, peek: Peek) -> None:
    """What the handler wrote is there when it returns, before the connection closes."""

    @app.websocket("/")
    async def ws() -> None:
        await websocket.accept()
        session["said"] = await websocket.receive()

    async with app.test_client().websocket("/", headers={"Cookie": cookie}) as client:
        await client.send("hello")
        with pytest.raises(WebsocketDisconnectError):
            await client.receive()
        assert await peek() == {"begun": True, "said": "hello"}


async def test_client_leaves_first(app: Quart, cookie: str, peek: Peek) -> None:
    """What the handler wrote is there when the client leaves while it waits."""

    @app.websocket("/")
    async def ws() -> None:
        while True:
            message = await websocket.receive()
            session["said"] = message
            await websocket.send(message)

    async with app.test_client().websocket("/", headers={"Cookie": cookie}) as client:
        await client.send("one")
        await client.receive()
    assert await peek() == {"begun": True, "said": "one"}


async def test_client_leaves_a_preserving_test(app: Quart, cookie: str, peek: Peek) -> None:
    """The same in a test that keeps contexts with ``async with app.test_client()``."""

    @app.websocket("/")
    async def ws() -> None:
        session["said"] = await websocket.receive()
        await websocket.send("")
        await websocket.receive()

    async with (
        app.test_client() as client,
        client.websocket("/", headers={"Cookie": cookie}) as socket,
    ):
        await socket.send("one")
        await socket.receive()
    assert await peek() == {"begun": True, "said": "one"}


@pytest.mark.parametrize("answer", [None, "done"])
async def test_client_leaves_during_the_last_commit(
    app: Quart, store: LazyRows, cookie: str, peek: Peek, answer: str | None
) -> None:
    """A client that says its last word and leaves does not cut its commit; nor is it twice."""
    arrived, left = anyio.Event(), anyio.Event()
    serve = app.asgi_app

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def receiving() -> Any:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                left.set()
            return message

        await serve(scope, receiving, send)

    async def wait(name: str) -> None:
        if name == "replace":
            arrived.set()
            await left.wait()
            # Until Quart has cancelled what it would cancel.
            await anyio.wait_all_tasks_blocked()

    @app.websocket("/")
    async def ws() -> str | None:
        await websocket.receive()
        session.modify("n", lambda n: n + 1, default=0)  # type: ignore[attr-defined]
        return answer

    app.asgi_app = watched  # type: ignore[method-assign]
    store.before = wait
    async with app.test_client().websocket("/", headers={"Cookie": cookie}) as client:
        await client.send("bye")
        await arrived.wait()
    assert await peek() == {"begun": True, "n": 1}


async def test_several_commits(app: Quart, cookie: str, peek: Peek) -> None:
    """A handler may write in between, as often as it likes, and see what others wrote."""
    seen: list[dict[str, Any]] = []

    @app.websocket("/")
    async def ws() -> None:
        for _ in range(2):
            session["said"] = await websocket.receive()
            await get_session().commit()
            await websocket.send("written")
        session["last"] = True

    async with app.test_client().websocket("/", headers={"Cookie": cookie}) as client:
        for word in ("one", "two"):
            await client.send(word)
            await client.receive()
            seen.append(await peek())
    assert [found["said"] for found in seen] == ["one", "two"]
    assert (await peek())["last"] is True


async def test_crash(app: Quart, cookie: str, peek: Peek) -> None:
    """A handler that raises loses what it had not committed."""

    @app.websocket("/")
    async def ws() -> None:
        await websocket.accept()
        session["half"] = "done"
        raise ZeroDivisionError

    async with app.test_client().websocket("/", headers={"Cookie": cookie}) as client:
        with pytest.raises(WebsocketDisconnectError):
            await client.receive()
    assert await peek() == {"begun": True}


async def test_crash_and_client_leaves(app: Quart, cookie: str, peek: Peek) -> None:
    """That stays so when the client leaves while Quart still looks at the error."""
    app.testing = True

    @app.websocket("/")
    async def ws() -> None:
        await websocket.accept()
        session["half"] = "done"
        raise ZeroDivisionError

    left = anyio.Event()

    async def note(_app: Any, **_: Any) -> None:
        left.set()
        await anyio.sleep_forever()

    got_websocket_exception.connect(note, app)
    async with app.test_client().websocket("/", headers={"Cookie": cookie}):
        await left.wait()
    assert await peek() == {"begun": True}


@pytest.mark.parametrize("leaves", [False, True])
async def test_down_at_the_end(
    app: Quart, store: LazyRows, cookie: str, leaves: bool, caplog: Any
) -> None:
    """A last commit that fails is logged, and not tried again."""

    @app.websocket("/")
    async def ws() -> None:
        session["lost"] = await websocket.receive()
        await websocket.send("")
        if leaves:
            await websocket.receive()

    store.down = {"replace"}
    async with app.test_client().websocket("/", headers={"Cookie": cookie}) as client:
        await client.send("word")
        await client.receive()
    records = [r for r in caplog.records if r.name == app.logger.name]
    assert len(records) == 1
    assert "StoreUnavailableError" in (records[0].exc_text or "")
    assert store.calls.count("replace") == 1
