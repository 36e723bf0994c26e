"""The login demo on Litestar: ``uv run examples/login_litestar.py``."""

from typing import Annotated

import _demo
import uvicorn
from _page import HEADERS
from litestar import Litestar, MediaType, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, HeaderParameter
from litestar.response import Redirect

from sojourn_litestar import SessionDep, SessionPlugin

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
UserAgent = Annotated[str, HeaderParameter(name="user-agent")]

manager = _demo.make_manager()


@get("/", media_type=MediaType.HTML, response_headers=HEADERS)
async def index(session: SessionDep) -> str:
    """The page: a form for strangers, a welcome for everybody else."""
    return await _demo.show(session, manager)


@post("/login", status_code=303)
async def login(session: SessionDep, data: Form, user_agent: UserAgent = "") -> Redirect:
    """Back to the page, which says how it went."""
    device = _demo.describe(user_agent)
    _demo.try_login(session, data.get("email", ""), data.get("password", ""), device)
    return Redirect("/", status_code=303)


@post("/logout", status_code=303)
async def logout(session: SessionDep) -> Redirect:
    """Back to the page, as a stranger."""
    _demo.logout(session)
    return Redirect("/", status_code=303)


@post("/revoke", status_code=303)
async def revoke(session: SessionDep, data: Form) -> Redirect:
    """Back to the page, signed in on one device fewer."""
    await _demo.revoke(session, manager, data.get("id", ""))
    return Redirect("/", status_code=303)


app = Litestar([index, login, logout, revoke], plugins=[SessionPlugin(manager)])

if __name__ == "__main__":
    _demo.announce("Litestar")
    uvicorn.run(app, host=_demo.HOST, port=_demo.PORT, log_level="warning")
