"""A client over a TCP socket: HTTP/1.1 by h11 and websockets by wsproto, header bytes as sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import h11
import wsproto
from anyio.abc import ByteStream
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

from ._adapter_client import RawHeaders, Reply

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
            head, body = None, b""
            async for event in _events(stream, connection.next_event, connection.receive_data):
                if event is None:
                    return Reply(0, [])
                if isinstance(event, h11.Response):
                    head = event
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage) and head is not None:
                    return Reply(head.status_code, list(head.headers.raw_items()), body)
        return Reply(0, [])

    @asynccontextmanager
    async def abandoned(self, path: str, headers: RawHeaders) -> AsyncIterator[None]:
        """See ``Client``."""
        async with self._connected() as stream:
            await self._send(stream, h11.Connection(h11.CLIENT), "GET", path, headers)
            yield

    @asynccontextmanager
    async def websocket(self, path: str, headers: RawHeaders) -> AsyncIterator[TCPSocket]:
        """See ``Client``."""
        async with self._connected() as stream:
            socket = TCPSocket(stream)
            await socket.open(Request(host=self._authority, target=path, extra_headers=headers))
            yield socket

    @property
    def _authority(self) -> str:
        return f"{self._host}:{self._port}"

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[ByteStream]:
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
        async for event in self._events():
            if isinstance(event, AcceptConnection):
                self.handshake = Reply(101, list(event.extra_headers))
                return
            if isinstance(event, RejectConnection):
                self.handshake = Reply(event.status_code, list(event.headers))
                if not event.has_body:
                    return
            elif not isinstance(event, RejectData) or event.body_finished:
                return

    async def ask(self, text: str) -> str | None:
        """See ``Socket``."""
        await self._stream.send(self._connection.send(TextMessage(data=text)))
        async for event in self._events():
            if isinstance(event, TextMessage):
                return str(event.data)
            if isinstance(event, CloseConnection):
                await self._stream.send(self._connection.send(event.response()))
                return None
            if event is None:
                return None
        return None

    async def _events(self) -> AsyncIterator[Any]:
        while True:
            for event in self._connection.events():
                yield event
            data = await _received(self._stream)
            if not data:
                yield None
                return
            self._connection.receive_data(data)


async def _events(
    stream: ByteStream, next_event: Callable[[], Any], receive_data: Callable[[bytes], None]
) -> AsyncIterator[Any]:
    """The events of a response; None where the connection is dropped."""
    while True:
        try:
            event = next_event()
        except h11.RemoteProtocolError:
            yield None
            return
        if event is h11.NEED_DATA:
            receive_data(await _received(stream))
        else:
            yield event if isinstance(event, h11.Event) else None


async def _received(stream: ByteStream) -> bytes:
    try:
        return await stream.receive(_CHUNK)
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return b""
