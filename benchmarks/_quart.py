"""Quart: bare (sessions off), with Sojourn, with its own signed cookie."""

from __future__ import annotations

from typing import Any

from quart import Quart, session
from quart.sessions import SecureCookieSessionInterface, SessionInterface

from sojourn import SessionManager
from sojourn_quart import Sessions

from ._sites import AsgiSite
from ._starlette import SECRET


class _NoSessions(SessionInterface):
    """Nothing: the bare framework."""

    async def open_session(self, app: Any, request: Any) -> Any:  # noqa: ARG002
        """See ``SessionInterface``."""
        return await self.make_null_session(app)

    async def save_session(self, app: Any, session: Any, response: Any) -> None:
        """See ``SessionInterface``."""

    def is_null_session(self, obj: object) -> bool:  # noqa: ARG002
        """See ``SessionInterface``: one that is asked for nothing."""
        return True


def sites(data: dict[str, Any], keys: str) -> dict[str, AsgiSite]:
    """Name to site; "quart" is the bare framework."""
    bare, own = _app(data), _app(data)
    bare.session_interface = _NoSessions()
    own.session_interface = SecureCookieSessionInterface()
    made = {"quart": bare, "quart own cookie": own}
    for name, options in {"cookie": {"keys": keys}, "memory": {}}.items():
        app = _app(data)
        Sessions(app, SessionManager(f"{name}://", **options))
        made[f"quart sojourn {name}"] = app
    return {name: AsgiSite(app) for name, app in made.items()}


def _app(data: dict[str, Any]) -> Quart:
    app = Quart(__name__)
    app.config.update(SECRET_KEY=SECRET, SESSION_COOKIE_SECURE=True)

    async def none() -> str:
        return "ok"

    async def read() -> str:
        return str(session["visits"])

    async def write() -> str:
        session["visits"] += 1
        return "ok"

    async def create() -> str:
        session.update(data)
        return "ok"

    for page in (none, read, write, create):
        app.add_url_rule(f"/{page.__name__}", view_func=page)
    return app
