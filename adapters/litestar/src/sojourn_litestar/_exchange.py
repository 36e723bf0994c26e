"""One request or websocket: load before the handler, commit when the header block goes out.

Litestar counts a response as started before our ``send`` sees it, so an error that is raised there
would end in the server's own page. A failed commit therefore aborts the response, which may be an
endless stream, and is answered here, by the application's exception handlers.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from litestar.types import ASGIApp, Empty, Receive, Scope, Send

from sojourn import CommitResult, Session, SessionError, SessionManager, merge_headers

from ._access import replaced_session
from ._errors import send_error

_ACCEPT = "websocket.accept"
_STARTS = {"http.response.start", _ACCEPT, "websocket.http.response.start"}
_CRASHED = 500
_CRASH_CODES = {1011, 4500}
"""Websocket close codes of an unexpected error: RFC 6455 7.4.1, and what Litestar closes with."""


class Exchange:
    """A session between its cookie and its response."""

    # Class attributes are the defaults: a request that touches nothing pays for few assignments.
    _failure: Exception | None = None
    _has_started = False

    def __init__(
        self,
        manager: SessionManager[Any],
        session: Session[Any],
        scope: Any,
        receive: Receive,
        send: Send,
    ) -> None:
        self._manager, self._session = manager, session
        self._scope, self._receive, self._send = scope, receive, send

    async def run(self, app: ASGIApp) -> None:
        """Serve a request."""
        if self._session.pending and not await self._load():
            return
        try:
            await app(self._scope, self._receive, self.send)
        except Exception:
            # Litestar wraps what it met while it was sending, and task groups do so, too.
            if self._failure is None:
                raise
        if self._failure is not None:
            await send_error(self._scope, self._receive, self._send, self._failure)

    async def _load(self) -> bool:
        """Load the session; False: the store failed, and the client was told so."""
        try:
            await self._session.load()
        except SessionError as error:
            await send_error(self._scope, self._receive, self._send, error)
            return False
        return True

    async def send(self, message: Any) -> None:
        """The handler's ``send``. Raises what the commit raised, and goes on to."""
        if self._failure is not None:
            raise self._failure  # or a stream without an end would go on for nobody
        if not self._has_started and message["type"] in _STARTS:
            self._has_started = True
            try:
                result = self._commit_nowait(message)
                if result is None:
                    seal = message["type"] != _ACCEPT
                    result = await self._manager.commit_waiting(self._session, seal=seal)
            except Exception as error:
                self._failure = error
                raise
            if result.headers:
                headers = merge_headers(message.get("headers") or (), result.headers)
                message = {**message, "headers": headers}
        await self._send(message)

    def _commit_nowait(self, message: Any) -> CommitResult | None:
        replacement = replaced_session(self._scope, self._session)
        if replacement is not self._session:
            self._obey(replacement)
        status, seal = message.get("status", 200), message["type"] != _ACCEPT
        return self._manager.commit_nowait(self._session, status=status, seal=seal)

    def _obey(self, replacement: Any) -> None:
        """``request.clear_session()`` ends the session, ``set_session(mapping)`` fills it anew."""
        if replacement is Empty:
            self._session.destroy()
        elif isinstance(replacement, Mapping):
            self._session.clear()
            self._session.update(cast("Mapping[str, Any]", replacement))
        else:
            self._session.data = replacement  # a model; refused where the manager has none
        self._scope["session"] = self._session


class SocketExchange(Exchange):
    """A session between its cookie, a websocket's handshake, and the websocket's end."""

    _has_crashed = _has_left = False

    async def run(self, app: ASGIApp) -> None:
        """Changes after the handshake go to the store, also if the client leaves first."""

        async def heard(scope: Scope, _receive: Receive, send: Send) -> None:
            await app(scope, self._receive_here, send)

        try:
            await super().run(heard)
        finally:
            status = _CRASHED if self._has_crashed and not self._has_left else 200
            with suppress(SessionError):  # told to the operator; the connection is over
                await self._manager.commit(self._session, can_set_cookie=False, status=status)

    async def _receive_here(self) -> Any:
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._has_left = True
        return message

    async def send(self, message: Any) -> None:
        """The handler's ``send``."""
        is_close = message["type"] == "websocket.close"
        if is_close:
            # Litestar answers a handler's exception inside of this middleware.
            self._has_crashed = message.get("code") in _CRASH_CODES
        try:
            await super().send(message)
        except OSError:  # what a server raises when nobody listens any more (ASGI 2.4)
            self._has_left = self._has_left or not is_close
            raise
