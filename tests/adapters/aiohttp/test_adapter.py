"""What every adapter proves, on aiohttp."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from sojourn.testing import AdapterTests, Capabilities, Client, Serve, Setup, over_tcp

from ._site import build


@asynccontextmanager
async def served(given: Setup, **options: Any) -> AsyncIterator[Client]:
    """The application in aiohttp's own server; its test client starts the same one."""
    runner = web.AppRunner(build(given), shutdown_timeout=1, **options)
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


# How a store is asked does not depend on who cancels.
@pytest.mark.parametrize("rows", ["awaited"], indirect=True)
class TestCancelling(TestAiohttp):
    """A server that cancels the handler when its client leaves."""

    @pytest.fixture
    def serve(self) -> Serve:
        """See ``AdapterTests``."""
        return lambda setup: served(setup, handler_cancellation=True)
