"""What every adapter promises, on Quart and quart-trio."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from quart import Quart
from quart_trio import QuartTrio
from tests.adapters._test_client import RawHeaders, WaitingClient
from werkzeug.datastructures import Headers

from sojourn.testing import (
    ASGI_SERVERS,
    AdapterTests,
    Capabilities,
    Client,
    Reply,
    Serve,
    Setup,
    in_process,
)

from ._site import build


# A client that has read the file and leaves cuts Quart off while it closes the file.
@pytest.mark.filterwarnings(r"ignore:unclosed file .*page\.txt:ResourceWarning")
class TestQuart(AdapterTests):
    """In this process. Quart opens sessions before it matches the URL, so no route can opt out."""

    capabilities = Capabilities(opt_out=False)

    @pytest.fixture(params=["asyncio", "trio"])
    def anyio_backend(self, request: pytest.FixtureRequest) -> str:
        """The event loop that a test runs on."""
        backend: str = request.param
        return backend

    @pytest.fixture
    def run(self) -> Any:
        """The way to run an application."""
        return in_process

    @pytest.fixture
    def serve(
        self, request: pytest.FixtureRequest, anyio_backend: str, run: Any
    ) -> Iterator[Serve]:
        """See ``AdapterTests``."""
        kind = {"asyncio": Quart, "trio": QuartTrio}[anyio_backend]

        def serving(setup: Setup) -> AbstractAsyncContextManager[Client]:
            app = kind("site", static_folder=str(setup.folder), static_url_path="/static")
            served: AbstractAsyncContextManager[Client] = run(build(app, setup))
            return served

        yield serving
        if "file" in request.node.name:
            gc.collect()  # here, where its warning is expected


class OwnClient(WaitingClient):
    """Quart's, which is asynchronous."""

    async def request(self, method: str, path: str, headers: RawHeaders) -> Reply:
        """See ``Client``."""
        given = Headers([(name.decode(), value.decode("latin-1")) for name, value in headers])
        response = await self._client.open(path, method=method, headers=given)
        lines = [(n.encode(), v.encode("latin-1")) for n, v in response.headers]
        # What a server does for the application.
        body = b"" if method == "HEAD" else await response.get_data(as_text=False)
        return Reply(response.status_code, lines, body)


@asynccontextmanager
async def by_test_client(app: Quart) -> AsyncIterator[Client]:
    """The application, started and stopped, and its test client without a cookie jar."""
    async with app.test_app():
        yield OwnClient(app.test_client(use_cookies=False))


# How a store is asked does not depend on who calls.
@pytest.mark.parametrize("rows", ["awaited"], indirect=True)
class TestQuartTestClient(TestQuart):
    """By Quart's own test client."""

    capabilities = Capabilities(opt_out=False, websocket=False)

    @pytest.fixture
    def run(self) -> Any:
        """The way to run an application."""
        return by_test_client


# How a store is asked does not depend on who serves.
@pytest.mark.parametrize("rows", ["awaited"], indirect=True)
class TestQuartServed(TestQuart):
    """In real servers."""

    @pytest.fixture(params=ASGI_SERVERS)
    def server(self, request: pytest.FixtureRequest) -> Any:
        """Each with its event loop."""
        return ASGI_SERVERS[request.param]

    @pytest.fixture
    def anyio_backend(self, server: Any) -> str:
        """The server's event loop."""
        backend: str = server[0]
        return backend

    @pytest.fixture
    def run(self, server: Any) -> Any:
        """The server."""
        return server[1]
