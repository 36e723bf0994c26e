"""Server-side sessions in Redis: ours, and those of each framework, on the same server."""

from __future__ import annotations

from typing import Any

import aiohttp_session
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from aiohttp_session.redis_storage import RedisStorage
from litestar.middleware.session.server_side import ServerSideSessionConfig
from litestar.stores.redis import RedisStore as LitestarStore
from multidict import CIMultiDict
from redis import asyncio as driver
from starsessions.stores.redis import RedisStore as StarsessionsStore

import sojourn_aiohttp
from sojourn import SessionManager
from sojourn_litestar import SessionPlugin

from . import _aiohttp, _litestar, _starlette
from ._sites import AsgiSite, Site

PEERS = {"starsessions": "starlette", "litestar own": "litestar", "aiohttp-session": "aiohttp"}
"""Whose sessions, and on which framework ours are measured beside them."""


def sites(
    data: dict[str, Any], managers: dict[str, SessionManager[Any]], url: str
) -> dict[str, Site]:
    """Name to site: each framework bare, with ours ("<framework> sojourn"), and with its peer."""
    connect: Any = driver.Redis.from_url
    return {
        "starlette": AsgiSite(_starlette._app([], data)),
        "starlette sojourn": AsgiSite(
            _starlette._app([_starlette._sojourn(managers["starlette"])], data)
        ),
        "starsessions": AsgiSite(
            _starlette._app(_starlette._starsessions(StarsessionsStore(url)), data)
        ),
        "litestar": AsgiSite(_litestar._app(data, {})),
        "litestar sojourn": AsgiSite(
            _litestar._app(data, {"plugins": [SessionPlugin(managers["litestar"])]})
        ),
        "litestar own": AsgiSite(
            _litestar._app(
                data,
                {
                    "middleware": [ServerSideSessionConfig(secure=True).middleware],
                    "stores": {"sessions": LitestarStore(connect(url))},
                },
            )
        ),
        "aiohttp": LeanSite(_aiohttp._app(data, aiohttp_session.get_session)),
        "aiohttp sojourn": _ours_on_aiohttp(data, managers["aiohttp"]),
        "aiohttp-session": _peer_on_aiohttp(data, connect(url)),
    }


class LeanSite(_aiohttp.AiohttpSite):
    """The same, but for the mocks that aiohttp's helper makes anew for each request.

    They take longer than a round trip to Redis, which is what matters here.
    """

    def __init__(self, app: web.Application) -> None:
        super().__init__(app)
        self._request = make_mocked_request("GET", "/", app=app, writer=_aiohttp._WRITER)

    async def _ask(self, page: str, cookie: bytes) -> web.StreamResponse:
        headers = {"Host": "bench.example"} | ({"Cookie": cookie.decode()} if cookie else {})
        request = self._request.clone(rel_url=f"/{page}", headers=CIMultiDict(headers))
        response = await self._app._handle(request)
        await response.prepare(request)
        return response


def _ours_on_aiohttp(data: dict[str, Any], manager: SessionManager[Any]) -> Site:
    app = _aiohttp._app(data, sojourn_aiohttp.get_session)
    sojourn_aiohttp.setup(app, manager)
    return LeanSite(app)


def _peer_on_aiohttp(data: dict[str, Any], client: Any) -> Site:
    app = _aiohttp._app(data, aiohttp_session.get_session)
    aiohttp_session.setup(app, RedisStorage(client))
    return LeanSite(app)
