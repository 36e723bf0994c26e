"""``setup`` for an application, ``get_session`` for its handlers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, TypeVar, Unpack, overload

from aiohttp import web
from aiohttp.typedefs import Handler

from sojourn import (
    Backend,
    ConfigurationError,
    CookieOptions,
    ManagerOptions,
    Session,
    SessionManager,
    Store,
    manager_of,
)

from ._exchange import FAILED, Exchange

M = TypeVar("M")

MANAGER: web.AppKey[SessionManager[Any]] = web.AppKey("MANAGER", SessionManager)
"""An application's manager, the first one of several: ``request.config_dict[MANAGER]``."""

_MANAGERS: web.AppKey[list[SessionManager[Any]]] = web.AppKey("MANAGERS", list)
_EXCHANGE: web.RequestKey[Exchange] = web.RequestKey("EXCHANGE", Exchange)
"""Of the outermost application that has sessions."""


def setup(
    app: web.Application,
    manager: SessionManager[Any] | str | Store | Backend,
    **options: Unpack[ManagerOptions],
) -> SessionManager[Any]:
    """Give the application and its sub-applications sessions; returns the manager.

    ``manager`` is a SessionManager, or a store's URL with the manager's ``options``. Its store
    opens and closes with the application. Its middleware becomes the outermost one so far, so that
    the others find a session and may change it.

    Several managers are fine, as long as their cookies differ, and so is one manager both on an
    application and on its sub-application. Raises ConfigurationError, also when it is too late:
    the application has started, or was added to another one.
    """
    sessions = manager_of(manager, **options)
    if app.pre_frozen:
        raise ConfigurationError("setup(app, manager): call it before add_subapp and before start")
    managers = app.setdefault(_MANAGERS, [])
    if sessions not in managers:
        _check_cookies(sessions, managers)
        managers.append(sessions)
        _install(app, sessions)
    return sessions


def _check_cookies(manager: SessionManager[Any], others: Sequence[SessionManager[Any]]) -> None:
    if _jar_key(manager.cookie) in [_jar_key(other.cookie) for other in others]:
        raise ConfigurationError(
            f"setup: another manager of this application has the cookie {manager.cookie.name!r}; "
            "give one of them CookieOptions(name=...)"
        )


def _jar_key(cookie: CookieOptions) -> tuple[str | None, ...]:
    """What a browser tells cookies apart by (RFC 6265 5.3, step 11)."""
    return cookie.name, cookie.domain, cookie.path


def _install(app: web.Application, manager: SessionManager[Any]) -> None:
    hooks = _Hooks(manager)
    app.setdefault(MANAGER, manager)
    app.middlewares.insert(0, hooks.middleware)
    app.on_response_prepare.append(hooks.on_response_prepare)
    app.cleanup_ctx.append(manager.lifespan)


class _Hooks:
    """Where aiohttp calls us."""

    def __init__(self, manager: SessionManager[Any]) -> None:
        self._manager = manager

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        exchange = Exchange(self._manager)
        # Most requests come empty, and to ask for a key that is missing costs an exception.
        outermost = request.get(_EXCHANGE) if len(request) else None
        if outermost is None:
            request[_EXCHANGE] = exchange
        elif not outermost.join(exchange):  # set up on an application above this one as well
            return await handler(request)
        try:
            response = await handler(request)
        except (Exception, asyncio.CancelledError) as error:
            await exchange.fail(request, error)
            raise
        if exchange.session is None:
            exchange.is_over = True
        else:
            # A handler without a return statement gets aiohttp's own 500.
            await exchange.finish(getattr(response, "status", FAILED))
        return response

    async def on_response_prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        try:
            exchange = request[_EXCHANGE]
        except KeyError:  # answered before our middleware was reached
            return
        if exchange.manager is not self._manager:
            found = exchange.of(self._manager)
            if found is None:
                return
            exchange = found
        if exchange.session is not None:
            await exchange.begin(exchange.session, response)
        elif not exchange.is_over:
            exchange.status = response.status


@overload
async def get_session(request: web.Request) -> Session[Any]: ...
@overload
async def get_session(request: web.Request, manager: SessionManager[M]) -> Session[M]: ...
async def get_session(
    request: web.Request, manager: SessionManager[Any] | None = None
) -> Session[Any]:
    """The session of this request: always the same object.

    A store that has to be awaited is asked here, the first time, and never for a request that does
    not get here. Without ``manager``, it is the nearest application's; of several, the first that
    was set up. Raises StoreUnavailableError, and ConfigurationError where no session can be.
    """
    exchange = _exchange_of(request, manager)
    session = exchange.session
    if session is None:
        session = exchange.open(request)
    if session.pending:
        await session.load()
    return session


def _exchange_of(request: web.Request, manager: SessionManager[Any] | None) -> Exchange:
    try:
        exchange = request[_EXCHANGE]
        if manager is None and exchange.inner is None:
            return exchange
        found = exchange.of(manager or request.config_dict[MANAGER])
    except KeyError:
        found = None
    if found is None:
        raise ConfigurationError(
            "get_session(request): this application has no such sessions; call setup(app, manager) "
            "for it, or for one above it, and add middlewares that use sessions inside of ours"
        )
    return found
