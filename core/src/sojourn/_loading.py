"""From Cookie headers to an opened session: parse, ask the backend, choose.

``open_nowait`` asks here, ``_refreshing.load`` awaits; what decides is shared, and pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ._backend import Opened
from ._cookies import MAX_CANDIDATES, read
from ._errors import SessionNotLoadedError, StoreError
from ._events import CookieRejected, Rejection, StoreFailed
from ._settings import Settings


def open_nowait(settings: Settings, tickets: Sequence[Any], now: float) -> Opened | None:
    """The session that these tickets open, or None. Never waits.

    Raises SessionNotLoadedError if the backend would have to be awaited, StoreError if it fails.
    """
    if not tickets:
        return None
    backend = settings.backend
    if not backend.lazy:
        raise SessionNotLoadedError(
            "this store has to be awaited: get the session by the adapter's own means "
            "(get_session, injection), or call `await session.load()` first"
        )
    if len(tickets) == 1:
        result = backend.load_nowait(tickets[0], now=now)
        return result if isinstance(result, Opened) else choose(settings, [result])
    return choose(settings, [backend.load_nowait(ticket, now=now) for ticket in tickets])


def find_tickets(settings: Settings, headers: Iterable[bytes]) -> list[Any]:
    """What could be ours in these headers. Junk is told to the operator and never to a store."""
    values, parse = read(list(headers), settings.set_cookie.name), settings.backend.parse
    if not values:
        return []
    if len(values) == 1:  # as with nearly every request
        tickets = [parse(values[0])]
    elif len(values) <= MAX_CANDIDATES:
        tickets = list(map(parse, values))
    else:
        settings.emit(CookieRejected(reason=Rejection.TOO_MANY))
        return []
    if None not in tickets:
        return tickets
    settings.emit(CookieRejected(reason=Rejection.MALFORMED))
    return [ticket for ticket in tickets if ticket is not None]


def choose(settings: Settings, results: Sequence[Opened | Rejection]) -> Opened | None:
    """The one that opened; None if none did, or if two did.

    RFC 6265bis 4.2.2: servers should not rely on the order of cookies, so an attacker's cookie,
    tossed from a sibling domain, must not win by coming first.
    """
    opened = [result for result in results if isinstance(result, Opened)]
    if len(opened) == 1:
        return opened[0]
    if opened:
        settings.emit(CookieRejected(reason=Rejection.AMBIGUOUS))
    for result in results:
        if isinstance(result, Rejection):
            settings.emit(CookieRejected(reason=result))
    return None


def report_failure(settings: Settings, operation: str, error: StoreError) -> None:
    """Tell the operator that the store failed."""
    settings.emit(StoreFailed(operation=operation, error=type(error).__name__))
