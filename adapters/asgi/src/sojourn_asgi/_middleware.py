"""``SessionMiddleware``: loads before the application, commits before the header block goes out."""

from __future__ import annotations

from typing import Any, Unpack

from sojourn import Backend, ManagerOptions, SessionManager, Store, manager_of

from ._access import has_session, put_session
from ._exchange import Exchange, SocketExchange
from ._lifespan import Lifespan
from ._types import ASGIApp, Receive, Scope, Send


class SessionMiddleware:
    """Sessions for an ASGI 3 application: ``SessionMiddleware(app, manager)``.

    - ``manager``: a SessionManager, or a URL, Store or Backend with SessionManager's keywords.

    The store opens and closes with the application's lifespan; where there is none, it opens at the
    first request. Installed twice with the same manager, the outer one does the work.
    """

    def __init__(
        self,
        app: ASGIApp,
        manager: SessionManager[Any] | str | Store | Backend,
        **options: Unpack[ManagerOptions],
    ) -> None:
        self.app = app
        self.manager: SessionManager[Any] = manager_of(manager, **options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await Lifespan(self.app, self.manager)(scope, receive, send)
        elif kind not in ("http", "websocket") or has_session(scope, self.manager):
            await self.app(scope, receive, send)
        else:
            cookies = [value for name, value in scope["headers"] if name == b"cookie"]
            session = self.manager.open(cookies)
            put_session(scope, self.manager, session)
            exchange = Exchange if kind == "http" else SocketExchange
            await exchange(self.manager, session, send).run(self.app, scope, receive)
