"""Server-side sessions in Redis: ours, and those of each framework, on the same server."""

from __future__ import annotations

from typing import Any

import aiohttp_session
from aiohttp_session.redis_storage import RedisStorage
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.stores.redis import RedisStore as LitestarStore
from redis import asyncio as driver
from starsessions.stores.redis import RedisStore as StarsessionsStore

import sojourn_aiohttp
from sojourn import SessionManager
from sojourn_litestar import SessionPlugin

from . import _aiohttp, _litestar, _starlette
from ._connection import AiohttpSite
from ._sites import Site

PEERS = {
    "starlette + starsessions redis": "starlette",
    "litestar + own redis": "litestar",
    "aiohttp + aiohttp-session redis": "aiohttp",
}
"""Whose sessions, and on which framework ours are measured beside them."""


def sites(
    data: dict[str, Any], managers: dict[str, SessionManager[Any]], url: str
) -> dict[str, Site]:
    """Name to site: each framework bare, with ours, and with its peer."""
    connect: Any = driver.Redis.from_url
    return {
        **_on_starlette(data, managers["starlette"], StarsessionsStore(url)),
        **_on_litestar(data, managers["litestar"], LitestarStore(connect(url))),
        **_on_aiohttp(data, managers["aiohttp"], RedisStorage(connect(url))),
    }


def _on_starlette(
    data: dict[str, Any], manager: SessionManager[Any], store: Any
) -> dict[str, Site]:
    pages, site = _starlette.pages(data), _starlette.site
    return {
        "starlette": site(_starlette.bare_pages(), []),
        "starlette + sojourn redis": site(pages, [_starlette.sojourn(manager)]),
        "starlette + starsessions redis": site(pages, _starlette.starsessions(store)),
    }


def _on_litestar(data: dict[str, Any], manager: SessionManager[Any], store: Any) -> dict[str, Site]:
    pages, site = _litestar.pages(data), _litestar.site
    own = ServerSideSessionConfig(secure=True).middleware
    return {
        "litestar": site(_litestar.bare_pages(), {}),
        "litestar + sojourn redis": site(pages, {"plugins": [SessionPlugin(manager)]}),
        "litestar + own redis": site(pages, {"middleware": [own], "stores": {"sessions": store}}),
    }


def _on_aiohttp(data: dict[str, Any], manager: SessionManager[Any], store: Any) -> dict[str, Site]:
    ours = _aiohttp.application(_aiohttp.pages(data, sojourn_aiohttp.get_session))
    sojourn_aiohttp.setup(ours, manager)
    peer = _aiohttp.application(_aiohttp.pages(data, aiohttp_session.get_session))
    aiohttp_session.setup(peer, store)
    return {
        "aiohttp": AiohttpSite(_aiohttp.application(_aiohttp.bare_pages())),
        "aiohttp + sojourn redis": AiohttpSite(ours),
        "aiohttp + aiohttp-session redis": AiohttpSite(peer),
    }
