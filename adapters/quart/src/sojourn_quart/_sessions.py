"""``Sessions``, the extension, and ``get_session`` for handlers."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, Unpack, cast, overload
from weakref import WeakKeyDictionary

from quart import Quart, current_app, session

from sojourn import (
    Backend,
    ConfigurationError,
    ManagerOptions,
    Session,
    SessionManager,
    Store,
    manager_of,
)

from ._interface import Interface
from ._session import QuartSession
from ._settings import make_manager
from ._websocket import uncut

M = TypeVar("M")


class Sessions(Generic[M]):
    """Sessions for Quart: ``Sessions(app, manager)``, or ``Sessions(manager).init_app(app)``.

    ``manager``: a SessionManager, or what it takes: a URL, a Store or a Backend with the manager's
    keywords. Then each application gets a manager of its own, and its settings SESSION_COOKIE_...,
    PERMANENT_SESSION_LIFETIME and SECRET_KEY stand in for ``cookie``, ``timeouts`` and ``keys``
    where those are not given. A ready manager has all of them: no setting is read.

    The store opens and closes with the application. Of several, the first one installed is
    ``quart.session``; each is reached by its own ``get_session``, and needs a cookie of its own.
    """

    @overload
    def __init__(self, app: Quart, manager: SessionManager[M], /) -> None: ...
    @overload
    def __init__(self, manager: SessionManager[M], /) -> None: ...
    @overload
    def __init__(
        self: Sessions[Any],
        app: Quart,
        store: str | Store | Backend,
        /,
        **options: Unpack[ManagerOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: Sessions[Any], store: str | Store | Backend, /, **options: Unpack[ManagerOptions]
    ) -> None: ...
    def __init__(self, *given: Any, **options: Unpack[ManagerOptions]) -> None:
        app = given[0] if given and isinstance(given[0], Quart) else None
        if len(given) != (1 if app is None else 2):
            raise ConfigurationError("Sessions(app, manager), or Sessions(manager).init_app(app)")
        self._source: SessionManager[M] | str | Store | Backend = given[-1]
        self._options = options
        if isinstance(self._source, SessionManager):
            manager_of(self._source, **options)
        self._managers: WeakKeyDictionary[Quart, SessionManager[M]] = WeakKeyDictionary()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Quart) -> None:
        """Install on this application; a second time is fine. Raises ConfigurationError.

        Settings are read now. Set ``app.websocket_class`` and ``asgi_websocket_class``, if at all,
        before.
        """
        if app in self._managers:
            return
        manager: SessionManager[M] = (
            self._source
            if isinstance(self._source, SessionManager)
            else make_manager(app, self._source, self._options)
        )
        self._managers[app] = manager
        managers = Interface.of(app).managers
        if manager not in managers:
            _check_cookie(manager, managers)
            managers.append(manager)
            _live_with(app, manager)
        app.extensions.setdefault("sojourn", self)

    @property
    def manager(self) -> SessionManager[M]:
        """The manager; the current application's, if a URL made one for each of several."""
        if isinstance(self._source, SessionManager):
            return self._source
        made = list(self._managers.values())
        manager = made[0] if len(made) == 1 else self._managers.get(_current_app())
        if manager is None:
            raise ConfigurationError("Sessions: call init_app(app) for this application first")
        return manager

    def get_session(self) -> Session[M]:
        """The session of the request or websocket at hand, typed. Asking is no look."""
        return _current().exchange.session_of(self.manager)


@overload
def get_session() -> Session[Any]: ...
@overload
def get_session(model: type[M]) -> Session[M]: ...
def get_session(model: type[Any] | None = None) -> Session[Any]:
    """What ``quart.session`` stands for, typed: ``get_session(Visit).data`` is a ``Visit``.

    Asking is no look. Raises ConfigurationError if the manager has another model, or if the
    application has no ``Sessions``.
    """
    current = _current()
    known = current.manager.model
    if model is not None and model is not known:
        has = "none" if known is None else known.__name__
        raise ConfigurationError(
            f"get_session({model.__name__}): the manager's model is {has}; "
            f"give it model={model.__name__}, or ask for the session without a model"
        )
    return current.exchange.session_of(current.manager)


def _current() -> QuartSession:
    # What the proxy stands for; RuntimeError where there is no request.
    current = cast("Any", session)._get_current_object()
    if not isinstance(current, QuartSession):
        raise ConfigurationError("get_session: call Sessions(app, ...) once at start-up")
    return current


def _current_app() -> Quart:
    app: Quart = cast("Any", current_app)._get_current_object()
    return app


def _check_cookie(manager: SessionManager[Any], others: list[SessionManager[Any]]) -> None:
    if manager.cookie.name in [other.cookie.name for other in others]:
        raise ConfigurationError(
            f"Sessions: another manager of this app has the cookie {manager.cookie.name!r}; "
            "install one Sessions only, or give the second CookieOptions(name=...)"
        )


def _live_with(app: Quart, manager: SessionManager[Any]) -> None:
    """Open and close the store with the application, as often as that is started.

    Not ``while_serving``: its generators serve one start only, and tests start one app many times.
    """

    async def open_store() -> None:
        await manager.__aenter__()

    async def close_store() -> None:
        # quart-trio may have cancelled the scope that this runs in, to stop background tasks.
        await uncut(lambda: manager.__aexit__(None, None, None))

    app.before_serving(open_store)
    app.after_serving(close_store)
