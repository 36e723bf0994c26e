"""What the library tells its operator: frozen values, passed to ``on_event`` and logged.

An event never holds a secret, a key, a payload, an owner or bytes that a client sent, so it may go
to any log. Reasons are enums: their number is fixed, so they serve as metric labels.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable
from typing import ClassVar

from msgspec import Struct

logger = logging.getLogger("sojourn")


class Rejection(enum.Enum):
    """Why a cookie of our name opened nothing."""

    MALFORMED = "malformed"  # length or alphabet: no token of ours, no store was asked
    TOO_MANY = "too_many"  # more candidates than a browser sends
    AMBIGUOUS = "ambiguous"  # two different valid ones: cookie tossing
    UNKNOWN = "unknown"  # no such row: ended, swept or never ours
    EXPIRED = "expired"  # past its idle or absolute timeout
    WRONG_SECRET = "wrong_secret"  # noqa: S105 - a reason, not a secret; the id is right, the rest is old or guessed
    UNKNOWN_KEY = "unknown_key"  # sealed with a key that is not in the ring
    FORGED = "forged"  # the seal does not open
    UNREADABLE = "unreadable"  # corrupt, or written by a newer version


class Discard(enum.Enum):
    """Why a commit wrote nothing although the handler had changed something."""

    GONE = "gone"  # destroyed, revoked or expired meanwhile: deletion wins
    SUPERSEDED = "superseded"  # a login or rotate() gave the session another secret meanwhile
    NO_COOKIE = "no_cookie"  # the response cannot carry the cookie that the change needs
    FAILED_RESPONSE = "failed_response"  # the response is a 5xx


class Event(Struct, frozen=True, kw_only=True):
    """The base of all events; ``level`` is the ``logging`` level it is logged at."""

    level: ClassVar[int] = logging.DEBUG


class SessionEvent(Event, frozen=True, kw_only=True):
    """Something happened to the session with this public id."""

    id: str


class SessionCreated(SessionEvent, frozen=True, kw_only=True):
    """A visitor got a session."""


class SessionChanged(SessionEvent, frozen=True, kw_only=True):
    """Data was written."""


class SessionExtended(SessionEvent, frozen=True, kw_only=True):
    """The idle timeout starts anew."""


class SessionRotated(SessionEvent, frozen=True, kw_only=True):
    """The session got another secret; ``due``: because ``rotate_after`` had passed."""

    due: bool = False


class SessionBound(SessionEvent, frozen=True, kw_only=True):
    """A login: the session belongs to an owner and got another secret."""

    level = logging.INFO


class SessionDestroyed(SessionEvent, frozen=True, kw_only=True):
    """A logout."""

    level = logging.INFO


class SessionRevoked(SessionEvent, frozen=True, kw_only=True):
    """Ended by public id, from outside."""

    level = logging.INFO


class OwnerRevoked(Event, frozen=True, kw_only=True):
    """So many sessions of one owner were ended."""

    level = logging.INFO
    count: int


class CookieRejected(Event, frozen=True, kw_only=True):
    """A cookie of our name opened nothing; the visitor counts as new."""

    level = logging.INFO
    reason: Rejection


class ValueDropped(SessionEvent, frozen=True, kw_only=True):
    """A stored value no longer fits its type and is treated as missing."""

    level = logging.WARNING
    key: str


class CommitRetried(SessionEvent, frozen=True, kw_only=True):
    """Other requests changed the session meanwhile; the patch was replayed on the newest state."""

    attempts: int


class CommitDiscarded(Event, frozen=True, kw_only=True):
    """The handler changed something and it was not written."""

    level = logging.INFO
    reason: Discard
    id: str | None = None


class StoreFailed(Event, frozen=True, kw_only=True):
    """A store call failed; ``error`` is the name of the exception's type."""

    level = logging.ERROR
    operation: str
    error: str


class SessionsSwept(Event, frozen=True, kw_only=True):
    """The sweeper removed so many expired rows."""

    count: int


Listener = Callable[[Event], object]


class Emitter:
    """Hands events to the listener and to the ``sojourn`` logger; logs a listener that raises."""

    __slots__ = ("_listener",)

    def __init__(self, listener: Listener | None) -> None:
        self._listener = listener

    def wants(self, level: int) -> bool:
        """Whether anybody would notice an event of this level."""
        return self._listener is not None or logger.isEnabledFor(level)

    def __call__(self, event: Event) -> None:
        if logger.isEnabledFor(event.level):
            logger.log(event.level, "%r", event)
        if self._listener is not None:
            try:
                self._listener(event)
            except Exception:
                logger.exception("on_event raised for %s", type(event).__name__)
