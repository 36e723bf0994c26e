"""Quart: bare (sessions off), with Sojourn, with its own signed cookie."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from quart import Quart, request, session
from quart.sessions import SecureCookieSessionInterface, SessionInterface
from werkzeug.local import LocalProxy

from sojourn import SessionManager
from sojourn_quart import Sessions

from ._data import TIMEOUTS
from ._limit import Cookie, LimitMiddleware, Memory
from ._sites import BARE_TEXT, AsgiSite
from ._starlette import SECRET

Page = Callable[[], Awaitable[str]]
Pages = dict[str, Page]


class _NoSessions(SessionInterface):
    """Nothing: the bare framework."""

    async def open_session(self, app: Any, request: Any) -> Any:  # noqa: ARG002
        """See ``SessionInterface``."""
        return await self.make_null_session(app)

    async def save_session(self, app: Any, session: Any, response: Any) -> None:
        """See ``SessionInterface``."""

    def is_null_session(self, instance: object) -> bool:  # noqa: ARG002
        """See ``SessionInterface``: one that is asked for nothing."""
        return True


def sites(data: dict[str, Any], keys: str) -> dict[str, AsgiSite]:
    """Name to site; "quart" is the bare framework."""
    bare: Any = _app(_bare_pages())
    own = _app(_pages(data))
    bare.session_interface = _NoSessions()
    own.session_interface = SecureCookieSessionInterface()
    made: dict[str, Quart] = {"quart": bare, "quart + own cookie": own}
    for name, store in {"cookie": Cookie(), "memory": Memory()}.items():
        limit: Any = _app(_pages(data, _in_scope))
        limit.session_interface = _NoSessions()
        limit.asgi_app = LimitMiddleware(limit.asgi_app, store)
        made[f"quart + limit {name}"] = limit
    for name, options in {"cookie": {"keys": keys}, "memory": {}}.items():
        app = made[f"quart + sojourn {name}"] = _app(_pages(data))
        Sessions(app, SessionManager(f"{name}://", timeouts=TIMEOUTS, **options))
    return {name: AsgiSite(app) for name, app in made.items()}


def _app(pages: Pages) -> Quart:
    app = Quart(__name__)
    app.config.update(SECRET_KEY=SECRET, SESSION_COOKIE_SECURE=True)
    for name, page in pages.items():
        app.add_url_rule(f"/{name}", endpoint=name, view_func=page)
    return app


_in_scope: Any = LocalProxy(lambda: request.scope["session"])  # type: ignore[typeddict-item]


def _pages(data: dict[str, Any], session: Any = session) -> Pages:
    async def none() -> str:
        return "ok"

    async def read() -> str:
        return str(session.get("visits", 0))

    async def write() -> str:
        session["visits"] += 1
        return "ok"

    async def create() -> str:
        session.update(data)
        return "ok"

    return {"none": none, "read": read, "write": write, "create": create}


def _bare_pages() -> Pages:
    def page(text: str) -> Page:
        async def answer() -> str:
            return text

        return answer

    return {name: page(text) for name, text in BARE_TEXT.items()}
