"""One session in one exchange of request and response (RFC 9110 3.4): when it is committed."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from sojourn import CommitResult, SessionManager, apply_headers

_SWITCHING = 101
_FAILED = 500
_UNAVAILABLE = 503


class Exchange:
    """The session of one request, and how far its response has come.

    ``run`` surrounds the handler and commits while an error can still become an error page.
    ``begin`` writes the headers, just before they go out, and commits what was prepared inside the
    handler: streams and websockets.
    """

    __slots__ = ("_cut", "_manager", "_status", "session")

    def __init__(self, manager: SessionManager[Any], request: web.Request) -> None:
        # What aiohttp decoded this way is the same bytes again.
        headers = request.headers
        cookies = headers.getall(hdrs.COOKIE) if hdrs.COOKIE in headers else ()
        self.session = manager.open([c.encode("utf-8", "surrogateescape") for c in cookies])
        self._manager = manager
        self._status: int | None = None  # of the response whose headers went out
        self._cut: web.StreamResponse | None = None  # its commit failed while it was prepared

    async def run(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The handler's response, with everything committed or dropped.

        Raises what the handler and the commit raise.
        """
        try:
            response = await handler(request)
        except web.HTTPException as page:
            await self._finish(page)
            raise
        except (Exception, asyncio.CancelledError) as error:
            await self._give_up(request, error)
            raise
        await self._finish(response)
        return response

    async def _finish(self, response: web.StreamResponse) -> None:
        # A handler without a return statement gets aiohttp's own 500.
        status = getattr(response, "status", _FAILED)
        can_set_cookie = self._status is None
        await self._commit(status, can_set_cookie=can_set_cookie)

    async def _commit(
        self, status: int, *, can_set_cookie: bool = True, seal: bool = True
    ) -> CommitResult:
        manager, session = self._manager, self.session
        result = manager.commit_nowait(
            session, can_set_cookie=can_set_cookie, status=status, seal=seal
        )
        if result is None:
            result = await manager.commit(
                session, can_set_cookie=can_set_cookie, status=status, seal=seal
            )
        return result

    async def _give_up(self, request: web.Request, error: BaseException) -> None:
        """Drop the changes (promise 35), but for a websocket's whose client just left."""
        cancelled = isinstance(error, asyncio.CancelledError)
        left = cancelled or request.transport is None or request.transport.is_closing()
        status = _SWITCHING if left and self._status == _SWITCHING else _FAILED
        can_set_cookie = self._status is None and not cancelled
        await self._commit(status, can_set_cookie=can_set_cookie)

    def page(self, status_code: int) -> web.HTTPException | None:
        """The answer to an error with this status; None: what aiohttp itself makes of it."""
        if status_code == _UNAVAILABLE and self._status is None:
            return web.HTTPServiceUnavailable()
        return None

    async def begin(self, response: web.StreamResponse) -> None:
        """Commit, unless that was done, and say so in the headers. May be called again."""
        status = response.status
        try:
            result = await self._commit(status, seal=status != _SWITCHING)
        except BaseException:
            self._cut = response
            raise
        self._status = status
        if result.headers:
            _merge(response, result)
        if self._cut is not None:
            _follow(response, self._cut)


def _merge(response: web.StreamResponse, result: CommitResult) -> None:
    """Add what is not there yet; ``response.set_cookie`` would come too late here."""
    headers = response.headers
    apply_headers(
        tuple(
            header for header in result.headers if header[1] not in headers.getall(header[0], ())
        ),
        existing=lambda name: headers.getall(name, ()),
        replace=headers.__setitem__,
        add=headers.add,
    )


def _follow(response: web.StreamResponse, cut: web.StreamResponse) -> None:
    """Make an error page fit the body writer, which the stream before it has set up already."""
    encodings = [hdrs.TRANSFER_ENCODING]
    if cut.compression:
        encodings.append(hdrs.CONTENT_ENCODING)
    for name in encodings:
        if name in cut.headers:
            response.headers[name] = cut.headers[name]
            response.headers.popall(hdrs.CONTENT_LENGTH, None)
