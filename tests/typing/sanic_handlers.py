"""What type checkers make of handlers on Sanic; nothing here runs."""

from typing import Any, assert_type

from msgspec import Struct
from sanic import HTTPResponse, Request, Sanic, text

from sojourn import Session, SessionManager
from sojourn_sanic import Sessions, get_session


class Visit(Struct):
    visits: int = 0


class Cart(Struct):
    items: list[str] = []


app: Sanic[Any, Any] = Sanic("typed")
visits = SessionManager("memory://", model=Visit)
typed = Sessions(app, visits)
assert_type(typed.manager, SessionManager[Visit])


@app.get("/annotated")
async def annotated(request: Request) -> HTTPResponse:
    """The annotation says which."""
    assert_type(await get_session(request), Session[Any])
    session: Session[Visit] = await get_session(request)
    assert_type(session.data.visits, int)
    return text(str(session.data.visits))


@app.get("/by-sessions")
async def by_sessions(request: Request) -> HTTPResponse:
    """The extension knows its manager's model, and a wrong annotation is noticed."""
    session = await typed.get_session(request)
    assert_type(session, Session[Visit])
    session.data.visits = "1"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    cart: Session[Cart] = await typed.get_session(request)  # type: ignore[assignment] # pyright: ignore[reportAssignmentType]
    return text(str(cart.data.items))
