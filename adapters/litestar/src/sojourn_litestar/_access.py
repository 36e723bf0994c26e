"""Where a connection's session is kept, and how to get at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from sojourn import ConfigurationError, Session, SessionManager

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    M = TypeVar("M", default=Any)
else:
    from typing import TypeVar

    M = TypeVar("M")

# What we inject needs no validation, which would cost on each request.
SessionDep = NamedDependency[SkipValidation[Session[M]]]
"""A handler's session: ``session: SessionDep``, or ``session: SessionDep[MyStruct]``."""

Connection = ASGIConnection[Any, Any, Any, Any]

_SESSION = "session"
"""Where Litestar's ``request.session`` looks; of several managers, the first installed one's."""

SESSIONS = "sojourn.sessions"
"""All managers of this scope with their sessions."""


@overload
def get_session(connection: Connection, manager: SessionManager[M]) -> Session[M]: ...
@overload
def get_session(connection: Connection, manager: None = None) -> Session[Any]: ...
def get_session(connection: Connection, manager: SessionManager[Any] | None = None) -> Session[Any]:
    """The session of this request or websocket; asking is no look.

    ``manager``: whose session, where several are installed. Raises ConfigurationError if its
    middleware did not see this connection: it is not installed, or the handler opted out.
    """
    return session_in(connection.scope, manager)


def session_in(scope: Any, manager: SessionManager[Any] | None = None) -> Session[Any]:
    """The same for an ASGI scope."""
    found = sessions_of(scope)
    session = next(iter(found.values()), None) if manager is None else found.get(manager)
    if session is None:
        raise ConfigurationError(
            "this connection has no session: install SessionPlugin, and check that the handler "
            "does not opt out of it"
        )
    return session


def sessions_of(scope: Any) -> dict[SessionManager[Any], Session[Any]]:
    """The sessions of this scope, by manager, the outermost first."""
    found: dict[SessionManager[Any], Session[Any]] = scope.get(SESSIONS, {})
    return found


def put_session(scope: Any, manager: SessionManager[Any], session: Session[Any]) -> None:
    """Let handlers find the session."""
    outer = scope.get(SESSIONS)
    if not outer:
        scope[SESSIONS], scope[_SESSION] = {manager: session}, session
    else:
        # A mounted application's scope is a shallow copy: what the outer one has must not change.
        scope[SESSIONS] = {**outer, manager: session}


def replaced_session(scope: Any, session: Session[Any]) -> Any:
    """What a handler put in our session's place by Litestar's own means, or the session."""
    found = scope.get(_SESSION, session)
    if found is session:
        return session
    is_first = next(iter(sessions_of(scope).values()), None) is session
    return found if is_first else session
