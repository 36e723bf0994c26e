"""When a session ends, is extended, or gets another secret. Arithmetic only: no clock lives here.

The words are OWASP's (Session Management Cheat Sheet, "Session Expiration"): idle, absolute and
renewal timeout. All times are seconds.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import cast

from msgspec import Struct

from ._errors import ConfigurationError

MAX_COOKIE_AGE = 400 * 86400
"""Seconds that a browser keeps a cookie at most (RFC 6265bis, "cookie-age-limit")."""

Seconds = float | timedelta


class Timeouts(Struct, frozen=True):
    """How long a session lives.

    All values are seconds, or a ``timedelta``.

    - ``idle``: ends this long after the last activity. None: no idle timeout.
    - ``absolute``: ends this long after it began (creation or login), whatever happens. None: none.
    - ``rotate_after``: a secret older than this is replaced when the session is next used; parallel
      requests may use the old one for ``grace`` seconds more. None: never.
    - ``extend_after``: activity within this time after the last extension extends nothing, so that
      reading seldom writes. None: a tenth of ``idle``.
    - ``auto_extend``: activity extends the idle timeout; False: only ``session.touch()`` does.

    Raises ConfigurationError for values that are not positive, and when neither idle nor absolute
    is set: a session without an end is one that nobody can revoke by waiting.
    """

    idle: Seconds | None = 1800
    absolute: Seconds | None = 43200
    rotate_after: Seconds | None = None
    extend_after: Seconds | None = None
    auto_extend: bool = True
    grace: Seconds = 30

    def __post_init__(self) -> None:
        for name in ("idle", "absolute", "rotate_after"):
            _check(name, getattr(self, name), above=True)
        for name in ("extend_after", "grace"):
            _check(name, getattr(self, name), above=False)
        if not isinstance(cast("object", self.auto_extend), bool):
            raise ConfigurationError("Timeouts(auto_extend=...): True or False")
        if self.idle is None and self.absolute is None:
            raise ConfigurationError("Timeouts: set idle or absolute (seconds), or both")
        _check_extend_after(_seconds(self.extend_after), _seconds(self.idle))


def _check(name: str, value: object, *, above: bool) -> None:
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if seconds is None:
        return
    is_duration = isinstance(seconds, int | float) and math.isfinite(seconds) and seconds >= 0
    if not is_duration or (above and seconds == 0):
        bound = "above 0" if above else "0 or more"
        raise ConfigurationError(f"Timeouts({name}=...): seconds or a timedelta, {bound}")


def _check_extend_after(extend_after: float | None, idle: float | None) -> None:
    if extend_after is not None and idle is not None and extend_after >= idle:
        raise ConfigurationError(
            "Timeouts(extend_after=...): less than idle, or active sessions would expire"
        )


def _seconds(value: Seconds | None) -> float | None:
    return value.total_seconds() if isinstance(value, timedelta) else value


class Policy(Struct, frozen=True):
    """``Timeouts`` in plain seconds, with the questions that the planner asks."""

    idle: float | None
    absolute: float | None
    rotate_after: float | None
    extend_after: float
    auto_extend: bool
    grace: float

    @classmethod
    def of(cls, timeouts: Timeouts) -> Policy:
        """The policy that these settings mean."""
        idle = _seconds(timeouts.idle)
        extend_after = _seconds(timeouts.extend_after)
        return cls(
            idle=idle,
            absolute=_seconds(timeouts.absolute),
            rotate_after=_seconds(timeouts.rotate_after),
            extend_after=(idle or 0) / 10 if extend_after is None else extend_after,
            auto_extend=timeouts.auto_extend,
            grace=_seconds(timeouts.grace) or 0,
        )

    def deadline(self, created_at: float, now: float) -> float:
        """When a session that is used now ends: ``min(now + idle, created_at + absolute)``."""
        idle_end = math.inf if self.idle is None else now + self.idle
        absolute_end = math.inf if self.absolute is None else created_at + self.absolute
        return min(idle_end, absolute_end)

    def is_over(self, created_at: float, expires_at: float, now: float) -> bool:
        """Whether a stored session has ended; a shortened ``absolute`` also ends older sessions."""
        return expires_at <= now or (
            self.absolute is not None and created_at + self.absolute <= now
        )

    def extended(self, created_at: float, expires_at: float, now: float) -> float:
        """The deadline after activity now: a later one if an extension is due, else the same."""
        if not self.auto_extend or self.idle is None:
            return expires_at
        # Measured from the last extension, not by the gain: near the absolute timeout the gain
        # shrinks, and the last seconds before it must not be lost.
        if now + self.idle - expires_at < self.extend_after:
            return expires_at
        return max(expires_at, self.deadline(created_at, now))

    def renewal_due(self, renewed_at: float, now: float) -> bool:
        """Whether the secret is older than ``rotate_after``."""
        return self.rotate_after is not None and now - renewed_at >= self.rotate_after
