"""What the tests of the cookie store share."""

from types import MappingProxyType

import msgspec
import pytest

from sojourn import (
    CommitPlan,
    Cookie,
    Intent,
    Operation,
    Secret,
    SessionState,
)

NOW = 1_700_000_000.0

TYPICAL = {
    "user": "alice@example.com",
    "visits": 41,
    "theme": "dark",
    "language": "en-GB",
    "cart": [101, 202, 303],
    "csrf": "9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "note": "n" * 103,
}
"""250 bytes of compact JSON in seven keys."""


def state(data=None, **changes):
    """A state that a handler might leave behind."""
    raw = {key: msgspec.Raw(msgspec.msgpack.encode(value)) for key, value in (data or {}).items()}
    values = {
        "id": "",
        "version": 0,
        "created_at": NOW,
        "renewed_at": NOW,
        "expires_at": NOW + 1800,
        "data": MappingProxyType(raw),
    }
    return SessionState(**{**values, **changes})


def sealed(backend, after, now=NOW):
    """What the backend makes of this state: the opened session."""
    plan = CommitPlan(Intent.CHANGE, Operation.CREATE, Cookie.SEND, Secret.FRESH, None, after)
    with pytest.raises(StopIteration) as done:  # an await would give control back instead
        backend.write(plan, now=now).send(None)
    return done.value.value.opened


def token(backend, after, now=NOW):
    """The same as a cookie's value."""
    return backend.spell(sealed(backend, after, now).ticket).encode("ascii")


def opened(backend, text, now=NOW):
    """What the backend says of a cookie's value: None, a rejection, or the session."""
    ticket = backend.parse(text)
    return None if ticket is None else backend.load_nowait(ticket, now=now)
