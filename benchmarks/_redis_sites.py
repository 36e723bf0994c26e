"""Server-side sessions in Redis: ours, those of each framework, and the limit, on one server."""

from __future__ import annotations

from typing import Any

import aiohttp_session
from aiohttp_session.redis_storage import RedisStorage
from litestar.middleware import DefineMiddleware
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.stores.redis import RedisStore as LitestarStore
from redis import asyncio as driver
from starlette.middleware import Middleware
from starsessions.stores.redis import RedisStore as StarsessionsStore

import sojourn_aiohttp
from sojourn import SessionManager
from sojourn_litestar import SessionPlugin

from . import _aiohttp, _litestar, _starlette
from ._connection import AiohttpSite
from ._redis_limit import LimitMiddleware, Rows, limit_of_aiohttp, session_of
from ._sites import Site

_driver: Any = driver  # parts of it have no types

PEERS = {
    "starlette + starsessions redis": "starlette",
    "litestar + own redis": "litestar",
    "aiohttp + aiohttp-session redis": "aiohttp",
}
"""Whose sessions, and on which framework ours are measured beside them."""


def sites(
    data: dict[str, Any], managers: dict[str, SessionManager[Any]], path: str
) -> dict[str, Site]:
    """Name to site: each framework bare, with ours, with its peer, and with the limit.

    ``path``: of the server's socket.
    """
    url, rows, connect = f"unix://{path}", Rows(path), _driver.Redis.from_url
    return {
        **_on_starlette(data, managers["starlette"], StarsessionsStore(url), rows),
        **_on_litestar(data, managers["litestar"], LitestarStore(connect(url)), rows),
        **_on_aiohttp(data, managers["aiohttp"], RedisStorage(connect(url)), rows),
    }


def _on_starlette(
    data: dict[str, Any], manager: SessionManager[Any], store: Any, rows: Rows
) -> dict[str, Site]:
    pages, site = _starlette.pages(data), _starlette.site
    return {
        "starlette": site(_starlette.bare_pages(), []),
        "starlette + sojourn redis": site(pages, [_starlette.sojourn(manager)]),
        "starlette + starsessions redis": site(pages, _starlette.starsessions(store)),
        "starlette + limit redis": site(pages, [Middleware(LimitMiddleware, rows=rows)]),
    }


def _on_litestar(
    data: dict[str, Any], manager: SessionManager[Any], store: Any, rows: Rows
) -> dict[str, Site]:
    pages, site = _litestar.pages(data), _litestar.site
    own = ServerSideSessionConfig(secure=True).middleware
    limit = DefineMiddleware(LimitMiddleware, rows=rows)
    return {
        "litestar": site(_litestar.bare_pages(), {}),
        "litestar + sojourn redis": site(pages, {"plugins": [SessionPlugin(manager)]}),
        "litestar + own redis": site(pages, {"middleware": [own], "stores": {"sessions": store}}),
        "litestar + limit redis": site(pages, {"middleware": [limit]}),
    }


def _on_aiohttp(
    data: dict[str, Any], manager: SessionManager[Any], store: Any, rows: Rows
) -> dict[str, Site]:
    ours = _aiohttp.application(_aiohttp.pages(data, sojourn_aiohttp.get_session))
    sojourn_aiohttp.setup(ours, manager)
    peer = _aiohttp.application(_aiohttp.pages(data, aiohttp_session.get_session))
    aiohttp_session.setup(peer, store)
    limit = _aiohttp.application(_aiohttp.pages(data, session_of))
    limit.middlewares.append(limit_of_aiohttp(rows))
    return {
        "aiohttp": AiohttpSite(_aiohttp.application(_aiohttp.bare_pages())),
        "aiohttp + sojourn redis": AiohttpSite(ours),
        "aiohttp + aiohttp-session redis": AiohttpSite(peer),
        "aiohttp + limit redis": AiohttpSite(limit),
    }
