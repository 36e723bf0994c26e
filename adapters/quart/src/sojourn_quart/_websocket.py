"""Websockets: the cookie goes out with the handshake, and the last word is never lost.

Quart cancels the handler of a client that left, and calls nothing of a session's then. So two of
the application's classes are extended, whatever they are: quart-trio has its own.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from quart import current_app, got_websocket_exception, websocket
from quart.asgi import ASGIWebsocketConnection
from quart.wrappers import Websocket
from werkzeug.datastructures import Headers

from sojourn import SessionError

from ._exchange import Exchange

_Headers = dict[Any, Any] | Headers | None

_EXCHANGE = "sojourn.exchange"
"""Where the connection's ASGI scope has it."""

_SWITCHING = 101
_LEFT = 200
_CRASHED = 500


def extend(app: Any) -> None:
    """Let the application's websockets carry sessions."""
    app.websocket_class = _both(SessionWebsocket, app.websocket_class)
    app.asgi_websocket_class = _both(SessionConnection, app.asgi_websocket_class)
    got_websocket_exception.connect(_note_crash, app)


def _both(ours: type[Any], theirs: type[Any]) -> type[Any]:
    if issubclass(theirs, ours):  # made for another application, and extended since
        return theirs
    return type(theirs.__name__, (ours, theirs), {})


class SessionWebsocket(Websocket):
    """A websocket that sets the cookie when it is accepted."""

    exchange: Exchange | None = None
    _handshake: Any = None

    def join(self, exchange: Exchange) -> None:
        """Take these sessions along; a denial carries a cookie if the server can answer so."""
        scope: Any = self.scope
        self.exchange = scope[_EXCHANGE] = exchange
        exchange.can_set_cookie = "websocket.http.response" in (scope.get("extensions") or {})

    async def accept(self, headers: _Headers = None, subprotocol: str | None = None) -> None:
        """Accept, with the cookie. Quart calls this for each message, and from several tasks."""
        exchange = self.exchange
        if exchange is None or exchange.is_accepted:
            await super().accept(headers, subprotocol)  # pyright: ignore[reportUnknownMemberType]
            return
        self._handshake = self._handshake or current_app.lock_class()
        # Another task must not accept without the cookie while this one writes.
        async with self._handshake:
            if not exchange.is_accepted:
                headers = await self._committed(exchange, headers)
            await super().accept(headers, subprotocol)  # pyright: ignore[reportUnknownMemberType]
            exchange.is_accepted = True

    async def _committed(self, exchange: Exchange, own: _Headers) -> _Headers:
        # The handshake of older ASGI servers has no headers.
        scope: Any = self.scope
        version = scope.get("asgi", {}).get("spec_version", "2.0")
        exchange.can_set_cookie = [int(part) for part in version.split(".")] > [2, 0]
        headers = Headers(own or ())
        await exchange.commit(headers, status=_SWITCHING, seal=False)
        return headers if exchange.can_set_cookie else own


class SessionConnection(ASGIWebsocketConnection):
    """A connection that writes the session when it ends, however it ends."""

    _tasks: tuple[asyncio.Task[Any], ...] = ()

    async def __call__(self, receive: Any, send: Any) -> None:
        """Serve the connection; a server that stops cancels this, and nothing inside."""
        try:
            await super().__call__(receive, send)
        finally:
            await uncut(self._end)

    # The arguments are Quart's or quart-trio's.

    async def handle_messages(self, *arguments: Any, **named: Any) -> None:
        """One of the connection's two tasks."""
        self._tasks += _running()
        await super().handle_messages(*arguments, **named)

    async def handle_websocket(self, *arguments: Any, **named: Any) -> None:
        """One of the connection's two tasks."""
        self._tasks += _running()
        await super().handle_websocket(*arguments, **named)

    async def _end(self) -> None:
        if left := [task for task in self._tasks if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        scope: Any = self.scope
        # Of a handler that ended in Quart's own way, nothing is left to write.
        if _EXCHANGE in scope:
            await self._finish(scope[_EXCHANGE])

    async def _finish(self, exchange: Exchange) -> None:
        try:
            await exchange.finish(_CRASHED if exchange.has_crashed else _LEFT)
        except SessionError:
            self.app.logger.exception("the session of a websocket could not be written")


def _running() -> tuple[asyncio.Task[Any], ...]:
    """The task of asyncio that calls this; trio's end with their nursery."""
    task = None if _is_trio() else asyncio.current_task()
    return () if task is None else (task,)


def _is_trio() -> bool:
    trio = sys.modules.get("trio")
    return trio is not None and bool(trio.lowlevel.in_trio_task())


async def _note_crash(_app: Any, **_: Any) -> None:
    """Quart may show the error in its own way, and only here can we tell it from a client's end."""
    exchange: Exchange | None = getattr(websocket, "exchange", None)
    if exchange is not None:
        exchange.has_crashed = True


async def uncut(function: Callable[[], Awaitable[None]]) -> None:
    """Run the function to its end, although the handler is cancelled when the client leaves."""
    if _is_trio():
        with sys.modules["trio"].CancelScope(shield=True):
            return await function()
    # Quart cancels asyncio's tasks natively, which no cancel scope keeps out.
    task = asyncio.ensure_future(function())
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
