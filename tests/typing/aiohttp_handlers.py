"""What type checkers make of handlers on aiohttp; nothing here runs."""

from typing import Any, assert_type

from aiohttp import web
from msgspec import Struct

from sojourn import Session, SessionManager
from sojourn_aiohttp import MANAGER, get_session, setup


class Visit(Struct):
    visits: int = 0


class Cart(Struct):
    items: list[str] = []


visits = SessionManager("memory://", model=Visit)
app = web.Application()

assert_type(setup(app, visits), SessionManager[Any])
assert_type(setup(app, "memory://", model=Visit, deadline=1.0), SessionManager[Any])
assert_type(app[MANAGER], SessionManager[Any])
setup(app, visits, nonsense=1)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


async def untyped(request: web.Request) -> web.Response:
    """Without a model."""
    session = await get_session(request)
    assert_type(session, Session[Any])
    session["visits"] = session.get("visits", 0) + 1
    return web.Response(text=str(session["visits"]))


async def annotated(request: web.Request) -> web.Response:
    """The annotation says which."""
    session: Session[Visit] = await get_session(request)
    assert_type(session.data.visits, int)
    return web.Response()


async def by_manager(request: web.Request) -> web.Response:
    """The manager says which."""
    session = await get_session(request, visits)
    assert_type(session, Session[Visit])
    session.data.visits += 1
    session.data.visits = "1"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    return web.Response()


async def another_model(request: web.Request) -> web.Response:
    """A wrong annotation is noticed."""
    session: Session[Cart] = await get_session(request, visits)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType, reportAssignmentType]
    return web.json_response(session.data.items)
