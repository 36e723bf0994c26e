"""The limit over Redis: the same ``GET`` and the same script over a bare asyncio protocol.

No deadlines, no cancellation, no second connection, no numbers behind the commands, no errors.
Nobody should use it. It shows what a read, and a read with a write behind it, cannot do without on
this machine's asyncio.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from hashlib import sha256
from struct import Struct
from time import time
from typing import Any

import hiredis
import msgspec
from aiohttp import web

from sojourn_redis._scripts import REPLACE, terms

from ._limit import LIVES, NAME, SUFFIX, Values

_HEADER = Struct(">dd")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[str, Any]).decode
_pack: Any = hiredis.pack_command


class Reply:
    """What a task takes for a future; unlike one, it has the task go on in the same turn."""

    _asyncio_future_blocking = False

    def __init__(self, loop: Any) -> None:
        self.get_loop = lambda: loop

    def add_done_callback(self, resume: Any, *, context: Any) -> None:
        self._resume, self._context = resume, context

    def result(self) -> Any:
        return self.value

    def take(self, value: Any) -> None:
        self.value = value
        self._context.run(self._resume, self)

    def __await__(self) -> Any:
        self._asyncio_future_blocking = True
        yield self
        return self.value


class Wire(asyncio.BufferedProtocol):
    """Commands out, replies in."""

    def __init__(self) -> None:
        self._loop, self._waiting = asyncio.get_running_loop(), deque[Reply]()
        self._reader, self._buffer = hiredis.Reader(), bytearray(65536)

    def connection_made(self, transport: Any) -> None:
        self._write = transport.write

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - asyncio's
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._reader.feed(self._buffer, 0, nbytes)
        while (reply := self._reader.gets()) is not False:
            self._waiting.popleft().take(reply)

    def ask(self, *command: Any) -> Reply:
        reply = Reply(self._loop)
        self._waiting.append(reply)
        self._write(_pack(command))
        return reply


class Rows:
    """Encoded values in a server, by the hash of what the cookie says."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._wire: Wire | None = None

    async def _connected(self) -> Wire:
        _, self._wire = await asyncio.get_running_loop().create_unix_connection(Wire, self._path)
        await self._wire.ask("SCRIPT", "LOAD", REPLACE.text)
        return self._wire

    async def load(self, header: bytes) -> tuple[float, Values] | None:
        """Version and values behind a Cookie header."""
        start = header.find(NAME)
        if start < 0:
            return None
        wire = self._wire or await self._connected()
        row = await wire.ask("GET", sha256(header[start + len(NAME) :]).digest())
        if row is None:
            return None
        version, deadline = _HEADER.unpack_from(row)
        return (version, _decode(row[16:])) if deadline > time() else None

    async def save(self, header: bytes, version: float, values: Values) -> bytes | None:
        """The Set-Cookie line for a new session's id."""
        wire, now = self._wire or await self._connected(), time()
        deadline = now + LIVES
        row = _HEADER.pack(version + 1, deadline) + _encode(values)
        if version:
            key = sha256(header[header.find(NAME) + len(NAME) :]).digest()
            numbers = terms(version, now, LIVES * 1000, deadline)
            await wire.ask("EVALSHA", REPLACE.digest, "1", key, numbers, row)
            return None
        token = os.urandom(32).hex().encode()
        await wire.ask("SET", sha256(token).digest(), row, "PX", LIVES * 1000)
        return NAME + token + SUFFIX


class LimitMiddleware:
    """Sessions that are loaded before the application, and nothing else."""

    def __init__(self, app: Any, rows: Rows) -> None:
        self._app, self._rows = app, rows

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        header = b""
        for name, value in scope["headers"]:
            if name == b"cookie":
                header = value
        version, before = await self._rows.load(header) or (0.0, {})
        session = scope["session"] = before.copy()

        async def start(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                headers.append((b"vary", b"Cookie"))
                if session != before:
                    line = await self._rows.save(header, version, session)
                    if line is not None:
                        headers.append((b"set-cookie", line))
            await send(message)

        await self._app(scope, receive, start)


def limit_of_aiohttp(rows: Rows) -> Any:
    """The same as a middleware of aiohttp; ``session_of`` gives the session."""

    @web.middleware
    async def limit(request: web.Request, handler: Any) -> Any:
        header = request.headers.get("Cookie", "").encode()
        version, before = await rows.load(header) or (0.0, {})
        session = request["session"] = before.copy()
        response = await handler(request)
        response.headers["Vary"] = "Cookie"
        if session != before:
            line = await rows.save(header, version, session)
            if line is not None:
                response.headers["Set-Cookie"] = line.decode()
        return response

    return limit


async def session_of(request: web.Request) -> Values:
    """The session of a request to aiohttp."""
    session: Values = request["session"]
    return session
