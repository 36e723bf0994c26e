"""The middleware: who gets a session, and who is left alone."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any

from litestar.types import ASGIApp, Receive, Send

from sojourn import SessionManager

from ._access import SESSIONS, put_session
from ._exchange import Exchange, SocketExchange

OPT_OUT = "no_session"
_EXCHANGES: dict[str, type[Exchange]] = {"http": Exchange, "websocket": SocketExchange}


class SessionMiddleware:
    """Sessions for one layer of an application; ``SessionPlugin`` installs it for all of it.

    A handler with ``opt={"no_session": True}`` is left alone. Installed twice with the same
    manager, the outer one does the work.
    """

    def __init__(self, manager: SessionManager[Any], *, opt_out_key: str = OPT_OUT) -> None:
        self.manager = manager
        self.opt_out_key = opt_out_key

    def __call__(self, app: ASGIApp) -> ASGIApp:
        """The application with sessions. Litestar calls this once for each route."""
        return partial(self._serve, app)

    def _serve(self, app: ASGIApp, scope: Any, receive: Receive, send: Send) -> Awaitable[None]:
        # No coroutine of its own: whoever awaits it awaits what it returns.
        manager, outer = self.manager, scope.get(SESSIONS)
        exchange, route = _EXCHANGES.get(scope["type"]), scope.get("route_handler")
        opts_out = route is not None and route.opt.get(self.opt_out_key)
        if exchange is None or opts_out or (outer and manager in outer):
            return app(scope, receive, send)
        # Nobody looks at the headers before somebody looks at the session.
        session = manager.open(value for name, value in scope["headers"] if name == b"cookie")
        put_session(scope, manager, session)
        return exchange(manager, session, scope, receive, send).run(app)
