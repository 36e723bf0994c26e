"""The part of ``AdapterTests`` about what breaks: the store, the response, the client."""

from __future__ import annotations

import pytest

from ._adapter_client import Client, RawHeaders
from ._adapter_fixtures import (
    AdapterFixtures,
    Serve,
    cookies_of,
    known,
    make_manager,
    stored,
)
from ._adapter_rows import Rows, until
from ._adapter_site import Setup

_SHAPES = pytest.mark.parametrize("shape", ["text", "redirect", "error", "file", "stream", "sse"])
_WRITES = {"create", "replace", "touch", "delete"}
_STREAMS = ("stream", "sse")


@pytest.mark.anyio
class FailureTests(AdapterFixtures):
    """A store that is down is an error response, and never a new visitor."""

    @pytest.mark.parametrize("shape", ["text", "redirect", "stream"])
    async def test_down_at_load(self, serve: Serve, setup: Setup, rows: Rows, shape: str) -> None:
        """A store that is down at load gives 503, and the cookie is left alone."""
        headers = await known(rows)
        rows.down.add("load")
        async with serve(setup) as client:
            reply = await client.request("GET", f"/{shape}/write", headers)
            rows.down.clear()
            assert (await client.request("GET", "/text/read", headers)).text == "41"
        assert (reply.status, cookies_of(reply)) == (503, [])
        assert rows.writes == []

    @_SHAPES
    @pytest.mark.parametrize("is_known", [False, True], ids=["stranger", "known"])
    async def test_down_at_commit(
        self, serve: Serve, setup: Setup, rows: Rows, shape: str, *, is_known: bool
    ) -> None:
        """A commit that fails gives 503 and no cookie, not the response that the handler made."""
        headers = await known(rows) if is_known else []
        rows.down |= _WRITES
        async with serve(setup) as client:
            reply = await client.request("GET", f"/{shape}/write", headers)
            rows.down.clear()
            assert (await client.request("GET", "/text/nothing", [])).status == 200
        right = (503,) if self.capabilities.stream_failure or shape not in _STREAMS else (503, 0)
        assert reply.status in right, reply
        assert cookies_of(reply) == []
        assert reply.all("Location") == []
        assert "begin" not in reply.text
        assert len(rows.writes) == 1, "a failed commit is not tried again"

    async def test_anonymous(self, serve: Serve, rows: Rows, setup: Setup) -> None:
        """With ``on_store_error="anonymous"`` pages are served while the store is down."""
        headers = await known(rows)
        rows.down.add("load")
        manager = make_manager(rows, on_store_error="anonymous")
        async with serve(Setup(manager, setup.folder)) as client:
            reply = await client.request("GET", "/text/read", headers)
            refused = await client.request("GET", "/text/write", headers)
        assert (reply.status, reply.text, cookies_of(reply)) == (200, "0", [])
        assert (refused.status, cookies_of(refused)) == (503, [])

    @pytest.mark.parametrize("name", ["load", "replace"])
    async def test_slow_store(self, serve: Serve, rows: Rows, setup: Setup, name: str) -> None:
        """A store that does not answer within the deadline gives 503."""
        if hasattr(rows, "load_nowait") and name == "load":
            pytest.skip("a store whose rows are at hand does not wait")
        headers = await known(rows)
        rows.held.add(name)
        async with serve(Setup(make_manager(rows, deadline=0.05), setup.folder)) as client:
            reply = await client.request("GET", "/text/write", headers)
            rows.held.clear()
            assert (await client.request("GET", "/text/read", headers)).text == "41"
        assert (reply.status, cookies_of(reply)) == (503, [])

    async def test_too_large(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """A session that is too large gives 500, and what was there before stays."""
        headers = await known(rows)
        async with serve(setup) as client:
            reply = await client.request("GET", "/redirect/big", headers)
        assert (reply.status, cookies_of(reply), reply.all("Location")) == (500, [], [])
        assert (await stored(rows, headers)).get("big") is None

    async def test_commit_on_error(self, serve: Serve, rows: Rows, setup: Setup) -> None:
        """With ``commit_on_error``, an unhandled error keeps the changes."""
        headers = await known(rows)
        manager = make_manager(rows, commit_on_error=True)
        async with serve(Setup(manager, setup.folder)) as client:
            assert (await client.request("GET", "/crash/write", headers)).status == 500
        assert (await stored(rows, headers))["n"] == 42

    async def test_client_leaves_in_commit(self, serve: Serve, rows: Rows, setup: Setup) -> None:
        """A commit whose client has left meanwhile leaves the old row or the new one."""
        headers = await known(rows)
        async with serve(Setup(make_manager(rows, deadline=30), setup.folder)) as client:
            await _leave_in_commit(client, rows, headers)
            assert rows.writes == ["replace"]
            n = (await stored(rows, headers))["n"]
            reply = await client.request("GET", "/text/write", headers)
        assert n in (41, 42)
        assert (reply.status, reply.text) == (200, str(n + 1))

    async def test_stranger_leaves_in_commit(self, serve: Serve, rows: Rows, setup: Setup) -> None:
        """A commit whose new client has left meanwhile leaves a whole row or none."""
        async with serve(Setup(make_manager(rows, deadline=30), setup.folder)) as client:
            await _leave_in_commit(client, rows, [])
            assert rows.writes == ["create"]
            assert len(rows.rows) in (0, 1)
            reply = await client.request("GET", "/text/write", [])
        assert (reply.text, len(cookies_of(reply))) == ("1", 1)


async def _leave_in_commit(client: Client, rows: Rows, headers: RawHeaders) -> None:
    """The client has left, and the server could see it, before the store answers the commit."""
    rows.held |= _WRITES
    async with client.abandoned("/text/write", headers) as leave:
        await until(lambda: rows.waiting)
        await leave()
        # A server that serves a later connection has had the time to notice the closed one.
        assert (await client.request("GET", "/text/nothing", [])).status == 200
        rows.held.clear()
    await until(lambda: not rows.waiting)
