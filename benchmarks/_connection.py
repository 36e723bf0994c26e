"""A connection to an aiohttp application without a socket: its own parser, protocol and writer."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from ._client import cookie_after


class _Wire(asyncio.Transport):
    """Where the socket would be: collects what the server writes until a response is whole."""

    def __init__(self) -> None:
        super().__init__()
        self._written = b""
        self._waiter: asyncio.Future[bytes] | None = None

    def response(self) -> asyncio.Future[bytes]:
        """The next response."""
        self._written = b""
        self._waiter = asyncio.get_running_loop().create_future()
        return self._waiter

    def write(self, data: Any) -> None:
        """See ``asyncio.Transport``."""
        self._written += data
        head, _, body = self._written.partition(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0] or -1)
        if len(body) == length and self._waiter is not None:
            self._waiter.set_result(self._written)
            self._waiter = None

    def is_closing(self) -> bool:
        """See ``asyncio.Transport``."""
        return False

    def close(self) -> None:
        """See ``asyncio.Transport``."""

    abort = close

    def pause_reading(self) -> None:
        """See ``asyncio.Transport``."""

    resume_reading = pause_reading


class AiohttpSite:
    """An application, asked over connections that stay open."""

    def __init__(self, app: web.Application) -> None:
        self._runner = web.AppRunner(app, access_log=None)
        self._connections: list[tuple[Any, _Wire]] = []

    async def _ask(self, number: int, page: str, cookie: bytes) -> bytes:
        protocol, wire = await self._connection(number)
        response = wire.response()
        line = b"Cookie: %b\r\n" % cookie if cookie else b""
        head = b"GET /%b HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: bench\r\n%b\r\n"
        protocol.data_received(head % (page.encode(), line))
        return await response

    async def _connection(self, number: int) -> tuple[Any, _Wire]:
        while len(self._connections) <= number:
            if self._runner.server is None:
                await self._runner.setup()
            protocol: Any = self._runner.server()  # type: ignore[misc]
            wire = _Wire()
            protocol.connection_made(wire)
            self._connections.append((protocol, wire))
        return self._connections[number]

    async def get(self, page: str, cookie: bytes) -> tuple[str, bytes]:
        """See ``Site``."""
        head, _, body = (await self._ask(0, page, cookie)).partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode("latin-1").split("\r\n")[1:]]
        set_cookies = [value for name, _, value in lines if name.lower() == "set-cookie"]
        return body.decode(), cookie_after(set_cookies, cookie)

    async def hammer(self, page: str, cookies: list[bytes], at_once: int) -> None:
        """See ``Site``."""
        for start in range(0, len(cookies), at_once):
            batch = enumerate(cookies[start : start + at_once])
            if at_once == 1:
                await self._ask(0, page, cookies[start])
            else:
                await asyncio.gather(*(self._ask(n, page, cookie) for n, cookie in batch))
