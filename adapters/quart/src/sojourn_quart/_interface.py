"""Where Quart calls us: before the handler, and just before the response goes out."""

from __future__ import annotations

from inspect import isawaitable
from typing import Any

from quart import Quart, current_app
from quart.sessions import SessionInterface, SessionMixin
from quart.typing import ResponseReturnValue, ResponseTypes
from quart.wrappers import BaseRequestWebsocket
from werkzeug.exceptions import HTTPException, default_exceptions

from sojourn import SessionManager, StoreError

from . import _websocket
from ._exchange import Exchange
from ._session import QuartSession

_OK = 200


class Interface(SessionInterface):
    """The sessions of an application's managers; the first one's are ``quart.session``."""

    def __init__(self) -> None:
        self.managers: list[SessionManager[Any]] = []

    @classmethod
    def of(cls, app: Any) -> Interface:
        """The application's, installed the first time."""
        installed = app.session_interface
        if not isinstance(installed, cls):
            app.session_interface = installed = cls()
            app.register_error_handler(StoreError, _error_page)
            _websocket.extend(app)
        return installed

    async def open_session(self, app: Quart, request: BaseRequestWebsocket) -> QuartSession:  # noqa: ARG002 - Quart's
        """Called for whatever comes in, before its URL is matched."""
        exchange = Exchange()
        cookies = [value for name, value in request.scope["headers"] if name == b"cookie"]
        await exchange.open(self.managers, cookies)
        if isinstance(request, _websocket.SessionWebsocket):
            request.join(exchange)
        return QuartSession(exchange, self.managers[0])

    async def save_session(
        self, app: Quart, session: SessionMixin, response: ResponseTypes | None
    ) -> None:
        """Called after all ``after_request`` functions, and again for an error page."""
        ours: Any = session
        exchange: Exchange = ours.exchange
        if response is None or exchange.is_accepted:
            status = _OK if response is None else response.status_code
            return await _websocket.uncut(lambda: exchange.finish(status))
        try:
            await exchange.commit(response.headers, status=response.status_code)
        except StoreError as error:
            # Raised, it would become a 500 whatever it is.
            page = await app.make_response(await app.handle_user_exception(error))
            await _become(response, page)
            await exchange.commit(response.headers, status=response.status_code)


async def _error_page(error: StoreError) -> HTTPException | ResponseReturnValue:
    """The application's own page for this status, or Quart's."""
    page = default_exceptions[error.status_code]()
    page.__cause__ = error
    return await current_app.handle_http_exception(page)


async def _become(response: ResponseTypes, page: ResponseTypes) -> None:
    """Quart sends the response that it has, so it has to turn into the page."""
    body: Any = page.get_data()
    response.status_code = page.status_code
    response.headers = page.headers
    response.set_data(await body if isawaitable(body) else body)
