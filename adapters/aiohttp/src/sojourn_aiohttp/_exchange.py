"""One session in one exchange of request and response (RFC 9110 3.4): when it is committed."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import hdrs, web

from sojourn import CommitResult, Session, SessionError, SessionManager, apply_headers

_SWITCHING = 101
FAILED = 500
_UNAVAILABLE = 503


class Exchange:
    """The session of one request, opened when it is asked for, and how far its response has come.

    The middleware commits, by ``finish`` or ``fail``, while an error can still become an error
    page. ``begin`` writes the headers, just before they go out, and commits what was prepared
    inside the handler: streams and websockets.
    """

    # Class attributes are the defaults: a request without a session pays for few assignments.
    session: Session[Any] | None = None
    """None: nobody has asked for it."""
    status: int | None = None
    """Of the response whose headers went out."""
    is_over = False
    """Whether the middleware is through with it."""
    inner: Exchange | None = None
    """Another manager's, of the same request."""
    _result: CommitResult | None = None  # of the middleware's commit
    _cut: web.StreamResponse | None = None  # its commit failed while it was prepared

    def __init__(self, manager: SessionManager[Any]) -> None:
        self.manager = manager

    def of(self, manager: SessionManager[Any]) -> Exchange | None:
        """The one of this manager: this one, or one inside of it."""
        found: Exchange | None = self
        while found is not None and found.manager is not manager:
            found = found.inner
        return found

    def join(self, inner: Exchange) -> bool:
        """Put another one inside of all. False: its manager has one there already."""
        if self.of(inner.manager) is not None:
            return False
        last = self
        while last.inner is not None:
            last = last.inner
        last.inner = inner
        return True

    def open(self, request: web.Request) -> Session[Any]:
        """Open the session, for the first who asks."""
        # What aiohttp decoded this way is the same bytes again.
        cookies = request.headers.getall(hdrs.COOKIE, ())
        manager = self.manager
        session = manager.open([c.encode("utf-8", "surrogateescape") for c in cookies])
        if self.is_over or self.status is not None:  # it comes too late for a cookie
            manager.commit_nowait(session, seal=self.is_over or self.status != _SWITCHING)
        self.session = session
        return session

    async def finish(self, status: int, *, can_set_cookie: bool = True) -> None:
        """Commit what the handler did. Raises what the commit raises, or the page for it."""
        manager, session, self.is_over = self.manager, self.session, True
        if session is None:
            return
        try:
            result = manager.commit_nowait(session, can_set_cookie=can_set_cookie, status=status)
            if result is None:
                result = await manager.commit_waiting(session)
            self._result = result
        except SessionError as error:
            self._raise_page(error)
            raise

    async def fail(self, request: web.Request, error: BaseException) -> None:
        """Commit as ``finish`` does, if the handler raised its response.

        Any other error drops the changes (promise 35), but for a websocket's whose client just
        left. Raises the page for it, if it is ours.
        """
        if isinstance(error, web.HTTPException):
            await self.finish(error.status)
            return
        cancelled = isinstance(error, asyncio.CancelledError)
        left = cancelled or request.transport is None or request.transport.is_closing()
        status = _SWITCHING if left and self.status == _SWITCHING else FAILED
        await self.finish(status, can_set_cookie=not cancelled)
        if isinstance(error, SessionError):
            self._raise_page(error)

    def _raise_page(self, error: SessionError) -> None:
        """Raise the answer to an error, unless that is what aiohttp makes of it by itself."""
        if error.status_code == _UNAVAILABLE and self.status is None:
            raise web.HTTPServiceUnavailable from error

    async def begin(self, session: Session[Any], response: web.StreamResponse) -> None:
        """Commit, unless that was done, and say so in the headers. May be called again."""
        manager, status, result = self.manager, response.status, self._result
        if result is None:
            seal = status != _SWITCHING
            try:
                result = manager.commit_nowait(session, status=status, seal=seal)
                if result is None:
                    result = await manager.commit_waiting(session, seal=seal)
            except BaseException:
                self._cut = response
                raise
        self.status = status
        if result.headers:
            _merge(response, result)
        if self._cut is not None:
            _follow(response, self._cut)


def _merge(response: web.StreamResponse, result: CommitResult) -> None:
    """Add what is not there yet; ``response.set_cookie`` would come too late here."""
    headers = response.headers
    known: list[tuple[str, str]] = []
    for name, value in result.headers:
        if name not in headers:
            headers.add(name, value)
        elif value not in headers.getall(name):
            known.append((name, value))
    if known:
        apply_headers(
            tuple(known),
            existing=headers.getall,
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
