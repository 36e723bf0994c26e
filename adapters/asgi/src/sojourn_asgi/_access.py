"""Where a request's session is kept, and how to get at it."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar, overload

from sojourn import ConfigurationError, Session, SessionManager

from ._types import Scope

M = TypeVar("M")

SESSION = "session"
"""Where Starlette's ``request.session`` looks; of several managers, the innermost one's."""

_SESSIONS = "sojourn.sessions"
"""All managers of this scope with their sessions."""


class HasScope(Protocol):
    """A request or websocket of Starlette, FastAPI, Falcon, BlackSheep and others."""

    @property
    def scope(self) -> Scope:
        """The ASGI scope."""
        ...


@overload
def get_session(connection: Scope | HasScope, manager: SessionManager[M]) -> Session[M]: ...
@overload
def get_session(connection: Scope | HasScope, manager: None = None) -> Session[Any]: ...
def get_session(
    connection: Scope | HasScope, manager: SessionManager[Any] | None = None
) -> Session[Any]:
    """The session of this request, websocket or ASGI scope; asking is no look.

    ``manager``: whose session, where several are installed; it also tells the type checker the
    model. Raises ConfigurationError if the middleware did not see this request.
    """
    # A request may be a mapping of its scope, so the attribute decides.
    given: Any = connection
    scope: Scope = getattr(given, "scope", given)
    session = scope.get(SESSION) if manager is None else scope.get(_SESSIONS, {}).get(manager)
    if session is not None and _is_ours(session):
        found: Session[Any] = session
        return found
    raise ConfigurationError(
        "get_session: no SessionMiddleware of this manager saw this request; add it to the "
        "application, or to one that this application is mounted in"
    )


def _is_ours(session: object) -> bool:
    """Another middleware's session may stand in the same place."""
    return isinstance(session, Session)


def has_session(scope: Scope, manager: SessionManager[Any]) -> bool:
    """Whether an outer middleware of the same manager was here before."""
    return _SESSIONS in scope and manager in scope[_SESSIONS]


def put_session(scope: Scope, manager: SessionManager[Any]) -> Session[Any]:
    """The session of this scope, where the application finds it too."""
    # Nobody looks at the headers before somebody looks at the session.
    session = manager.open(value for name, value in scope["headers"] if name == b"cookie")
    outer = scope.get(_SESSIONS)
    # A mounted application's scope is a shallow copy: what the outer one has must not change.
    scope[_SESSIONS] = {manager: session} if outer is None else {**outer, manager: session}
    scope[SESSION] = session
    return session
