"""aiohttp: bare, with Sojourn, with aiohttp-session's two encrypted cookies."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any
from unittest import mock

import aiohttp_session
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from aiohttp_session.cookie_storage import EncryptedCookieStorage
from aiohttp_session.nacl_storage import NaClCookieStorage

import sojourn_aiohttp
from sojourn import SessionManager

from ._sites import Site


class AiohttpSite:
    """An application, asked in this process, with all that its server would do but the socket."""

    def __init__(self, app: web.Application) -> None:
        app.freeze()
        self._app = app

    async def _ask(self, page: str, cookie: bytes) -> web.StreamResponse:
        headers = {"Host": "bench.example"}
        if cookie:
            headers["Cookie"] = cookie.decode("latin-1")
        request = make_mocked_request("GET", f"/{page}", headers, app=self._app, writer=_WRITER)
        response = await self._app._handle(request)
        await response.prepare(request)
        return response

    async def get(self, page: str, cookie: bytes) -> tuple[str, bytes]:
        """See ``Site``."""
        response = await self._ask(page, cookie)
        jar: SimpleCookie = SimpleCookie(cookie.decode("latin-1"))
        lines = [*response.headers.getall("Set-Cookie", [])]
        lines += [morsel.OutputString() for morsel in response.cookies.values()]
        for line in lines:
            jar.load(line.split(";")[0])
        text = "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())
        return str(getattr(response, "text", "")), text.encode("latin-1")

    async def hammer(self, page: str, cookie: bytes, times: int) -> None:
        """See ``Site``."""
        for _ in range(times):
            await self._ask(page, cookie)


async def _nothing(*_args: Any, **_options: Any) -> None:
    """Where the socket would be."""


_WRITER = mock.Mock(
    write_headers=_nothing, write=_nothing, write_eof=_nothing, drain=_nothing, length=None
)


def sites(data: dict[str, Any], keys: str) -> dict[str, Site]:
    """Name to site; "aiohttp" is the bare framework."""
    made: dict[str, Site] = {"aiohttp": AiohttpSite(_app(data, aiohttp_session.get_session))}
    for name, options in {"cookie": {"keys": keys}, "memory": {}}.items():
        app = _app(data, sojourn_aiohttp.get_session)
        sojourn_aiohttp.setup(app, SessionManager(f"{name}://", **options))
        made[f"aiohttp sojourn {name}"] = AiohttpSite(app)
    for name, storage in {
        "Fernet": EncryptedCookieStorage(b"k" * 32),
        "NaCl": NaClCookieStorage(b"k" * 32),
    }.items():
        app = _app(data, aiohttp_session.get_session)
        aiohttp_session.setup(app, storage)
        made[f"aiohttp-session {name}"] = AiohttpSite(app)
    return made


def _app(data: dict[str, Any], get_session: Any) -> web.Application:
    async def none(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def read(request: web.Request) -> web.Response:
        return web.Response(text=str((await get_session(request))["visits"]))

    async def write(request: web.Request) -> web.Response:
        (await get_session(request))["visits"] += 1
        return web.Response(text="ok")

    async def create(request: web.Request) -> web.Response:
        (await get_session(request)).update(data)
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes([web.get(f"/{page.__name__}", page) for page in (none, read, write, create)])
    return app
