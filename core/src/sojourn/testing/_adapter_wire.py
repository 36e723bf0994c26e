"""A client over a TCP socket: HTTP/1.1 by h11 and websockets by wsproto, header bytes as sent."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import h11
import wsproto
from anyio.abc import ByteStream
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    RejectConnection,
    Request,
    TextMessage,
)

from ._adapter_client import Leave, RawHeaders, Reply

_PATIENCE = 20.0
_CHUNK = 65536


class TCPClient:
    """See ``Client``: each request has a connection of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    async def request(self, method: str, path: str, headers: RawHeaders) -> Reply:
        """See ``Client``."""
        connection = h11.Connection(h11.CLIENT)
        async with self._connected() as stream:
            await self._send(stream, connection, method, path, headers)
            try:
                return await _read_reply(stream, connection)
            except h11.RemoteProtocolError:
                return Reply(0, [])

    @asynccontextmanager
    async def abandoned(self, path: str, headers: RawHeaders) -> AsyncGenerator[Leave]:
        """See ``Client``."""
        async with self._connected() as stream:
            await self._send(stream, h11.Connection(h11.CLIENT), "GET", path, headers)
            yield stream.aclose

    @asynccontextmanager
    async def websocket(self, path: str, headers: RawHeaders) -> AsyncGenerator[TCPSocket]:
        """See ``Client``."""
        async with self._connected() as stream:
            socket = TCPSocket(stream)
            await socket.open(Request(host=self._authority, target=path, extra_headers=headers))
            yield socket

    @property
    def _authority(self) -> str:
        return f"{self._host}:{self._port}"

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[ByteStream]:
        with anyio.fail_after(_PATIENCE):
            async with await anyio.connect_tcp(self._host, self._port) as stream:
                yield stream

    async def _send(
        self,
        stream: ByteStream,
        connection: h11.Connection,
        method: str,
        path: str,
        headers: RawHeaders,
    ) -> None:
        host = (b"Host", self._authority.encode("ascii"))
        request = h11.Request(
            method=method, target=path, headers=[host, (b"Connection", b"close"), *headers]
        )
        data = (connection.send(request) or b"") + (connection.send(h11.EndOfMessage()) or b"")
        await stream.send(data)


class TCPSocket:
    """See ``Socket``."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._connection = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)
        self.handshake = Reply(0, [])

    async def open(self, request: Request) -> None:
        """Send the handshake, and read the answer to it."""
        await self._stream.send(self._connection.send(request))
        event = await self._next()
        if isinstance(event, AcceptConnection):
            self.handshake = Reply(101, list(event.extra_headers))
        elif isinstance(event, RejectConnection):
            self.handshake = Reply(event.status_code, list(event.headers))

    async def ask(self, text: str) -> str | None:
        """See ``Socket``."""
        await self._stream.send(self._connection.send(TextMessage(data=text)))
        event = await self._next()
        if isinstance(event, CloseConnection):
            await self._stream.send(self._connection.send(event.response()))
        return str(event.data) if isinstance(event, TextMessage) else None

    async def _next(self) -> Event | None:
        """The next event; None where the connection is dropped."""
        while True:
            for event in self._connection.events():
                return event
            data = await _received(self._stream)
            if not data:
                return None
            self._connection.receive_data(data)


async def _read_reply(stream: ByteStream, connection: h11.Connection) -> Reply:
    head, body = None, b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await _received(stream))
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return Reply(head.status_code, list(head.headers.raw_items()), body)
        elif not isinstance(event, h11.InformationalResponse):
            return Reply(0, [])


async def _received(stream: ByteStream) -> bytes:
    try:
        return await stream.receive(_CHUNK)
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return b""
