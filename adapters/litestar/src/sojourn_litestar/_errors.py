"""A session's error as the application's own error response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from litestar.connection import Request
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.exceptions import responses as exceptions
from litestar.response import Response
from litestar.types import Receive, Scope, Send

from sojourn import SessionError

_CRASHED = 500
_TRY_AGAIN_LATER = 1013
"""The websocket close code of a server that is overloaded (RFC 6455 7.4)."""


# Litestar types its own parts only partly, and pyright says so at each use.
_responses = cast("Any", exceptions)


def error_page(request: Request[Any, Any, Any], error: SessionError) -> Response[Any]:
    """What the application makes of the error, else Litestar's own page with its status.

    The application's handlers come first: for the error or a base of it, for HTTP exceptions, for
    the status. The reason is for the log, and for the client only in debug mode.
    """
    page = HTTPException(status_code=error.status_code)
    handlers: Mapping[Any, Any] = cast("Any", request.route_handler).resolve_exception_handlers()
    for shown, kinds in ((error, type(error).__mro__), (page, (error.status_code, HTTPException))):
        for kind in kinds:
            handler = handlers.get(kind)
            if handler not in (None, error_page):
                return cast("Response[Any]", handler(request, shown))
    if handlers.get(_CRASHED) is not None:
        return cast("Response[Any]", handlers[_CRASHED](request, error))
    if request.app.debug and error.status_code == _CRASHED:
        return cast("Response[Any]", _responses.create_debug_response(request, error))
    return cast("Response[Any]", _responses.create_exception_response(request, page))


async def send_error(scope: Scope, receive: Receive, send: Send, error: SessionError) -> None:
    """Answer with the error's page; refuse a websocket."""
    if scope["type"] != ScopeType.HTTP:
        reason = "Service Unavailable"
        await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER, "reason": reason})
        return
    app: Any = scope["litestar_app"]
    route: Any = scope["route_handler"]
    for hook in app.after_exception:
        await hook(error, scope)
    request = app.request_class(scope=scope, receive=receive, send=send)
    answer = error_page(request, error).to_asgi_response(
        app=None, request=request, type_encoders=route.resolve_type_encoders()
    )
    await answer(scope, receive, send)
