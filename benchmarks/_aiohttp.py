"""aiohttp: bare, with Sojourn, with aiohttp-session's two encrypted cookies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp_session
from aiohttp import hdrs, web
from aiohttp_session.cookie_storage import EncryptedCookieStorage
from aiohttp_session.nacl_storage import NaClCookieStorage

import sojourn_aiohttp
from sojourn import SessionManager

from ._connection import AiohttpSite
from ._data import TIMEOUTS
from ._limit import Cookie, Lazy, Memory
from ._sites import BARE_TEXT

Page = Callable[[web.Request], Awaitable[web.Response]]
Pages = dict[str, Page]


def sites(data: dict[str, Any], keys: str) -> dict[str, AiohttpSite]:
    """Name to site; "aiohttp" is the bare framework."""
    made = {"aiohttp": application(bare_pages())}
    for name, options in {"cookie": {"keys": keys}, "memory": {}}.items():
        app = made[f"aiohttp + sojourn {name}"] = application(
            pages(data, sojourn_aiohttp.get_session)
        )
        sojourn_aiohttp.setup(app, SessionManager(f"{name}://", timeouts=TIMEOUTS, **options))
    for name, store in {"cookie": Cookie(), "memory": Memory()}.items():
        app = made[f"aiohttp + limit {name}"] = application(pages(data, _limit_session))
        app.middlewares.append(_limit(store))
    for name, storage in {
        "Fernet": EncryptedCookieStorage(b"k" * 32),
        "NaCl": NaClCookieStorage(b"k" * 32),
    }.items():
        app = application(pages(data, aiohttp_session.get_session))
        made[f"aiohttp + aiohttp-session {name} cookie"] = app
        aiohttp_session.setup(app, storage)
    return {name: AiohttpSite(app) for name, app in made.items()}


_LIMIT = web.RequestKey("limit", Lazy)


async def _limit_session(request: web.Request) -> Lazy:
    return request[_LIMIT]


def _limit(store: Cookie | Memory) -> Any:
    """What ``LimitMiddleware`` does, for responses that are no streams."""

    @web.middleware
    async def middleware(request: web.Request, handler: Any) -> web.Response:
        header = request.headers.get(hdrs.COOKIE, "").encode()
        session = request[_LIMIT] = Lazy(store.load, header)
        response: web.Response = await handler(request)
        if session.now is not None:
            response.headers[hdrs.VARY] = "Cookie"
            if session.now != session.before:
                line = store.save(header, session.now)
                if line is not None:
                    response.headers.add(hdrs.SET_COOKIE, line.decode("ascii"))
                    response.headers[hdrs.CACHE_CONTROL] = "no-store"
        return response

    return middleware


def application(pages: Pages) -> web.Application:
    app = web.Application()
    app.add_routes([web.get(f"/{name}", page) for name, page in pages.items()])
    return app


def pages(data: dict[str, Any], get_session: Any) -> Pages:
    async def none(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def read(request: web.Request) -> web.Response:
        return web.Response(text=str((await get_session(request)).get("visits", 0)))

    async def write(request: web.Request) -> web.Response:
        (await get_session(request))["visits"] += 1
        return web.Response(text="ok")

    async def create(request: web.Request) -> web.Response:
        (await get_session(request)).update(data)
        return web.Response(text="ok")

    return {"none": none, "read": read, "write": write, "create": create}


def bare_pages() -> Pages:
    def page(text: str) -> Page:
        async def answer(_request: web.Request) -> web.Response:
            return web.Response(text=text)

        return answer

    return {name: page(text) for name, text in BARE_TEXT.items()}
