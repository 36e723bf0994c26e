"""A client that calls an ASGI application in this process: the messages as they are."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import anyio.lowlevel
from anyio.streams.memory import MemoryObjectReceiveStream

from ._adapter_client import Leave, RawHeaders, Reply

Message = MutableMapping[str, Any]
App = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[object],
]

_PATIENCE = 20.0
_SERVER_MADE = 500
"""What a server answers when an application raises before it has answered."""


class ASGIClient:
    """See ``Client``."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def request(self, method: str, path: str, headers: RawHeaders) -> Reply:
        """See ``Client``."""
        async with self._called(_scope("http", path, headers, method)) as call:
            call.put({"type": "http.request", "body": b"", "more_body": False})
            await call.ended.wait()
        reply = call.reply("http.response")
        # What a server does for the application (ASGI, "Response Body").
        return Reply(reply.status, reply.headers) if method == "HEAD" else reply

    @asynccontextmanager
    async def abandoned(self, path: str, headers: RawHeaders) -> AsyncGenerator[Leave]:
        """See ``Client``."""
        async with self._called(_scope("http", path, headers, "GET")) as call:
            call.put({"type": "http.request", "body": b"", "more_body": False})
            yield call.leave

    @asynccontextmanager
    async def websocket(self, path: str, headers: RawHeaders) -> AsyncGenerator[ASGISocket]:
        """See ``Client``."""
        async with self._called(_scope("websocket", path, headers)) as call:
            call.put({"type": "websocket.connect"})
            socket = ASGISocket(call)
            await socket.open()
            yield socket
            call.put({"type": "websocket.disconnect", "code": 1006})

    @asynccontextmanager
    async def _called(self, scope: Message) -> AsyncGenerator[Call]:
        call = Call()
        with anyio.fail_after(_PATIENCE):
            async with anyio.create_task_group() as group:
                group.start_soon(call.run, self._app, scope)
                try:
                    yield call
                    await call.ended.wait()
                finally:
                    group.cancel_scope.cancel()
                    call.outbox.close()


class Call:
    """One call of the application: what it is told, and what it says."""

    def __init__(self) -> None:
        self._inbox, self._unread = anyio.create_memory_object_stream[Message](100)
        self._said, self.outbox = anyio.create_memory_object_stream[Message](10_000)
        self.sent: list[Message] = []
        self.ended = anyio.Event()

    def put(self, message: Message) -> None:
        """Tell the application something, if it still listens."""
        with suppress(anyio.ClosedResourceError):
            self._inbox.send_nowait(message)

    async def leave(self) -> None:
        """What a server tells when the client has left."""
        self.put({"type": "http.disconnect"})
        await anyio.lowlevel.checkpoint()

    async def run(self, app: App, scope: Message) -> None:
        """Call the application; an exception of its own is what a server would log."""
        try:
            with suppress(Exception):
                await app(scope, self._unread.receive, self._send)
        finally:
            for stream in (self._inbox, self._unread, self._said):
                stream.close()
            self.ended.set()

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
        self._said.send_nowait(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            # ASGI, "Disconnect": also what an application hears that listens after its response.
            self.put({"type": "http.disconnect"})

    def reply(self, prefix: str) -> Reply:
        """The response that was said."""
        start = next((m for m in self.sent if m["type"] == f"{prefix}.start"), None)
        if start is None:
            return Reply(_SERVER_MADE, [])
        body = b"".join(m.get("body", b"") for m in self.sent if m["type"] == f"{prefix}.body")
        return Reply(start["status"], list(start.get("headers", ())), body)


class ASGISocket:
    """See ``Socket``."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.handshake = Reply(0, [])

    async def open(self) -> None:
        """Wait for the answer to the handshake."""
        message = await _next(self._call.outbox)
        match message["type"]:
            case "websocket.accept":
                self.handshake = Reply(101, list(message.get("headers", ())))
            case "websocket.http.response.start":
                await self._call.ended.wait()
                self.handshake = self._call.reply("websocket.http.response")
            case "websocket.close":
                self.handshake = Reply(403, [])  # ASGI, "Close": 403 if sent before accept
            case _:
                self.handshake = Reply(_SERVER_MADE, [])

    async def ask(self, text: str) -> str | None:
        """See ``Socket``."""
        self._call.put({"type": "websocket.receive", "text": text})
        message = await _next(self._call.outbox)
        return message["text"] if message["type"] == "websocket.send" else None


async def _next(outbox: MemoryObjectReceiveStream[Message]) -> Message:
    try:
        return await outbox.receive()
    except anyio.EndOfStream:
        return {"type": "ended"}


def _scope(kind: str, path: str, headers: RawHeaders, method: str | None = None) -> Message:
    scope: Message = {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "path": path,
        "raw_path": path.encode("ascii"),
        "query_string": b"",
        "root_path": "",
        # Servers give names in lower case (ASGI, "HTTP Connection Scope").
        "headers": [(b"host", b"localhost"), *((n.lower(), v) for n, v in headers)],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
        "state": {},
        "extensions": {},
    }
    if method is not None:
        scope["method"] = method
    else:
        scope["subprotocols"] = []
        scope["extensions"] = {"websocket.http.response": {}}
    return scope
