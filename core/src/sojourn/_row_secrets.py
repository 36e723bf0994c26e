"""What a token's secret says about a row, and how long a row's former secret is good."""

from __future__ import annotations

from hmac import compare_digest

from ._backend import Presence
from ._record import Record
from ._token import Token, hash_secret, same_hash

Previous = tuple[bytes | None, float | None]
"""The hash of the former secret, and until when it is good."""

NO_PREVIOUS: Previous = (None, None)

_ROW = Presence.ROW


def presence_of(token: Token, record: Record, now: float) -> Presence | None:
    """How this token opens the row, None if it does not."""
    if token.secret is None:
        return _ROW
    hashed = hash_secret(token.secret)
    if compare_digest(hashed, record.secret_hash):
        return _ROW
    until = record.previous_until
    if until is not None and now < until and same_hash(hashed, record.previous_hash):
        return Presence.GRACE
    return None


def previous_of(old: Record, now: float) -> Previous:
    """The former secret's hash, for as long as it is good."""
    if old.previous_until is None or old.previous_until <= now:
        return NO_PREVIOUS
    return old.previous_hash, old.previous_until
