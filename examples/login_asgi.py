"""The login demo on Starlette: ``uv run examples/login_asgi.py``."""

from urllib.parse import parse_qsl

import _demo
import uvicorn
from _page import HEADERS
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from sojourn_asgi import SessionMiddleware, get_session

manager = _demo.make_manager()


async def index(request: Request) -> HTMLResponse:
    """The page: a form for strangers, a welcome for everybody else."""
    return HTMLResponse(await _demo.show(get_session(request), manager), headers=HEADERS)


async def login(request: Request) -> RedirectResponse:
    """Back to the page, which says how it went."""
    form = await _form(request)
    device = _demo.describe(request.headers.get("user-agent", ""))
    email, password = form.get("email", ""), form.get("password", "")
    _demo.try_login(get_session(request), email, password, device)
    return RedirectResponse("/", status_code=303)


async def logout(request: Request) -> RedirectResponse:
    """Back to the page, as a stranger."""
    _demo.logout(get_session(request))
    return RedirectResponse("/", status_code=303)


async def revoke(request: Request) -> RedirectResponse:
    """Back to the page, signed in on one device fewer."""
    form = await _form(request)
    await _demo.revoke(get_session(request), manager, form.get("id", ""))
    return RedirectResponse("/", status_code=303)


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(errors="replace")))


app = Starlette(
    routes=[
        Route("/", index),
        Route("/login", login, methods=["POST"]),
        Route("/logout", logout, methods=["POST"]),
        Route("/revoke", revoke, methods=["POST"]),
    ],
    middleware=[Middleware(SessionMiddleware, manager=manager)],
)

if __name__ == "__main__":
    _demo.announce("Starlette")
    uvicorn.run(app, host=_demo.HOST, port=_demo.PORT, log_level="warning")
