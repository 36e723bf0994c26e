"""The part of ``AdapterTests`` about websockets."""

from __future__ import annotations

import pytest

from ._adapter_fixtures import (
    AdapterFixtures,
    Serve,
    cookie_headers,
    cookies_of,
    known,
    stored,
)
from ._adapter_rows import Rows, until
from ._adapter_site import Setup


@pytest.mark.anyio
class WebSocketTests(AdapterFixtures):
    """The handshake's answer is the only place for a cookie; later changes go to the store."""

    async def test_websocket_at_rest(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """A websocket that does not touch the session costs nothing."""
        self.need("websocket")
        async with serve(setup) as client, client.websocket("/ws/nothing", []) as socket:
            assert socket.handshake.status == 101
            assert cookies_of(socket.handshake) == []
            assert await socket.ask("nothing") == "nothing"
            assert await socket.ask("close") is None
        assert rows.calls == []

    async def test_websocket_accept(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """The answer to the handshake carries a new session's cookie, or there is no session."""
        self.need("websocket")
        async with serve(setup) as client, client.websocket("/ws/write", []) as socket:
            assert socket.handshake.status == 101
            assert await socket.ask("close") is None
        can = self.capabilities.websocket_cookie
        assert len(cookies_of(socket.handshake)) == len(rows.rows) == int(can)
        if can:
            assert (await stored(rows, cookie_headers(socket.handshake)))["n"] == 1

    async def test_websocket_known(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """What is set before the handshake's answer reaches the session of a known visitor."""
        self.need("websocket")
        headers = await known(rows)
        async with serve(setup) as client:
            async with client.websocket("/ws/write", headers) as socket:
                assert await socket.ask("read") == "42"
                assert await socket.ask("close") is None
            await until(lambda: rows.writes)
        assert (await stored(rows, headers))["n"] == 42

    async def test_websocket_server_closes(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """What messages change is written when the server closes."""
        self.need("websocket")
        headers = await known(rows)
        async with serve(setup) as client:
            async with client.websocket("/ws/nothing", headers) as socket:
                assert [await socket.ask("write") for _ in range(2)] == ["42", "43"]
                assert await socket.ask("close") is None
            await until(lambda: rows.writes)
        assert (await stored(rows, headers))["n"] == 43

    async def test_websocket_client_leaves(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """What messages change is written when the client leaves without a word."""
        self.need("websocket")
        headers = await known(rows)
        async with serve(setup) as client:
            async with client.websocket("/ws/nothing", headers) as socket:
                assert await socket.ask("write") == "42"
            await until(lambda: rows.writes)
        assert (await stored(rows, headers))["n"] == 42

    async def test_websocket_commit(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """``session.commit()`` writes at once, as often as it is called."""
        self.need("websocket")
        headers = await known(rows)
        async with serve(setup) as client, client.websocket("/ws/nothing", headers) as socket:
            for value in (42, 43):
                assert await socket.ask("save") == str(value)
                assert (await stored(rows, headers))["n"] == value
            assert await socket.ask("close") is None

    async def test_websocket_stranger(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """After the handshake nobody can get a cookie, so no session begins, and commit says so."""
        self.need("websocket")
        async with serve(setup) as client, client.websocket("/ws/nothing", []) as socket:
            assert await socket.ask("save") == "sealed"
            assert await socket.ask("close") is None
        assert rows.rows == {}

    async def test_websocket_crash(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """An unhandled error drops what was not committed, as in a request."""
        self.need("websocket")
        headers = await known(rows)
        async with serve(setup) as client, client.websocket("/ws/nothing", headers) as socket:
            assert await socket.ask("save") == "42"
            assert await socket.ask("write") == "43"
            assert await socket.ask("crash") is None
        assert (await stored(rows, headers))["n"] == 42

    @pytest.mark.parametrize("is_known", [False, True], ids=["stranger", "known"])
    async def test_websocket_deny(
        self, serve: Serve, setup: Setup, rows: Rows, *, is_known: bool
    ) -> None:
        """A refused handshake begins no session without a cookie, and keeps a known one."""
        self.need("websocket")
        self.need("websocket_deny")
        headers = await known(rows) if is_known else []
        async with serve(setup) as client, client.websocket("/deny/write", headers) as socket:
            assert 400 <= socket.handshake.status < 500
        if is_known:
            assert (await stored(rows, headers))["n"] == 42
        else:
            assert len(rows.rows) == len(cookies_of(socket.handshake))

    async def test_websocket_down_at_load(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """While the store is down, no websocket of a known visitor gets as far as messages."""
        self.need("websocket")
        headers = await known(rows)
        rows.down.add("load")
        async with serve(setup) as client, client.websocket("/ws/write", headers) as socket:
            status = socket.handshake.status
            assert status != 101 or await socket.ask("read") is None
        assert cookies_of(socket.handshake) == []
        assert rows.writes == []

    async def test_websocket_down_at_commit(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """A handshake whose commit fails is refused, if the framework leaves us the choice."""
        self.need("websocket")
        self.need("websocket_cookie")
        rows.down.add("create")
        async with serve(setup) as client, client.websocket("/ws/write", []) as socket:
            assert socket.handshake.status >= 403
        assert cookies_of(socket.handshake) == []
