"""What every adapter proves, on Litestar."""

from __future__ import annotations

from typing import Any, cast

import pytest
from litestar.testing import TestClient
from tests.adapters._test_client import over

from sojourn.testing import ASGI_SERVERS, AdapterTests, Capabilities, Serve, in_process

from ._site import build


class TestLitestar(AdapterTests):
    """In this process. The router's own answers, 404 and 405, never come to a middleware."""

    capabilities = Capabilities(head=False, missing_pages=False)

    @pytest.fixture
    def serve(self) -> Serve:
        """See ``AdapterTests``."""
        return lambda setup: in_process(cast("Any", build(setup)))


# How a store is asked does not depend on who serves.
@pytest.mark.parametrize("rows", ["awaited"], indirect=True)
class TestLitestarServed(TestLitestar):
    """In real servers."""

    @pytest.fixture(params=ASGI_SERVERS)
    def server(self, request) -> Any:
        """Each with its event loop."""
        return ASGI_SERVERS[request.param]

    @pytest.fixture
    def anyio_backend(self, server) -> str:
        """The server's event loop."""
        return server[0]

    @pytest.fixture
    def serve(self, server) -> Serve:
        """See ``AdapterTests``."""
        return lambda setup: server[1](cast("Any", build(setup)))


# How a store is asked does not depend on who calls.
@pytest.mark.parametrize("rows", ["awaited"], indirect=True)
class TestLitestarTestClient(TestLitestar):
    """By Litestar's own test client."""

    capabilities = Capabilities(head=False, missing_pages=False, websocket=False)

    @pytest.fixture
    def anyio_backend(self) -> str:
        """The test's own event loop; the application has another one, in a thread."""
        return "asyncio"

    @pytest.fixture(params=["asyncio", "trio"])
    def serve(self, request) -> Serve:
        """See ``AdapterTests``."""
        if request.node.originalname == "test_cookie_header_lines":
            pytest.skip("of several header lines of one name, this test client gives one")
        options: Any = {"backend": request.param, "raise_server_exceptions": False}
        return lambda setup: over(TestClient(build(setup), **options))
