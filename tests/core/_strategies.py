"""Hypothesis strategies: states, transitions, settings, and values that a session may hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import Raw

from sojourn import (
    Bind,
    Clear,
    Consume,
    Destroy,
    Flash,
    Modify,
    Policy,
    Put,
    PutAll,
    Remove,
    Rotate,
    SessionState,
    Touch,
    Transition,
)

ID = "0123456789abcdef" * 2

keys = st.sampled_from(["a", "b", "c"])
raws = st.integers(0, 3).map(lambda number: Raw(msgspec.msgpack.encode(number)))
times = st.integers(0, 10_000).map(float)
owners = st.sampled_from(["ann", "bob"])


def _one(_value: Any) -> int:
    return 1


def _next(value: Any) -> int:
    return value + 1 if isinstance(value, int) else 0


functions: st.SearchStrategy[Callable[[Any], Any]] = st.sampled_from([_one, _next])


@st.composite
def states(draw: st.DrawFn) -> SessionState:
    """Any state: stored or not, owned or not, with any of its keys flash."""
    data = draw(st.dictionaries(keys, raws))
    flash = frozenset(key for key in data if draw(st.booleans()))
    created_at = draw(times)
    owner = draw(st.none() | owners)
    return SessionState(
        id=draw(st.sampled_from(["", ID])),
        version=draw(st.integers(0, 5)),
        created_at=created_at,
        renewed_at=created_at + draw(times),
        expires_at=created_at + draw(times),
        owner=owner,
        authenticated_at=None if owner is None else created_at,
        data=MappingProxyType(data),
        flash=flash,
    )


value_changes: st.SearchStrategy[Transition] = st.one_of(
    st.builds(Put, keys, raws),
    st.builds(PutAll, st.dictionaries(keys, raws)),
    st.builds(Flash, keys, raws),
    st.builds(Remove, keys),
    st.builds(Consume, keys, raws),
    st.builds(Modify, keys, functions, st.just(7)),
    st.just(Clear()),
)
transitions: st.SearchStrategy[Transition] = st.one_of(
    value_changes,
    st.builds(Touch, times),
    st.just(Rotate()),
    st.builds(Bind, owners),
    st.just(Destroy()),
)
patches = st.lists(transitions, max_size=8)

policies = st.builds(
    Policy,
    idle=st.none() | st.integers(1, 2_000).map(float),
    absolute=st.integers(1, 10_000).map(float),
    rotate_after=st.none() | st.integers(1, 2_000).map(float),
    extend_after=st.integers(0, 200).map(float),
    auto_extend=st.booleans(),
    grace=st.integers(0, 60).map(float),
)

_aware = st.datetimes(
    min_value=dt.datetime(1, 1, 2),  # noqa: DTZ001 - the zone is given apart
    max_value=dt.datetime(9999, 12, 30),  # noqa: DTZ001 - the same
    timezones=st.just(dt.UTC),
)
plain_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
        st.binary(max_size=20),
        _aware,
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner)
    ),
    max_leaves=10,
)
"""What a session promises to keep."""

_odd = st.one_of(
    st.floats(),
    st.integers(),
    st.text(),
    st.datetimes(),
    st.dates(),
    st.decimals(),
    st.complex_numbers(),
    st.uuids(),
    st.builds(object),
    st.binary().map(bytearray),
)
any_values = st.recursive(
    plain_values | _odd,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.one_of(st.text(), st.integers(), st.binary(), st.none()), inner),
        st.frozensets(st.integers(), max_size=3),
        st.sets(st.text(), max_size=3),
    ),
    max_leaves=10,
)
"""What a handler may try to put in."""
