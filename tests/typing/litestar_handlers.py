"""What type checkers make of handlers on Litestar; nothing here runs."""

from typing import Any, assert_type

from litestar import Litestar, Request, WebSocket, get, websocket
from msgspec import Struct

from sojourn import CookieOptions, Session, SessionManager
from sojourn_litestar import SessionDep, SessionMiddleware, SessionPlugin, get_session


class Visit(Struct):
    visits: int = 0


class Cart(Struct):
    items: list[str] = []


visits = SessionManager("memory://", model=Visit)

SessionPlugin("memory://", deadline=1.0, cookie=CookieOptions(secure=False))
SessionPlugin("memory://", nonsense=1)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


@get("/untyped")
async def untyped(session: SessionDep) -> str:
    """Without a model."""
    assert_type(session, Session[Any])
    session["visits"] = session.get("visits", 0) + 1
    return str(session["visits"])


@get("/typed")
async def typed(session: SessionDep[Visit]) -> int:
    """With a model."""
    assert_type(session, Session[Visit])
    session.data.visits = "1"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    return session.data.visits


@get("/by-manager")
async def by_manager(request: Request[Any, Any, Any]) -> int:
    """The manager says which."""
    session = get_session(request, visits)
    assert_type(session, Session[Visit])
    assert_type(get_session(request), Session[Any])
    return session.data.visits


@get("/another-model")
async def another_model(request: Request[Any, Any, Any]) -> list[str]:
    """A wrong annotation is noticed."""
    session: Session[Cart] = get_session(request, visits)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType, reportAssignmentType]
    return session.data.items


@websocket("/socket")
async def socket(socket: WebSocket[Any, Any, Any], session: SessionDep[Visit]) -> None:
    """A websocket has the same."""
    assert_type(get_session(socket, visits), Session[Visit])
    assert_type(session.data, Visit)


app = Litestar(
    [untyped, typed, by_manager, another_model, socket],
    plugins=[SessionPlugin(visits)],
    middleware=[SessionMiddleware(visits)],
)
