"""What every adapter proves, on Starlette and FastAPI."""

from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.adapters._test_client import over

from sojourn.testing import ASGI_SERVERS, AdapterTests, Capabilities, Serve, in_process

from . import _fastapi_site, _starlette_site


class TestStarlette(AdapterTests):
    """In this process."""

    capabilities = Capabilities(opt_out=False)

    @pytest.fixture
    def serve(self) -> Serve:
        """See ``AdapterTests``."""
        return lambda setup: in_process(_starlette_site.build(setup))


# How a store is asked does not depend on who serves.
@pytest.mark.parametrize("rows", ["awaited"], indirect=True)
class TestStarletteServed(TestStarlette):
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
        return lambda setup: server[1](_starlette_site.build(setup))


# How a store is asked does not depend on who calls.
@pytest.mark.parametrize("rows", ["awaited"], indirect=True)
class TestStarletteTestClient(TestStarlette):
    """By Starlette's own test client."""

    capabilities = Capabilities(opt_out=False, websocket=False)

    @pytest.fixture
    def anyio_backend(self) -> str:
        """The test's own event loop; the application has another one, in a thread."""
        return "asyncio"

    @pytest.fixture(params=["asyncio", "trio"])
    def serve(self, request) -> Serve:
        """See ``AdapterTests``."""
        options: Any = {"backend": request.param, "raise_server_exceptions": False}
        return lambda setup: over(TestClient(_starlette_site.build(setup), **options))


# The middleware, and so the store's side of it, is the same as on Starlette.
@pytest.mark.parametrize("rows", ["awaited"], indirect=True)
class TestFastAPI(AdapterTests):
    """With ``SessionDep``, in this process."""

    capabilities = Capabilities(opt_out=False, head=False)

    @pytest.fixture
    def serve(self) -> Serve:
        """See ``AdapterTests``."""
        return lambda setup: in_process(_fastapi_site.build(setup))
