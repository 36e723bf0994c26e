"""aiohttp: bare, with Sojourn, with aiohttp-session's two encrypted cookies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp_session
from aiohttp import web
from aiohttp_session.cookie_storage import EncryptedCookieStorage
from aiohttp_session.nacl_storage import NaClCookieStorage

import sojourn_aiohttp
from sojourn import SessionManager

from ._connection import AiohttpSite
from ._data import TIMEOUTS
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
    for name, storage in {
        "Fernet": EncryptedCookieStorage(b"k" * 32),
        "NaCl": NaClCookieStorage(b"k" * 32),
    }.items():
        app = application(pages(data, aiohttp_session.get_session))
        made[f"aiohttp + aiohttp-session {name} cookie"] = app
        aiohttp_session.setup(app, storage)
    return {name: AiohttpSite(app) for name, app in made.items()}


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
