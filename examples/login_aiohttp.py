"""The login demo on aiohttp: ``uv run examples/login_aiohttp.py``."""

import _demo
from _page import HEADERS
from aiohttp import web

from sojourn_aiohttp import get_session, setup

manager = _demo.make_manager()
routes = web.RouteTableDef()


async def form_of(request: web.Request) -> dict[str, str]:
    """The fields of a form that are text."""
    fields = await request.post()
    return {name: value for name, value in fields.items() if isinstance(value, str)}


@routes.get("/")
async def index(request: web.Request) -> web.Response:
    """The page: a form for strangers, a welcome for everybody else."""
    page = await _demo.show(await get_session(request), manager)
    return web.Response(text=page, content_type="text/html", headers=HEADERS)


@routes.post("/login")
async def login(request: web.Request) -> web.Response:
    """Back to the page, which says how it went."""
    session, form = await get_session(request), await form_of(request)
    device = _demo.describe(request.headers.get("User-Agent", ""))
    _demo.try_login(session, form.get("email", ""), form.get("password", ""), device)
    raise web.HTTPSeeOther("/")


@routes.post("/logout")
async def logout(request: web.Request) -> web.Response:
    """Back to the page, as a stranger."""
    _demo.logout(await get_session(request))
    raise web.HTTPSeeOther("/")


@routes.post("/revoke")
async def revoke(request: web.Request) -> web.Response:
    """Back to the page, signed in on one device fewer."""
    form = await form_of(request)
    await _demo.revoke(await get_session(request), manager, form.get("id", ""))
    raise web.HTTPSeeOther("/")


app = web.Application()
app.add_routes(routes)
setup(app, manager)

if __name__ == "__main__":
    _demo.announce("aiohttp")
    web.run_app(app, host=_demo.HOST, port=_demo.PORT, print=None)
