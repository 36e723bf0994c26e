"""``quart.session`` as a mapping."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn import SessionManager
from sojourn_memory import MemoryStore
from sojourn_quart import QuartSession
from sojourn_quart._exchange import Exchange

_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.sampled_from("abc"), _values),
        st.tuples(st.just("pop"), st.sampled_from("abc"), st.none()),
        st.tuples(st.just("setdefault"), st.sampled_from("abc"), _values),
        st.tuples(st.just("clear"), st.just(""), st.none()),
    ),
    max_size=8,
)


@settings(deadline=None)  # a busy machine is not a slow mapping
@given(steps=_steps)
def test_behaves_like_a_dict(steps: list[tuple[str, str, Any]]) -> None:
    """Whatever is done to it, quart.session holds what a dict would hold."""
    manager = SessionManager(MemoryStore())
    exchange = Exchange()
    with pytest.raises(StopIteration):
        exchange.open([manager], []).send(None)
    ours, theirs = QuartSession(exchange, manager), dict[str, Any]()
    for step, key, value in steps:
        for mapping in (ours, theirs):
            if step == "set":
                mapping[key] = value
            elif step == "clear":
                mapping.clear()
            else:
                getattr(mapping, step)(key, value)
        assert dict(ours) == theirs
        assert (len(ours), bool(ours), "a" in ours) == (len(theirs), bool(theirs), "a" in theirs)
        assert ours == theirs
