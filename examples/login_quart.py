"""The login demo on Quart: ``uv run examples/login_quart.py``."""

from typing import Any, cast

import _demo
from _page import HEADERS
from quart import Quart, redirect, request
from quart.typing import ResponseReturnValue

from sojourn_quart import Sessions, get_session

app = Quart(__name__)
manager = _demo.make_manager()
Sessions(app, manager)


async def fields() -> dict[str, str]:
    """The form's fields, which Quart leaves without types."""
    form: dict[str, str] = (await cast("Any", request).form).to_dict()
    return form


@app.get("/")
async def index() -> ResponseReturnValue:
    """The page: a form for strangers, a welcome for everybody else."""
    return await _demo.show(get_session(), manager), HEADERS


@app.post("/login")
async def login() -> ResponseReturnValue:
    """Back to the page, which says how it went."""
    form = await fields()
    device = _demo.describe(request.headers.get("User-Agent", ""))
    _demo.try_login(get_session(), form.get("email", ""), form.get("password", ""), device)
    return redirect("/", 303)


@app.post("/logout")
async def logout() -> ResponseReturnValue:
    """Back to the page, as a stranger."""
    _demo.logout(get_session())
    return redirect("/", 303)


@app.post("/revoke")
async def revoke() -> ResponseReturnValue:
    """Back to the page, signed in on one device fewer."""
    form = await fields()
    await _demo.revoke(get_session(), manager, form.get("id", ""))
    return redirect("/", 303)


if __name__ == "__main__":
    _demo.announce("Quart")
    app.run(host=_demo.HOST, port=_demo.PORT, use_reloader=False)
