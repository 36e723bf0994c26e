"""What every adapter proves, on aiohttp."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sojourn.testing import AdapterTests, Capabilities, Client, Serve, Setup, over_tcp

from ._site import build


@asynccontextmanager
async def served(given: Setup) -> AsyncIterator[Client]:
    """The application in aiohttp's own server."""
    runner = web.AppRunner(build(given), shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with over_tcp(*runner.addresses[0][:2]) as client:
            yield client
    finally:
        await runner.cleanup()


class TestAiohttp(AdapterTests):
    """A route is excluded by not asking for its session."""

    capabilities = Capabilities(opt_out=False)

    @pytest.fixture
    def serve(self) -> Serve:
        """See ``AdapterTests``."""
        return served


@asynccontextmanager
async def by_test_server(given: Setup) -> AsyncIterator[Client]:
    """The server of aiohttp's own test client, which differs from others: see the class below."""
    async with TestServer(build(given)) as server:
        assert server.port is not None
        async with over_tcp(server.host, server.port) as client:
            yield client


# How a store is asked does not depend on who serves.
@pytest.mark.parametrize("rows", ["awaited"], indirect=True)
class TestAiohttpTestServer(TestAiohttp):
    """A server that cancels the handler when its client leaves: aiohttp's test server does."""

    @pytest.fixture
    def serve(self) -> Serve:
        """See ``AdapterTests``."""
        return by_test_server
