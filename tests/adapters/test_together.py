"""All adapters in one environment: what one of them wrote, each other one reads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from quart import Quart

from sojourn import KeyRing, SessionManager
from sojourn.testing import Client, Setup, Visit, in_process
from sojourn_memory import MemoryStore

from .aiohttp.test_adapter import served as on_aiohttp
from .asgi import _fastapi_site, _starlette_site
from .litestar import _site as _litestar_site
from .quart import _site as _quart_site
from .sanic import _site as _sanic_site

pytestmark = pytest.mark.anyio

Run = Callable[[Setup], AbstractAsyncContextManager[Client]]


def _in_process(build: Callable[[Setup], Any]) -> Run:
    return lambda setup: in_process(build(setup))


ADAPTERS: dict[str, Run] = {
    "aiohttp": on_aiohttp,
    "fastapi": _in_process(_fastapi_site.build),
    "litestar": _in_process(_litestar_site.build),
    "quart": _in_process(lambda setup: _quart_site.build(Quart("site"), setup)),
    "sanic": _in_process(_sanic_site.build),
    "starlette": _in_process(_starlette_site.build),
}


@pytest.fixture
def anyio_backend():
    """The event loop that all of them run on."""
    return "asyncio"


@pytest.fixture(params=["memory", "cookie"])
def make_manager(request) -> Callable[[], SessionManager[Visit]]:
    """Managers as of several services over one store, or with one key."""
    options: Any = {"model": Visit, "clock": lambda: 1_800_000_000.0, "sweep_every": None}
    if request.param == "cookie":
        key = KeyRing.generate()
        return lambda: SessionManager("cookie://", keys=key, **options)
    store = MemoryStore()
    return lambda: SessionManager(store, **options)


async def test_a_cookie_goes_round(make_manager, tmp_path):
    """Each adapter counts on from where the one before it stopped, by the cookie that came last."""
    cookie: list[tuple[bytes, bytes]] = []
    texts, attributes = [], set()
    for name in [*ADAPTERS, *reversed(ADAPTERS)]:
        async with ADAPTERS[name](Setup(make_manager(), tmp_path)) as client:
            reply = await client.request("GET", "/text/write", cookie)
        texts.append(reply.text)
        for line in reply.all("Set-Cookie"):
            pair, _, rest = line.partition("; ")
            cookie = [(b"Cookie", pair.encode())]
            attributes.add(rest)
    assert [str(n + 1) for n in range(2 * len(ADAPTERS))] == texts
    assert {"Max-Age=1800; Path=/; Secure; HttpOnly; SameSite=Lax"} == attributes


async def test_logout(make_manager, tmp_path):
    """What one adapter logged in, the next one logs out, and all say so in the same line."""
    lines = set()
    names = list(ADAPTERS)
    for name, other in zip(names, [*names[1:], names[0]], strict=True):
        async with ADAPTERS[name](Setup(make_manager(), tmp_path)) as client:
            (line,) = (await client.request("GET", "/redirect/login", [])).all("Set-Cookie")
        cookie = [(b"Cookie", line.split(";")[0].encode())]
        async with ADAPTERS[other](Setup(make_manager(), tmp_path)) as client:
            lines.update(
                (await client.request("GET", "/redirect/logout", cookie)).all("Set-Cookie")
            )
    (line,) = lines
    assert line.startswith("__Host-session=; Max-Age=0;")
