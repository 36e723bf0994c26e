"""A websocket client that shows the handshake's headers and leaves when a test says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import wsproto
from anyio.abc import SocketStream
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    RejectConnection,
    Request,
    TextMessage,
)


class Socket:
    """One connection; ``answer`` is what the server said to the handshake."""

    answer: AcceptConnection | RejectConnection

    def __init__(self, stream: SocketStream) -> None:
        self._stream = stream
        self._protocol = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        self._events: list[Event] = []

    async def shake(self, path: str, cookie: str) -> None:
        """Ask for a websocket."""
        headers: list[Any] = [(b"Cookie", cookie.encode())] if cookie else []
        await self._write(Request(host="127.0.0.1", target=path, extra_headers=headers))
        answer = await self._next()
        assert isinstance(answer, AcceptConnection | RejectConnection), answer
        self.answer = answer

    @property
    def cookies(self) -> list[str]:
        """The Set-Cookie lines of the handshake's answer."""
        headers = (
            self.answer.extra_headers
            if isinstance(self.answer, AcceptConnection)
            else self.answer.headers
        )
        return [value.decode() for name, value in headers if name.lower() == b"set-cookie"]

    async def send(self, text: str) -> None:
        """One message."""
        await self._write(TextMessage(data=text))

    async def receive(self) -> str | int:
        """The next message, or the code with which the server closed."""
        event = await self._next()
        return event.data if isinstance(event, TextMessage) else event.code  # type: ignore[attr-defined]

    async def leave(self) -> None:
        """Close the connection from this side."""
        await self._write(CloseConnection(code=1000))

    async def _write(self, event: Event) -> None:
        await self._stream.send(self._protocol.send(event))

    async def _next(self) -> Event:
        while not self._events:
            self._protocol.receive_data(await self._stream.receive())
            self._events.extend(self._protocol.events())
        return self._events.pop(0)


@asynccontextmanager
async def connect(port: int, path: str, cookie: str = "") -> AsyncIterator[Socket]:
    """A websocket to this path, cut off at the end without a word."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        client = Socket(stream)
        await client.shake(path, cookie)
        yield client
