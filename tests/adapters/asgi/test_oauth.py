"""Authlib's OAuth login over ``request.session``, unchanged, with a provider in this process."""

from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from authlib.integrations.starlette_client import OAuth, OAuthError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sojourn import SessionManager
from sojourn_asgi import SessionMiddleware, get_session
from sojourn_memory import MemoryStore

pytestmark = pytest.mark.anyio

APP, PROVIDER = "https://app.test", "https://provider.test"


async def authorize(request: Request) -> Response:
    """The provider's page; the user has agreed already."""
    given = request.query_params
    return RedirectResponse(f"{given['redirect_uri']}?code=c0de&state={given['state']}")


async def token(request: Request) -> Response:
    """The provider's back door."""
    form = parse_qs((await request.body()).decode())
    assert form["code"] == ["c0de"]
    assert "code_verifier" in form
    return JSONResponse({"access_token": "t0ken", "token_type": "Bearer"})


provider = Starlette(
    routes=[Route("/authorize", authorize), Route("/token", token, methods=["POST"])]
)


def make_oauth() -> OAuth:
    """Authlib as its documentation sets it up; only the provider's transport is ours."""
    oauth = OAuth()
    oauth.register(
        "local",
        client_id="app",
        client_secret="secret",
        authorize_url=f"{PROVIDER}/authorize",
        access_token_url=f"{PROVIDER}/token",
        client_kwargs={
            "code_challenge_method": "S256",
            "transport": httpx2.ASGITransport(provider),
        },
    )
    return oauth


oauth = make_oauth()


async def login(request: Request) -> Response:
    """Off to the provider."""
    request.session["cart"] = ["book"]
    get_session(request).flash("notice", "welcome")
    return await oauth.local.authorize_redirect(request, f"{APP}/callback")


async def callback(request: Request) -> Response:
    """Back from the provider."""
    try:
        answer = await oauth.local.authorize_access_token(request)
    except OAuthError as error:
        return JSONResponse({"error": error.error}, status_code=400)
    get_session(request).bind("ada")
    return JSONResponse(answer["access_token"])


async def account(request: Request) -> Response:
    """What the session holds, flash values aside."""
    session = get_session(request)
    return JSONResponse({"owner": session.owner, "keys": sorted(session)})


def make_client(store: MemoryStore) -> httpx2.AsyncClient:
    """A browser at the application."""
    app = Starlette(
        routes=[Route("/login", login), Route("/callback", callback), Route("/account", account)],
        middleware=[Middleware(SessionMiddleware, manager=SessionManager(store))],
    )
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=APP)


async def at_provider(url: str) -> str:
    """Go to the provider, and give the path that it sends the browser back to."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(provider)) as browser:
        back = urlsplit((await browser.get(url)).headers["location"])
    return f"{back.path}?{back.query}"


async def test_login():
    """The state survives the way to the provider and back, and is gone after it."""
    async with make_client(MemoryStore()) as client:
        away = await client.get("/login")
        before = client.cookies["__Host-session"]
        back = await client.get(await at_provider(away.headers["location"]))
        seen = (await client.get("/account")).json()
        assert client.cookies["__Host-session"] != before
    assert (away.status_code, back.status_code, back.json()) == (302, 200, "t0ken")
    assert seen["owner"] == "ada"
    assert "cart" in seen["keys"]
    assert not any(key.startswith("_state_") for key in seen["keys"])


async def test_another_visitor():
    """The callback of one visitor's login is worth nothing in another visitor's browser."""
    store = MemoryStore()
    async with make_client(store) as victim, make_client(store) as attacker:
        away = await attacker.get("/login")
        stolen = await victim.get(await at_provider(away.headers["location"]))
    assert (stolen.status_code, stolen.json()) == (400, {"error": "mismatching_state"})


async def test_replay():
    """A callback works once."""
    async with make_client(MemoryStore()) as client:
        path = await at_provider((await client.get("/login")).headers["location"])
        statuses = [(await client.get(path)).status_code for _ in range(2)]
    assert statuses == [200, 400]


async def test_flash_is_read():
    """Authlib calls ``dict(session)``, which reads a flash value as ``[]`` does."""
    async with make_client(MemoryStore()) as client:
        path = await at_provider((await client.get("/login")).headers["location"])
        assert "notice" in (await client.get("/account")).json()["keys"]
        await client.get(path)
        assert "notice" not in (await client.get("/account")).json()["keys"]
