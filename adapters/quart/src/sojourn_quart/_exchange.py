"""The sessions of one request or websocket: one of each manager that the application has."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, TypeVar

from werkzeug.datastructures import Headers

from sojourn import ConfigurationError, Session, SessionManager, StoreError, apply_headers

M = TypeVar("M")


class Exchange:
    """Opens, hands out and commits."""

    def __init__(self) -> None:
        self.can_set_cookie: bool = True
        """Whether what comes next, a response or a handshake, can carry a cookie."""
        self.is_accepted = False
        """Whether a websocket's handshake has gone out."""
        self.has_crashed = False
        """Whether a websocket's handler raised."""
        self._sessions: dict[SessionManager[Any], Session[Any]] = {}

    async def open(self, managers: Iterable[SessionManager[Any]], cookies: list[bytes]) -> None:
        """Open a session of each manager, and load those that have to be awaited.

        A request that touches no session shall not notice that a store is down: a failed load
        raises at the first touch.
        """
        for manager in managers:
            session = self._sessions[manager] = manager.open(cookies)
            if session.pending:
                with suppress(StoreError):
                    await session.load()

    def session_of(self, manager: SessionManager[M]) -> Session[M]:
        """The session of this manager. Asking is no look."""
        try:
            return self._sessions[manager]
        except KeyError:
            raise ConfigurationError(
                "get_session: these Sessions are not installed on this application"
            ) from None

    async def commit(self, headers: Headers, *, status: int, seal: bool = True) -> None:
        """Commit each session, and say so in the response's headers. Raises what a commit raises.

        A second call writes nothing, and says the same, for an error page.
        """
        for manager, session in self._sessions.items():
            result = manager.commit_nowait(
                session, can_set_cookie=self.can_set_cookie, status=status, seal=seal
            )
            if result is None:
                result = await manager.commit_waiting(session, seal=seal)
            if result.headers:
                apply_headers(
                    result.headers, existing=headers.getlist, replace=headers.set, add=headers.add
                )

    async def finish(self, status: int) -> None:
        """Commit what a websocket changed after its handshake."""
        self.can_set_cookie = False
        await self.commit(Headers(), status=status)
