"""Starlette: bare, with Sojourn, with its own signed cookie, with starsessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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

from ._data import TIMEOUTS
from ._limit import Cookie, LimitMiddleware, Memory
from ._sites import BARE_TEXT, AsgiSite

SECRET = "benchmarks-only-benchmarks-only-"

Page = Callable[[Request], Awaitable[Response]]
Pages = dict[str, Page]


def sites(data: dict[str, Any], keys: str) -> dict[str, AsgiSite]:
    """Name to site; "starlette" is the bare framework."""
    made = {
        "sojourn cookie": [sojourn(SessionManager("cookie://", keys=keys, timeouts=TIMEOUTS))],
        "sojourn memory": [sojourn(SessionManager("memory://", timeouts=TIMEOUTS))],
        "limit cookie": [Middleware(LimitMiddleware, store=Cookie())],
        "limit memory": [Middleware(LimitMiddleware, store=Memory())],
        "signed cookie": [Middleware(SignedCookie, secret_key=SECRET)],
        "starsessions cookie": starsessions(CookieStore(secret_key=SECRET)),
        "starsessions memory": starsessions(InMemoryStore()),
    }
    all_sites = {
        f"starlette + {name}": site(pages(data), middleware) for name, middleware in made.items()
    }
    return all_sites | {"starlette": site(bare_pages(), [])}


def sojourn(manager: SessionManager[Any]) -> Middleware:
    return Middleware(SessionMiddleware, manager=manager)


def starsessions(store: Any) -> list[Middleware]:
    return [
        Middleware(Starsessions, store=store, cookie_https_only=True, lifetime=3600),
        Middleware(SessionAutoloadMiddleware),
    ]


def site(pages: Pages, middleware: list[Middleware]) -> AsgiSite:
    routes = [Route(f"/{name}", page) for name, page in pages.items()]
    return AsgiSite(Starlette(routes=routes, middleware=middleware))


def pages(data: dict[str, Any]) -> Pages:
    async def none(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def read(request: Request) -> Response:
        return PlainTextResponse(str(request.session.get("visits", 0)))

    async def write(request: Request) -> Response:
        request.session["visits"] += 1
        return PlainTextResponse("ok")

    async def create(request: Request) -> Response:
        request.session.update(data)
        return PlainTextResponse("ok")

    return {"none": none, "read": read, "write": write, "create": create}


def bare_pages() -> Pages:
    def page(text: str) -> Page:
        async def answer(_request: Request) -> Response:
            return PlainTextResponse(text)

        return answer

    return {name: page(text) for name, text in BARE_TEXT.items()}
