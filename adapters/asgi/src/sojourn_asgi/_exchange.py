"""One request or websocket, from the load to the last commit."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from sojourn import Session, SessionError, SessionManager, merge_headers

from ._types import ASGIApp, Message, Receive, Scope, Send

_SEALS = {
    "http.response.start": True,
    "websocket.accept": False,
    "websocket.http.response.start": True,
}
"""What begins a header block; whether changes after it come too late for the store as well."""
_ACCEPTED = 200
"""What stands for the status of a message that has none."""
_CRASHED = 500
_UNAVAILABLE = 503
_TRY_AGAIN_LATER = 1013
"""The websocket close code of a server that is overloaded (IANA, RFC 6455 7.4)."""


class Exchange:
    """A session between its cookie and its response."""

    # Class attributes are the defaults: a request that touches nothing pays for three assignments.
    _failure: SessionError | None = None
    _has_started = False

    def __init__(self, manager: SessionManager[Any], session: Session[Any], send: Send) -> None:
        self._manager, self._session, self._send = manager, session, send

    @property
    def has_to_wait(self) -> bool:
        """Whether ``prepare`` has anything to do."""
        return not self._manager.is_open or self._session.pending

    async def prepare(self) -> None:
        """Open the store and load the session, where that was not done yet."""
        if not self._manager.is_open:
            await self._manager.__aenter__()  # without a lifespan, nobody says when it ends
        if self._session.pending:
            await self._session.load()

    async def send(self, message: Message) -> None:
        """The application's ``send``."""
        seal = _SEALS.get(message["type"])
        if seal is not None:
            manager, session = self._manager, self._session
            status = message.get("status", _ACCEPTED)
            try:
                result = manager.commit_nowait(session, status=status, seal=seal)
                if result is None:
                    result = await manager.commit_waiting(session, seal=seal)
            except SessionError as error:
                self._failure = error
                raise
            self._has_started = True
            if result.headers:
                headers = merge_headers(message.get("headers") or (), result.headers)
                message = {**message, "headers": headers}
        await self._send(message)

    async def fail(self, scope: Scope, error: Exception) -> None:
        """The application raised: drop the changes, and answer if it is because of the store."""
        if self._has_started:
            raise error
        await self._finish(status=_CRASHED)
        await self._answer(scope, error)

    async def _finish(self, *, status: int) -> None:
        """Commit to the store what no response has carried."""
        with suppress(SessionError):  # reported by the core; the first error is the one to show
            await self._manager.commit(self._session, can_set_cookie=False, status=status)

    async def _answer(self, scope: Scope, error: Exception) -> None:
        """Say that the store is down; any other error is for the server or an outer layer."""
        # A framework may have wrapped what it met while it was sending.
        cause = self._failure or error
        if not isinstance(cause, SessionError) or cause.status_code != _UNAVAILABLE:
            raise error
        for message in _refusal(scope):
            await self._send(message)


class SocketExchange(Exchange):
    """A session between its cookie, a websocket's handshake, and the websocket's end."""

    _has_left = False

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        """Serve a websocket. Changes after the handshake go to the store when it ends."""
        status = _ACCEPTED

        async def receive_here() -> Message:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                self._has_left = True
            return message

        try:
            await self.prepare()
            await app(scope, receive_here, self.send)
        except Exception as error:
            # A client that leaves surfaces as an exception of the framework's: no crash.
            status = _ACCEPTED if self._has_left else _CRASHED
            if self._has_started or self._has_left:
                raise
            await self._answer(scope, error)
        finally:
            await self._finish(status=status)

    async def send(self, message: Message) -> None:
        """The application's ``send``."""
        try:
            await super().send(message)
        except OSError:  # what a server raises when nobody listens any more (ASGI 2.4)
            self._has_left = True
            raise


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
