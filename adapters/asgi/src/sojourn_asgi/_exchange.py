"""One request or websocket, from the load to the last commit."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sojourn import Session, SessionError, SessionManager, merge_headers

from ._types import ASGIApp, Message, Receive, Scope, Send

_STARTS = {
    "http.response.start",
    "websocket.accept",
    "websocket.http.response.start",
}
"""The messages that a header block goes out with."""

_CRASHED = 500
_UNAVAILABLE = 503
_TRY_AGAIN_LATER = 1013
"""The websocket close code of a server that is overloaded (IANA, RFC 6455 7.4)."""


class Exchange:
    """A session between its cookie and its response."""

    __slots__ = (
        "_failure",
        "_has_left",
        "_has_started",
        "_manager",
        "_receive",
        "_scope",
        "_send",
        "_session",
    )

    def __init__(
        self,
        manager: SessionManager[Any],
        session: Session[Any],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        self._manager, self._session = manager, session
        self._scope, self._receive, self._send = scope, receive, send
        self._failure: SessionError | None = None
        self._has_started = self._has_left = False

    async def request(self, app: ASGIApp) -> None:
        """Serve a request. An exception of the application drops the changes."""
        try:
            await self._load()
            await app(self._scope, self._receive, self.send)
        except Exception as error:
            if self._has_started:
                raise
            await self._finish(status=_CRASHED)
            await self._answer(error)

    async def websocket(self, app: ASGIApp) -> None:
        """Serve a websocket. Changes after the handshake go to the store when it ends."""
        status = 200
        try:
            await self._load()
            await app(self._scope, self.receive, self.send)
        except Exception as error:
            # A client that leaves surfaces as an exception of the framework's: no crash.
            status = 200 if self._has_left else _CRASHED
            if self._has_started or self._has_left:
                raise
            await self._answer(error)
        finally:
            await self._finish(status=status)

    async def _load(self) -> None:
        if not self._manager.is_open:
            await self._manager.__aenter__()  # without a lifespan, nobody says when it ends
        if self._session.pending:
            await self._session.load()

    async def receive(self) -> Message:
        """The application's ``receive`` of a websocket."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._has_left = True
        return message

    async def send(self, message: Message) -> None:
        """The application's ``send``."""
        if message["type"] in _STARTS:
            message = await self._start(message)
        try:
            await self._send(message)
        except OSError:  # what a server raises when nobody listens any more (ASGI 2.4)
            self._has_left = True
            raise

    async def _start(self, message: Message) -> Message:
        try:
            result = await self._manager.commit(
                self._session,
                status=message.get("status", 200),
                seal=message["type"] != "websocket.accept",
            )
        except SessionError as error:
            self._failure = error
            raise
        self._has_started = True
        if not result.headers:
            return message
        headers = merge_headers(message.get("headers") or (), result.headers)
        return {**message, "headers": headers}

    async def _finish(self, *, status: int) -> None:
        """Commit to the store what no response has carried."""
        with suppress(SessionError):  # reported by the core; the first error is the one to show
            await self._manager.commit(self._session, can_set_cookie=False, status=status)

    async def _answer(self, error: Exception) -> None:
        """Say that the store is down; any other error is for the server or an outer layer."""
        # A framework may have wrapped what it met while it was sending.
        cause = self._failure or error
        if not isinstance(cause, SessionError) or cause.status_code != _UNAVAILABLE:
            raise error
        for message in _refusal(self._scope):
            await self._send(message)


def _refusal(scope: Scope) -> list[Message]:
    prefix = "http.response"
    if scope["type"] == "websocket":
        prefix = "websocket.http.response"
        if prefix not in (scope.get("extensions") or {}):
            return [{"type": "websocket.close", "code": _TRY_AGAIN_LATER}]
    body = b"Service Unavailable"
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode("ascii")),
    ]
    return [
        {"type": f"{prefix}.start", "status": _UNAVAILABLE, "headers": headers},
        {"type": f"{prefix}.body", "body": body},
    ]
