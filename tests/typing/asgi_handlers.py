"""What type checkers make of handlers on Starlette and FastAPI; nothing here runs."""

from typing import Annotated, Any, assert_type

from fastapi import Depends, FastAPI
from msgspec import Struct
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

from sojourn import Session, SessionManager
from sojourn_asgi import SessionMiddleware, get_session
from sojourn_asgi.fastapi import CurrentSession, SessionDep


class Visit(Struct):
    visits: int = 0


class Cart(Struct):
    items: list[str] = []


visits = SessionManager("memory://", model=Visit)

api = FastAPI(lifespan=visits.lifespan)
api.add_middleware(SessionMiddleware, manager=visits)
api.add_middleware(SessionMiddleware, manager="memory://", model=Visit, deadline=1.0)
api.add_middleware(SessionMiddleware, manager=visits, nonsense=1)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]

app = Starlette(
    lifespan=visits.lifespan, middleware=[Middleware(SessionMiddleware, manager=visits)]
)
assert_type(SessionMiddleware(app, "memory://").manager, SessionManager[Any])
wrapped_twice = SessionMiddleware(SessionMiddleware(app, visits), "memory://")


async def untyped(request: Request) -> PlainTextResponse:
    """Without a model."""
    session = get_session(request)
    assert_type(session, Session[Any])
    session["visits"] = session.get("visits", 0) + 1
    return PlainTextResponse(str(session["visits"]))


async def annotated(request: Request) -> PlainTextResponse:
    """The annotation says which."""
    session: Session[Visit] = get_session(request)
    assert_type(session.data.visits, int)
    return PlainTextResponse()


async def by_manager(websocket: WebSocket) -> None:
    """The manager says which."""
    session = get_session(websocket, visits)
    assert_type(session, Session[Visit])
    assert_type(get_session(websocket.scope, visits), Session[Visit])
    session.data.visits += 1
    session.data.visits = "1"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]


async def another_model(request: Request) -> list[str]:
    """A wrong annotation is noticed."""
    session: Session[Cart] = get_session(request, visits)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType, reportAssignmentType]
    return session.data.items


@api.get("/")
async def plain(session: SessionDep) -> int:
    """FastAPI without a model."""
    session["visits"] = session.get("visits", 0) + 1
    return int(session["visits"])


@api.get("/typed")
async def typed(session: SessionDep[Visit]) -> int:
    """FastAPI with a model."""
    assert_type(session, Session[Visit])
    session.data.visits = "1"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    return session.data.visits


@api.get("/chosen")
async def chosen(session: Annotated[Session[Visit], Depends(CurrentSession(visits))]) -> int:
    """FastAPI with one of several managers."""
    assert_type(session.data, Visit)
    return session.data.visits
