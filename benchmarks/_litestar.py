"""Litestar: bare, with Sojourn, with its own encrypted cookie and its own server-side sessions."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, get
from litestar.config.app import AppConfig
from litestar.enums import MediaType
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.stores.memory import MemoryStore

from sojourn import SessionManager
from sojourn_litestar import SessionPlugin

from ._sites import AsgiSite

AnyRequest = Request[Any, Any, Any]


def sites(data: dict[str, Any], keys: str) -> dict[str, AsgiSite]:
    """Name to site; "litestar" is the bare framework."""
    stores = {"sessions": MemoryStore()}
    made: dict[str, dict[str, Any]] = {
        "litestar": {},
        "litestar sojourn cookie": {
            "plugins": [SessionPlugin(SessionManager("cookie://", keys=keys))]
        },
        "litestar sojourn memory": {"plugins": [SessionPlugin(SessionManager("memory://"))]},
        "litestar own cookie": {
            "middleware": [CookieBackendConfig(secret=b"k" * 32, secure=True).middleware]
        },
        "litestar own memory": {
            "middleware": [ServerSideSessionConfig(secure=True).middleware],
            "stores": stores,
        },
    }
    return {name: AsgiSite(_app(data, options)) for name, options in made.items()}


def _app(data: dict[str, Any], options: dict[str, Any]) -> Litestar:
    @get("/none", media_type=MediaType.TEXT)
    async def none() -> str:
        return "ok"

    @get("/read", media_type=MediaType.TEXT)
    async def read(request: AnyRequest) -> str:
        return str(request.session["visits"])

    @get("/write", media_type=MediaType.TEXT)
    async def write(request: AnyRequest) -> str:
        request.session["visits"] += 1
        return "ok"

    @get("/create", media_type=MediaType.TEXT)
    async def create(request: AnyRequest) -> str:
        request.session.update(data)
        return "ok"

    def quiet(config: AppConfig) -> AppConfig:
        config.logging_config = None
        return config

    handlers = [none, read, write, create]
    return Litestar(handlers, openapi_config=None, on_app_init=[quiet], **options)
