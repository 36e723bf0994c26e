"""What type checkers make of handlers on Quart; nothing here runs."""

from typing import Any, assert_type

from msgspec import Struct
from quart import Quart, session

from sojourn import CookieOptions, Session, SessionManager
from sojourn_quart import Sessions, get_session


class Visit(Struct):
    visits: int = 0


class Cart(Struct):
    items: list[str] = []


app = Quart(__name__)
visits = SessionManager("memory://", model=Visit)

typed = Sessions(app, visits)
assert_type(typed, Sessions[Visit])
assert_type(typed.manager, SessionManager[Visit])
assert_type(Sessions(visits), Sessions[Visit])
assert_type(Sessions(app, "memory://", deadline=1.0), Sessions[Any])
assert_type(Sessions("memory://", cookie=CookieOptions(secure=False)), Sessions[Any])
Sessions("memory://", nonsense=1)  # type: ignore[call-overload] # pyright: ignore[reportCallIssue]
Sessions(app, visits, deadline=1.0)  # type: ignore[call-overload] # pyright: ignore[reportCallIssue, reportArgumentType]
Sessions(app)  # type: ignore[call-overload] # pyright: ignore[reportCallIssue, reportArgumentType]


@app.get("/untyped")
async def untyped() -> str:
    """Quart's own name is a mapping, and get_session() has everything else."""
    session["visits"] = session.get("visits", 0) + 1
    assert_type(get_session(), Session[Any])
    get_session().flash("message", "hello")
    return str(session["visits"])


@app.get("/by-model")
async def by_model() -> str:
    """The argument says which."""
    mine = get_session(Visit)
    assert_type(mine, Session[Visit])
    mine.data.visits += 1
    mine.data.visits = "1"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    return str(mine.data.visits)


@app.get("/by-sessions")
async def by_sessions() -> str:
    """The extension knows its manager's model."""
    assert_type(typed.get_session(), Session[Visit])
    assert_type(typed.get_session().data.visits, int)
    return ""


@app.get("/annotated")
async def annotated() -> str:
    """An annotation says which, and a wrong one is noticed where the model is known."""
    mine: Session[Visit] = get_session()
    cart: Session[Cart] = get_session(Visit)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType, reportAssignmentType]
    return str(mine.data.visits) + str(cart.data.items)
