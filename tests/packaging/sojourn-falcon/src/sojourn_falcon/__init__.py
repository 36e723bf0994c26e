"""Sojourn's sessions for Falcon's ASGI applications: ``Sessions(app, manager)``.

Handlers get theirs by ``get_session(req)``. Websockets have none.
"""

from __future__ import annotations

from typing import Any, Unpack

from falcon.asgi import App, Request, Response

from sojourn import (
    Backend,
    ConfigurationError,
    ManagerOptions,
    Session,
    SessionError,
    SessionManager,
    Store,
    apply_headers,
    manager_of,
)


class Sessions:
    """A Falcon middleware: loads before the handler, commits before the headers go out."""

    def __init__(
        self,
        app: App[Any, Any],
        manager: SessionManager[Any] | str | Store | Backend,
        **options: Unpack[ManagerOptions],
    ) -> None:
        self.manager: SessionManager[Any] = manager_of(manager, **options)
        app.add_middleware(self)
        app.add_error_handler(SessionError, refuse)

    async def process_startup(self, scope: object, event: object) -> None:
        await self.manager.__aenter__()

    async def process_shutdown(self, scope: object, event: object) -> None:
        await self.manager.__aexit__(None, None, None)

    async def process_request(self, req: Request, resp: Response) -> None:
        exchanges = exchanges_of(req)
        if self.manager not in exchanges:  # installed twice, the first one does the work
            cookies = [value for name, value in req.scope["headers"] if name == b"cookie"]
            session = self.manager.open(cookies)
            exchanges[self.manager] = self, session
            if session.pending:
                await session.load()

    async def process_response(
        self, req: Request, resp: Response, resource: object, req_succeeded: bool
    ) -> None:
        does_it, session = exchanges_of(req)[self.manager]
        if does_it is self:
            result = await self.manager.commit(session, status=resp.status_code)
            apply_headers(
                result.headers,
                existing=lambda name: filter(None, [resp.get_header(name)]),
                replace=resp.set_header,
                add=resp.append_header,
            )


async def refuse(
    req: Request, resp: Response, error: SessionError, params: object, **more: object
) -> None:
    """The answer when a load or a commit failed: nothing of what the handler made goes out."""
    for name in list(resp.headers):
        resp.delete_header(name)
    resp.data = resp.media = resp.stream = resp.sse = None
    resp.status, resp.text = error.status_code, "The session is not available."


Exchanges = dict[SessionManager[Any], tuple[Sessions, Session[Any]]]


def exchanges_of(req: Request) -> Exchanges:
    """The sessions of this request by manager, each with the middleware that commits it."""
    exchanges: Exchanges = req.context.setdefault("sojourn", {})  # type: ignore[assignment]
    return exchanges


def get_session(req: Request, manager: SessionManager[Any] | None = None) -> Session[Any]:
    """The session of this request; ``manager``: of which, where there are several."""
    exchanges = exchanges_of(req)
    chosen = manager or next(iter(exchanges), None)
    if chosen not in exchanges:
        raise ConfigurationError("get_session(req): call Sessions(app, manager) for this app first")
    return exchanges[chosen][1]
