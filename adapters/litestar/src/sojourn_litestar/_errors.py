"""A session's error as the application's own error response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

from litestar.connection import Request
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, LitestarException
from litestar.exceptions import responses as exceptions
from litestar.response import Response
from litestar.types import Receive, Scope, Send

from sojourn import SessionError

_CRASHED = 500
_TRY_AGAIN_LATER = 503
_CLOSE_CODES = {_CRASHED: 1011, _TRY_AGAIN_LATER: 1013}
"""What a websocket closes with: an unexpected condition, an overloaded server (RFC 6455 7.4)."""

# Litestar types its own parts only partly, and pyright says so at each use.
_responses = cast("Any", exceptions)


def error_page(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """What the application makes of the error, else Litestar's own page with its status.

    The reason is for the log, and for the client only in debug mode.
    """
    handlers: Mapping[Any, Any] = cast("Any", request.route_handler).resolve_exception_handlers()
    for shown, kinds in _lookups(error):
        for kind in kinds:
            handler = handlers.get(kind)
            if handler not in (None, error_page):
                return cast("Response[Any]", handler(request, shown))
    if request.app.debug and _status(error) == _CRASHED:
        return cast("Response[Any]", _responses.create_debug_response(request, error))
    return cast("Response[Any]", _responses.create_exception_response(request, _page(error)))


async def send_error(scope: Scope, receive: Receive, send: Send, error: Exception) -> None:
    """Answer with the error's page; refuse a websocket."""
    if scope["type"] != ScopeType.HTTP:
        status = _TRY_AGAIN_LATER if _status(error) == _TRY_AGAIN_LATER else _CRASHED
        reason = HTTPStatus(status).phrase
        await send({"type": "websocket.close", "code": _CLOSE_CODES[status], "reason": reason})
        return
    app: Any = scope["litestar_app"]
    route: Any = scope["route_handler"]
    for hook in app.after_exception:
        await hook(error, scope)
    request = app.request_class(scope=scope, receive=receive, send=send)
    page: Any = error_page(request, error)
    answer = page.to_asgi_response(
        app=None, request=request, type_encoders=route.resolve_type_encoders()
    )
    await answer(scope, receive, send)


def _status(error: Exception) -> int:
    return error.status_code if isinstance(error, SessionError | HTTPException) else _CRASHED


def _page(error: Exception) -> Exception:
    """The error as an HTTPException, if it is a session's."""
    if not isinstance(error, SessionError):
        return error
    page = HTTPException(status_code=error.status_code)
    page.__cause__ = error
    return page


def _lookups(error: Exception) -> Iterator[tuple[Exception, Sequence[Any]]]:
    """What to show to the handlers of which keys, in Litestar's order.

    A handler for the session's error comes before those for HTTP exceptions and their status.
    """
    mro = type(error).__mro__
    yield error, [kind for kind in mro if issubclass(kind, SessionError)]
    page = _page(error)
    if isinstance(page, HTTPException):
        is_http = [kind for kind in type(page).__mro__ if issubclass(kind, LitestarException)]
        yield page, [page.status_code, *is_http]
    yield error, [*mro, _CRASHED]
