"""What every adapter proves, on Sanic."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sojourn.testing import AdapterTests, Capabilities, Client, Serve, Setup, in_process, over_tcp

from ._server import served
from ._site import build


class TestSanic(AdapterTests):
    """On its own server. It answers a websocket's handshake before the handler of it runs."""

    capabilities = Capabilities(
        head=False, opt_out=False, websocket_cookie=False, websocket_deny=False
    )

    @pytest.fixture
    def anyio_backend(self) -> str:
        """Sanic runs on asyncio only."""
        return "asyncio"

    @pytest.fixture
    def serve(self) -> Serve:
        """See ``AdapterTests``."""

        @asynccontextmanager
        async def run(given: Setup) -> AsyncIterator[Client]:
            async with served(build(given)) as port, over_tcp("127.0.0.1", port) as client:
                yield client

        return run


# How a store is asked does not depend on who serves.
@pytest.mark.parametrize("rows", ["awaited"], indirect=True)
class TestASGI(TestSanic):
    """As an ASGI application, which is how Sanic's own ``asgi_client`` calls it."""

    @pytest.fixture
    def serve(self) -> Serve:
        """See ``AdapterTests``."""
        return lambda setup: in_process(build(setup))
