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
        manager, kind = self.manager, scope["type"]
        if kind == "http" and not has_session(scope, manager):
            exchange = Exchange(manager, put_session(scope, manager), send)
            try:
                if exchange.has_to_wait:
                    await exchange.prepare()
                await self.app(scope, receive, exchange.send)
            except Exception as error:  # noqa: BLE001 - raised again, unless the store is down
                await exchange.fail(scope, error)
        elif kind == "websocket" and not has_session(scope, manager):
            await SocketExchange(manager, put_session(scope, manager), send).run(
                self.app, scope, receive
            )
        elif kind == "lifespan":
            await Lifespan(self.app, manager)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
