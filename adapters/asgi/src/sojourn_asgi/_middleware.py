"""``SessionMiddleware``: loads before the application, commits before the header block goes out."""

from __future__ import annotations

from typing import Any, Unpack

from sojourn import Backend, ManagerOptions, SessionManager, Store, manager_of

from ._access import has_session, put_session
from ._exchange import Exchange, SocketExchange
from ._lifespan import Lifespan
from ._types import ASGIApp, Receive, Scope, Send

_EXCHANGES: dict[str, type[Exchange]] = {"http": Exchange, "websocket": SocketExchange}


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
        manager, kind = self.manager, scope["type"]
        exchange = _EXCHANGES.get(kind)
        if exchange is not None and not has_session(scope, manager):
            session = manager.open([value for name, value in scope["headers"] if name == b"cookie"])
            put_session(scope, manager, session)
            await exchange(manager, session, send).run(self.app, scope, receive)
        elif kind == "lifespan":
            await Lifespan(self.app, manager)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
