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
        """The manager. Several applications with a URL have several: then the current one's."""
        distinct = set(self._managers.values())
        ...

    def get_session(self) -> Session[M]:
        """This request's or websocket's session, typed. Raises StoreUnavailableError."""
        return _current().exchange.session_of(self.manager)
