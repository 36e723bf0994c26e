"""A framework's own test client, as ``AdapterTests`` wants a client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import anyio.to_thread
import pytest

from sojourn.testing import Client, Reply

RawHeaders = list[tuple[bytes, bytes]]


class WaitingClient:
    """A client that waits for its answer, and so cannot leave; it has no cookies of its own."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def request(self, method: str, path: str, headers: RawHeaders) -> Reply:
        """See ``Client``. The application runs in a thread of the test client's."""
        self._client.cookies.clear()
        ask = partial(self._client.request, method, path, headers=headers, follow_redirects=False)
        response = await anyio.to_thread.run_sync(ask)
        return Reply(response.status_code, response.headers.raw, response.content)

    def abandoned(self, path: str, headers: RawHeaders) -> AbstractAsyncContextManager[Any]:
        """See ``Client``."""
        pytest.skip("this test client waits for its answer")

    def websocket(self, path: str, headers: RawHeaders) -> AbstractAsyncContextManager[Any]:
        """See ``Client``."""
        pytest.skip("this test client's websockets are tested in its own way")


@asynccontextmanager
async def over(client: Any) -> AsyncIterator[Client]:
    """Run the test client's application while it is used."""
    with client:
        yield WaitingClient(client)
