"""Litestar: bare, with Sojourn, with its own encrypted cookie and its own server-side sessions."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, get
from litestar.config.app import AppConfig
from litestar.enums import MediaType
from litestar.middleware import DefineMiddleware
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.stores.memory import MemoryStore

from sojourn_litestar import SessionPlugin

from ._data import TIMEOUTS
from ._limit import Cookie, LimitMiddleware, Memory
from ._sites import BARE_TEXT, AsgiSite

AnyRequest = Request[Any, Any, Any]


def sites(data: dict[str, Any], keys: str) -> dict[str, AsgiSite]:
    """Name to site; "litestar" is the bare framework."""
    made: dict[str, dict[str, Any]] = {
        "sojourn cookie": {"plugins": [SessionPlugin("cookie://", keys=keys, timeouts=TIMEOUTS)]},
        "sojourn memory": {"plugins": [SessionPlugin("memory://", timeouts=TIMEOUTS)]},
        "limit cookie": {"middleware": [DefineMiddleware(LimitMiddleware, store=Cookie())]},
        "limit memory": {"middleware": [DefineMiddleware(LimitMiddleware, store=Memory())]},
        "own cookie": {
            "middleware": [CookieBackendConfig(secret=b"k" * 32, secure=True).middleware]
        },
        "own memory": {
            "middleware": [ServerSideSessionConfig(secure=True).middleware],
            "stores": {"sessions": MemoryStore()},
        },
    }
    all_sites = {f"litestar + {name}": site(pages(data), more) for name, more in made.items()}
    return all_sites | {"litestar": site(bare_pages(), {})}


def site(handlers: list[Any], options: dict[str, Any]) -> AsgiSite:
    return AsgiSite(Litestar(handlers, openapi_config=None, on_app_init=[_quiet], **options))


def _quiet(config: AppConfig) -> AppConfig:
    config.logging_config = None
    return config


def pages(data: dict[str, Any]) -> list[Any]:
    @get("/none", media_type=MediaType.TEXT)
    async def none() -> str:
        return "ok"

    @get("/read", media_type=MediaType.TEXT)
    async def read(request: AnyRequest) -> str:
        return str(request.session.get("visits", 0))

    @get("/write", media_type=MediaType.TEXT)
    async def write(request: AnyRequest) -> str:
        request.session["visits"] += 1
        return "ok"

    @get("/create", media_type=MediaType.TEXT)
    async def create(request: AnyRequest) -> str:
        request.session.update(data)
        return "ok"

    return [none, read, write, create]


def bare_pages() -> list[Any]:
    def page(name: str, text: str) -> Any:
        # A page with a session asks for its request.
        @get(f"/{name}", media_type=MediaType.TEXT)
        async def answer(request: AnyRequest) -> str:  # noqa: ARG001
            return text

        @get(f"/{name}", media_type=MediaType.TEXT)
        async def plain() -> str:
            return text

        return plain if name == "none" else answer

    return [page(name, text) for name, text in BARE_TEXT.items()]
