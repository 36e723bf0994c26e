"""``SessionDep`` in FastAPI."""

from typing import Annotated

import httpx2
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, WebSocket
from msgspec import Struct
from pydantic import BaseModel

from sojourn import CookieOptions, Session, SessionManager
from sojourn.testing import in_process
from sojourn_asgi import SessionMiddleware
from sojourn_asgi.fastapi import CurrentSession, SessionDep

from ._recording import Recording

pytestmark = pytest.mark.anyio


class Visit(Struct):
    n: int = 0


class Item(BaseModel):
    price: int


admins = SessionManager(Recording(), model=Visit, cookie=CookieOptions(name="admin"))
router = APIRouter()
AdminSession = Annotated[Session[Visit], Depends(CurrentSession(admins))]


def make_manager(**options) -> SessionManager[Visit]:
    """A manager with a store of its own."""
    return SessionManager(Recording(**options), model=Visit)


async def counted(session: SessionDep) -> int:
    """A dependency that changes the session before the handler."""
    session["dependency"] = session.get("dependency", 0) + 1
    return session["dependency"]


async def watched(session: SessionDep):
    """A dependency that ends after the response, or with the handler's error."""
    session["before"] = True
    try:
        yield session
    except HTTPException:
        session["refused"] = True
        raise


@router.get("/plain")
async def plain(session: SessionDep) -> int:
    """Counts."""
    session["n"] = session.get("n", 0) + 1
    return session["n"]


@router.get("/sync")
def sync(session: SessionDep) -> int:
    """Counts in a thread."""
    session["n"] = session.get("n", 0) + 1
    return session["n"]


@router.get("/untouched")
async def untouched(session: SessionDep) -> str:
    """Declares the session, and does not look."""
    return "untouched"


@router.get("/admin")
async def admin(session: AdminSession) -> int:
    """Counts with the other manager."""
    session.data.n += 1
    return session.data.n


@router.get("/counted")
async def count(number: Annotated[int, Depends(counted)], session: SessionDep) -> list[int]:
    """Sees what its dependency did."""
    return [number, session["dependency"]]


@router.get("/watched")
async def watch(session: Annotated[Session, Depends(watched)], *, refuse: bool = False) -> str:
    """Answers or refuses."""
    if refuse:
        raise HTTPException(403, "no")
    return "yes"


@router.post("/items")
async def add(item: Item, number: Annotated[int, Depends(counted)]) -> int:
    """Takes a body."""
    return item.price


@router.get("/router/typed")
async def typed(session: SessionDep[Visit]) -> int:
    """Counts by the model."""
    session.data.n += 1
    return session.data.n


@router.websocket("/ws")
async def ws(websocket: WebSocket, session: SessionDep[Visit]) -> None:
    """Counts, and echoes."""
    session.data.n += 1
    await websocket.accept()
    await websocket.send_text(f"{await websocket.receive_text()} {session.data.n}")


def make_app(manager: SessionManager[Visit]) -> FastAPI:
    """An application with two managers."""
    app = FastAPI(docs_url=None)
    # The one that is added first is the innermost, whose session is the usual one.
    app.add_middleware(SessionMiddleware, manager=manager)
    app.add_middleware(SessionMiddleware, manager=admins)
    app.include_router(router)
    return app


def make_client(app) -> httpx2.AsyncClient:
    """A browser at the application."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="https://localhost")


@pytest.fixture
async def client():
    """A browser at an application whose store is open."""
    manager = make_manager()
    async with manager, admins, make_client(make_app(manager)) as client:
        yield client


@pytest.mark.parametrize("path", ["/plain", "/sync", "/router/typed"])
async def test_values_come_back(client, path):
    """A plain, a threaded and a typed handler get the session of their visitor."""
    assert [(await client.get(path)).json() for _ in range(3)] == [1, 2, 3]


async def test_untouched(client):
    """A handler that only declares the session costs no cookie and no ``Vary``."""
    reply = await client.get("/untouched")
    assert "set-cookie" not in reply.headers
    assert "vary" not in reply.headers


async def test_two_managers(client):
    """A dependency made for one manager gets that manager's session."""
    await client.get("/plain")
    assert [(await client.get("/admin")).json() for _ in range(2)] == [1, 2]
    assert set(client.cookies) == {"__Host-session", "admin"}


async def test_dependencies_share(client):
    """All dependencies and the handler of a request have the same session."""
    assert (await client.get("/counted")).json() == [1, 1]
    assert (await client.get("/counted")).json() == [2, 2]


async def test_yield_dependency(client):
    """What a ``yield`` dependency changes before the response is kept."""
    assert (await client.get("/watched")).status_code == 200
    assert "__Host-session" in client.cookies


async def test_yield_dependency_of_a_refusal():
    """What a ``yield`` dependency changes when the handler refuses is kept, too."""
    manager = make_manager()
    async with manager, admins, make_client(make_app(manager)) as client:
        assert (await client.get("/watched?refuse=true")).status_code == 403
        session = await manager.load(
            [f"__Host-session={client.cookies['__Host-session']}".encode()]
        )
    assert dict(session) == {"before": True, "refused": True}


async def test_validation_error(client):
    """A 422 is a response like others: what dependencies changed before it is kept."""
    reply = await client.post("/items", json={"price": "much"})
    assert reply.status_code == 422
    assert (await client.get("/counted")).json() == [2, 2]


async def test_store_is_down():
    """A commit that fails gives 503, and no cookie."""
    store = Recording()
    async with in_process(make_app(SessionManager(store, model=Visit))) as client:
        store.is_down = True
        reply = await client.request("GET", "/plain", [])
    assert (reply.status, reply.all("Set-Cookie")) == (503, [])


async def test_websocket():
    """A websocket's handler gets the session by the same annotation."""
    async with in_process(make_app(make_manager())) as client:
        async with client.websocket("/ws", []) as socket:
            (cookie,) = socket.handshake.all("Set-Cookie")
            assert await socket.ask("hello") == "hello 1"
        headers = [(b"Cookie", cookie.split(";")[0].encode("ascii"))]
        assert (await client.request("GET", "/router/typed", headers)).text == "2"


def test_openapi():
    """The API's description has the cookies as security schemes, and no stray parameters."""
    described = make_app(make_manager()).openapi()
    schemes = described["components"]["securitySchemes"]
    assert schemes == {
        name: {"type": "apiKey", "in": "cookie", "name": name}
        for name in ("__Host-session", "admin")
    }
    operations = {path: next(iter(item.values())) for path, item in described["paths"].items()}
    for path, operation in operations.items():
        names = [parameter["name"] for parameter in operation.get("parameters", ())]
        assert names == (["refuse"] if path == "/watched" else [])
    assert operations["/plain"]["security"] == [{"__Host-session": []}]
    assert operations["/admin"]["security"] == [{"admin": []}]
    assert "requestBody" not in operations["/plain"]


async def test_no_middleware():
    """Without the middleware the error says what to add."""
    app = FastAPI()

    @app.get("/")
    async def index(session: SessionDep) -> str:
        return "never"

    with pytest.raises(Exception, match="no SessionMiddleware of this manager saw this request"):
        await make_client(app).get("/")
