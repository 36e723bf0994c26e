"""The adapter: Sanic's request and response middleware, listeners, and two signals.

Sanic runs response middleware inside ``request.respond()``, before any byte, streams included. It
swallows what a response middleware raises, so a failed commit becomes an error response here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from inspect import isawaitable
from typing import Any, Generic, TypeVar, Unpack, cast

from sanic import HTTPResponse, Request, Sanic
from sanic.exceptions import SanicException
from sanic.http import Stage
from sanic.log import logger

from sojourn import (
    Backend,
    CommitResult,
    ConfigurationError,
    ManagerOptions,
    Session,
    SessionError,
    SessionManager,
    Store,
    apply_headers,
    manager_of,
)

from . import _injection

M = TypeVar("M")
App = Sanic[Any, Any]

_EARLY = _LATE = 100
"""Request middleware of higher priority runs earlier, and response middleware later."""


class Sessions(Generic[M]):
    """Sessions for one Sanic application; opens and closes the store with each worker.

    ``manager``: a SessionManager, or what it takes: a URL, a Store or a Backend with the manager's
    keywords. The first one installed is ``request.ctx.session``; a second one, with a cookie of its
    own, is reached by its ``get_session``.

    A websocket's handshake precedes its handler, and Sanic gives no way to add a header to it: such
    a session must exist already, and is written when the handler ends or at ``session.commit()``.
    """

    def __init__(
        self,
        app: App,
        manager: SessionManager[M] | str | Store | Backend,
        **options: Unpack[ManagerOptions],
    ) -> None:
        self.manager: SessionManager[M] = manager_of(manager, **options)
        self._key = f"sojourn:{self.manager.cookie.name}"
        self._last_words: set[asyncio.Task[None]] = set()
        if hasattr(app.ctx, self._key):
            raise ConfigurationError(
                f"Sessions: this app has sessions with the cookie {self.manager.cookie.name!r} "
                "already; install them once, or give the second manager another cookie name"
            )
        setattr(app.ctx, self._key, self)
        if not hasattr(app.ctx, "sessions"):
            app.ctx.sessions = self
        self._install(app)

    def _install(self, app: Any) -> None:
        app.register_middleware(self._on_request, "request", priority=_EARLY)
        app.register_middleware(self._on_response, "response", priority=_LATE)
        app.register_listener(self._warn_of_workers, "main_process_start")
        app.register_listener(self._open, "before_server_start")
        # Requests in flight commit until the server has stopped.
        app.register_listener(self._close, "after_server_stop")
        app.add_signal(self._repair, "http.lifecycle.response")
        app.add_signal(self._watch_websocket, "websocket.handler.before")
        app.add_signal(self._drop_changes, "websocket.handler.exception")
        _injection.install(app, self)

    # One request

    async def get_session(self, request: Request) -> Session[M]:
        """The request's session, loaded. Raises StoreUnavailableError."""
        session: Session[M] | None = getattr(request.ctx, self._key, None)
        if session is None:
            # Sanic decodes header bytes in this way, so this gives back what the client sent.
            lines = cast("list[str]", request.headers.getall("cookie", []))
            session = self.manager.open([line.encode("utf-8", "surrogateescape") for line in lines])
            setattr(request.ctx, self._key, session)
            if request.app.ctx.sessions is self:
                request.ctx.session = session
        if session.pending:
            await session.load()
        return session

    async def _on_request(self, request: Request) -> None:
        await self.get_session(request)

    async def _on_response(self, request: Request, response: Any) -> HTTPResponse | None:
        session: Session[M] | None = getattr(request.ctx, self._key, None)
        if session is None:
            return None
        try:
            result = self.manager.commit_nowait(session, status=response.status)
            if result is None:
                result = await self.manager.commit_waiting(session)
            self._merge(response, result)
        except Exception as error:  # noqa: BLE001 - Sanic would swallow it and answer 200
            instead = await _error_response(request, error)
            self._merge(instead, await self.manager.commit(session, status=instead.status))
            # Sent at once, so that a handler that streams cannot write its body into this page.
            if request.stream is not None:
                request.stream.respond(instead)
                await instead.send(end_stream=True)
            return instead
        return None

    @staticmethod
    def _merge(response: Any, result: CommitResult) -> None:
        if not result.headers:
            return
        headers = response.headers
        existing: Callable[[str], list[str]] = lambda name: headers.getall(name, [])  # noqa: E731
        apply_headers(
            result.headers, existing=existing, replace=headers.__setitem__, add=headers.add
        )

    async def _repair(self, request: Request, response: Any, **_: Any) -> None:
        """Commit what has passed no response middleware of ours.

        Sanic runs none for the error page of a handler that responded and then raised, nor after
        one of the application's that gave a response of its own.
        """
        session: Session[M] | None = getattr(request.ctx, self._key, None)
        stream = request.stream
        if session is None or stream is None:
            return
        if stream.stage is not Stage.HANDLER:  # a stream, which is under way
            await self.manager.commit(session, can_set_cookie=False, status=response.status)
            return
        result = await self.manager.commit(session, status=response.status)
        lines = [value for name, value in result.headers if name == "Set-Cookie"]
        if any(line not in response.headers.getall("set-cookie", []) for line in lines):
            self._merge(response, result)

    # Websockets

    async def _watch_websocket(self, request: Request, **_: Any) -> None:
        """Write the session when the handler ends, also if the client left first.

        Sanic cancels the handler then and tells nobody; only the task's end is certain.
        """
        session = await self.get_session(request)
        await self.manager.commit(session, can_set_cookie=False, seal=False)
        task = asyncio.current_task()
        if task is not None:
            task.add_done_callback(lambda _: self._finish(session))

    async def _drop_changes(self, request: Request, **_: Any) -> None:
        """Commit as for a 500: an unhandled error drops what was not committed."""
        session = await self.get_session(request)
        await self.manager.commit(session, can_set_cookie=False, status=500)

    def _finish(self, session: Session[M]) -> None:
        task = asyncio.ensure_future(self._commit_last(session))
        self._last_words.add(task)
        task.add_done_callback(self._last_words.discard)

    async def _commit_last(self, session: Session[M]) -> None:
        try:
            await self.manager.commit(session, can_set_cookie=False)
        except SessionError:
            logger.exception("the session of a websocket could not be written")

    # The application's life

    async def _open(self, app: App) -> None:
        handler: Any = app.error_handler
        # A handler of the application's own, for our errors or for all, has precedence. Asking
        # handler.lookup would store its answer, and adding refuse what is stored.
        if not any((kind, None) in handler.cached_handlers for kind in SessionError.__mro__):
            handler.add(SessionError, _error_page)
        await self.manager.__aenter__()

    async def _close(self, _app: App) -> None:
        await asyncio.gather(*self._last_words)
        await self.manager.__aexit__(None, None, None)

    async def _warn_of_workers(self, app: App) -> None:
        if self.manager.is_one_process and app.state.workers > 1:
            logger.warning(
                "sessions are kept in each worker's own memory, so %d workers lose them in turn; "
                "use a store that they share, such as sqlite:///sessions.db",
                app.state.workers,
            )


async def get_session(request: Request) -> Session[Any]:
    """The session of the first ``Sessions`` of this app. Raises StoreUnavailableError."""
    sessions: Sessions[Any] | None = getattr(request.app.ctx, "sessions", None)
    if sessions is None:
        raise ConfigurationError("get_session: call Sessions(app, ...) once at start-up")
    return await sessions.get_session(request)


async def _error_response(request: Request, error: Exception) -> HTTPResponse:
    """The application's own error page for this error."""
    handler: Any = request.app.error_handler
    response = handler.response(request, error)
    return cast("HTTPResponse", await response if isawaitable(response) else response)


def _error_page(request: Request, error: SessionError) -> HTTPResponse:
    """Sanic's own page with the error's status; the reason is for the log, not for the client."""
    handler: Any = request.app.error_handler
    handler.log(request, error)
    page = SanicException(status_code=error.status_code, quiet=True)
    return cast("HTTPResponse", handler.default(request, page))
