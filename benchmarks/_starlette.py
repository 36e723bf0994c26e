"""Starlette: bare, with Sojourn, with its own signed cookie, with starsessions."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware as SignedCookie
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starsessions import InMemoryStore, SessionAutoloadMiddleware
from starsessions import SessionMiddleware as Starsessions
from starsessions.stores import CookieStore

from sojourn import SessionManager
from sojourn_asgi import SessionMiddleware

from ._sites import AsgiSite

SECRET = "benchmarks-only-benchmarks-only-"


def sites(data: dict[str, Any], keys: str) -> dict[str, AsgiSite]:
    """Name to site; "starlette" is the bare framework."""
    made = {
        "starlette": [],
        "sojourn cookie": [_sojourn(SessionManager("cookie://", keys=keys))],
        "sojourn memory": [_sojourn(SessionManager("memory://"))],
        "starlette signed cookie": [Middleware(SignedCookie, secret_key=SECRET)],
        "starsessions cookie": _starsessions(CookieStore(secret_key=SECRET)),
        "starsessions memory": _starsessions(InMemoryStore()),
    }
    return {name: AsgiSite(_app(middleware, data)) for name, middleware in made.items()}


def _sojourn(manager: SessionManager[Any]) -> Middleware:
    return Middleware(SessionMiddleware, manager=manager)


def _starsessions(store: Any) -> list[Middleware]:
    return [
        Middleware(Starsessions, store=store, cookie_https_only=True, lifetime=3600),
        Middleware(SessionAutoloadMiddleware),
    ]


def _app(middleware: list[Middleware], data: dict[str, Any]) -> Starlette:
    async def none(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def read(request: Request) -> Response:
        return PlainTextResponse(str(request.session["visits"]))

    async def write(request: Request) -> Response:
        request.session["visits"] += 1
        return PlainTextResponse("ok")

    async def create(request: Request) -> Response:
        request.session.update(data)
        return PlainTextResponse("ok")

    pages = {"/none": none, "/read": read, "/write": write, "/create": create}
    return Starlette(routes=[Route(p, h) for p, h in pages.items()], middleware=middleware)
