"""Hypothesis strategies: records, states, patches, and Cookie headers, good and bad."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from types import MappingProxyType
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import Raw

from sojourn import (
    Bind,
    Clear,
    Consume,
    Destroy,
    Flash,
    Modify,
    Patch,
    Put,
    PutAll,
    Record,
    Remove,
    Rotate,
    SessionState,
    Touch,
    Transition,
    compact,
)

_NOON = 4_000_000_000.0  # far off, so that no server collects the rows as garbage

keys = st.sampled_from(["a", "b", "c", "message", "\u00e9", ""])
"""Few, so that they meet."""

times = st.floats(_NOON, _NOON + 100_000, allow_nan=False).map(lambda t: round(t, 3))
"""Seconds since the epoch, within about a day."""

owner_names = st.one_of(
    st.none(), st.sampled_from(["user:1", "user:10", "User:1"]), st.text("ab:%_*", min_size=1)
)
"""Owners that a careless index mixes up."""


def values() -> SearchStrategy[Any]:
    """What a session may hold: all that comes back equal from msgpack."""
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False)
        | st.text(max_size=8)
        | st.binary(max_size=8)
    )
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        ),
        max_leaves=6,
    )


def raws() -> SearchStrategy[Raw]:
    """Encoded values."""
    return values().map(lambda value: Raw(msgspec.msgpack.encode(value)))


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Rows as a store may get them."""
    created_at = draw(times)
    has_former = draw(st.booleans())
    return Record(
        id=draw(st.binary(min_size=16, max_size=16)).hex(),
        secret_hash=draw(st.binary(min_size=32, max_size=32)),
        payload=draw(st.binary(max_size=64)),
        version=draw(st.integers(1, 2**31 - 1)),
        created_at=created_at,
        expires_at=created_at + draw(st.floats(0.001, 86_400)),
        owner=draw(owner_names),
        previous_hash=draw(st.binary(min_size=32, max_size=32)) if has_former else None,
        previous_until=draw(times) if has_former else None,
    )


@st.composite
def states(draw: st.DrawFn) -> SessionState:
    """Sessions at one moment, stored ones and new ones."""
    created_at = draw(times)
    is_stored = draw(st.booleans())
    data = draw(st.dictionaries(keys, raws(), max_size=4))
    owner = draw(owner_names) if is_stored else None
    flash = draw(st.sets(st.sampled_from(sorted(data)))) if data else set[str]()
    return SessionState(
        id=draw(st.binary(min_size=16, max_size=16)).hex() if is_stored else "",
        version=draw(st.integers(1, 100)) if is_stored else 0,
        created_at=created_at,
        renewed_at=created_at,
        expires_at=created_at + draw(st.floats(0, 86_400)),
        owner=owner,
        authenticated_at=None if owner is None else created_at,
        data=MappingProxyType(data),
        flash=frozenset(flash),
    )


def appended(value: Any) -> Any:
    """A function for ``Modify`` that works on whatever was there."""
    return [*value, 1] if isinstance(value, list) else [value]


def transitions() -> SearchStrategy[Transition]:
    """Everything that can happen to a session."""
    return st.one_of(
        st.builds(Put, keys, raws()),
        st.builds(PutAll, st.dictionaries(keys, raws(), max_size=3)),
        st.builds(Flash, keys, raws()),
        st.builds(Remove, keys),
        st.builds(Consume, keys, raws()),
        st.builds(Modify, keys, st.just(appended)),
        st.just(Clear()),
        st.builds(Touch, times),
        st.just(Rotate()),
        st.builds(Bind, st.sampled_from(["user:1", "user:2"])),
        st.just(Destroy()),
    )


def patches() -> SearchStrategy[Patch]:
    """What one request did."""
    many = st.lists(transitions(), max_size=6).map(compact)
    return st.builds(Patch, many, looked=st.booleans(), extend=st.booleans())


def cookie_headers(name: str = "__Host-session") -> SearchStrategy[list[bytes]]:
    """Raw values of Cookie headers: a browser's, a proxy's, an attacker's, and noise."""
    token = st.binary(min_size=48, max_size=48).map(urlsafe_b64encode)
    value = token | st.binary(max_size=80)
    ours = value.map(lambda text: name.encode() + b"=" + text)
    other = st.sampled_from(
        [b"theme=dark", b'q="x; ' + name.encode() + b'=y"', b"=", b"novalue", b"a=b=c", b" \t"]
    )
    header = st.lists(ours | other, max_size=4).map(b"; ".join)
    return st.lists(header | st.binary(max_size=60), max_size=3)
