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

_TRY_AGAIN_LATER = 1013
"""The websocket close code of a server that is overloaded (RFC 6455 7.4)."""


# Litestar types its own parts only partly, and pyright says so at each use.
_create_response: Any = cast("Any", exceptions).create_exception_response


def error_page(request: Request[Any, Any, Any], error: SessionError) -> Response[Any]:
    """Litestar's own page with the error's status; the reason is for the log, not the client."""
    page: Response[Any] = _create_response(request, HTTPException(status_code=error.status_code))
    return page


async def send_error(scope: Scope, receive: Receive, send: Send, error: SessionError) -> None:
    """Answer with what the application's exception handlers make of the error."""
    if scope["type"] != ScopeType.HTTP:
        reason = "Service Unavailable"
        await send({"type": "websocket.close", "code": _TRY_AGAIN_LATER, "reason": reason})
        return
    app: Any = scope["litestar_app"]
    route: Any = scope["route_handler"]
    request = app.request_class(scope=scope, receive=receive, send=send)
    for hook in app.after_exception:
        await hook(error, scope)
    response = _handler(route.resolve_exception_handlers(), error)(request, error)
    answer = response.to_asgi_response(
        app=None, request=request, type_encoders=route.resolve_type_encoders()
    )
    await answer(scope, receive, send)


def _handler(handlers: Mapping[Any, Any], error: SessionError) -> Any:
    """The application's handler: for the type or a base of it, for the status, or for a 500."""
    kinds = [*type(error).__mro__, error.status_code, 500]
    return next((handlers[kind] for kind in kinds if kind in handlers), error_page)
