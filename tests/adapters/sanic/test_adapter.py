"""What every adapter proves, on Sanic."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sojourn.testing import AdapterTests, Capabilities, Client, Serve, Setup, in_process, over_tcp

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
            sock = socket.create_server(("127.0.0.1", 0))
            port = sock.getsockname()[1]
            server: Any = await build(given).create_server(sock=sock, return_asyncio_server=True)
            await server.startup()
            await server.before_start()
            await server.start_serving()
            await server.after_start()
            try:
                async with over_tcp("127.0.0.1", port) as client:
                    yield client
            finally:
                await server.before_stop()
                server.close()
                await server.wait_closed()
                await server.after_stop()

        return run


# How a store is asked does not depend on who serves.
@pytest.mark.parametrize("rows", ["awaited"], indirect=True)
class TestASGI(TestSanic):
    """As an ASGI application, which is how Sanic's own ``asgi_client`` calls it."""

    @pytest.fixture
    def serve(self) -> Serve:
        """See ``AdapterTests``."""
        return lambda setup: in_process(build(setup))
