"""The login demo on Sanic: ``uv run examples/login_sanic.py``."""

from typing import Any, cast

import _demo
from _page import HEADERS
from sanic import HTTPResponse, Request, Sanic, html, redirect

from sojourn_sanic import Sessions, get_session

app: Sanic[Any, Any] = Sanic("login")
manager = _demo.make_manager()
Sessions(app, manager)


def field(request: Request, name: str) -> str:
    """A field of the form, which Sanic leaves without a type."""
    form: Any = request.form
    return str(form.get(name, ""))


@app.get("/")
async def index(request: Request) -> HTTPResponse:
    """The page: a form for strangers, a welcome for everybody else."""
    return html(await _demo.show(await get_session(request), manager), headers=HEADERS)


@app.post("/login")
async def login(request: Request) -> HTTPResponse:
    """Back to the page, which says how it went."""
    device = _demo.describe(str(cast("Any", request.headers).get("User-Agent", "")))
    email, password = field(request, "email"), field(request, "password")
    _demo.try_login(await get_session(request), email, password, device)
    return redirect("/", status=303)


@app.post("/logout")
async def logout(request: Request) -> HTTPResponse:
    """Back to the page, as a stranger."""
    _demo.logout(await get_session(request))
    return redirect("/", status=303)


@app.post("/revoke")
async def revoke(request: Request) -> HTTPResponse:
    """Back to the page, signed in on one device fewer."""
    await _demo.revoke(await get_session(request), manager, field(request, "id"))
    return redirect("/", status=303)


if __name__ == "__main__":
    _demo.announce("Sanic")
    cast("Any", app).run(host=_demo.HOST, port=_demo.PORT, single_process=True, motd=False)
