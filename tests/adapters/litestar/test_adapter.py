"""What every adapter proves, on Litestar."""

from __future__ import annotations

from typing import Any, cast

import pytest

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
