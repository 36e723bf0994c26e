"""``remember``: a cookie that comes again is not opened again, and is judged again."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn import (
    CommitPlan,
    Cookie,
    Intent,
    KeyRing,
    Opened,
    Operation,
    Policy,
    Rejection,
    Secret,
    Timeouts,
)
from sojourn_cookie import CookieBackend

from ._sessions import NOW, TYPICAL, opened, state, token

KEYS = KeyRing(KeyRing.generate())


def backend(remember=8):
    """A backend that remembers so many sessions."""
    policy = Policy.of(Timeouts(idle=1800))
    return CookieBackend(
        KEYS, cookie="session", policy=policy, entropy=os.urandom, remember=remember
    )


def test_the_same_cookie_gives_the_very_same_state():
    """What a cookie opened once is handed out again, which is safe because it is immutable."""
    remembering, text = backend(), token(backend(), state(TYPICAL))
    first, again = opened(remembering, text), opened(remembering, text)
    assert isinstance(first, Opened)
    assert isinstance(again, Opened)
    assert again.state is first.state


def test_without_remembering_each_request_opens_its_cookie():
    """``remember=0`` keeps nothing."""
    forgetful, text = backend(0), token(backend(), state(TYPICAL))
    first, again = opened(forgetful, text), opened(forgetful, text)
    assert first == again
    assert isinstance(first, Opened)
    assert isinstance(again, Opened)
    assert again.state is not first.state


def test_a_remembered_session_expires():
    """The deadline is asked each time."""
    remembering, text = backend(), token(backend(), state(TYPICAL))
    assert isinstance(opened(remembering, text, NOW + 1799), Opened)
    assert Rejection.EXPIRED is opened(remembering, text, NOW + 1800)
    assert isinstance(opened(remembering, text, NOW + 1799), Opened)


@given(st.integers(0), st.integers(1, 255))
def test_a_changed_byte_opens_nothing_beside_a_remembered_session(place, difference):
    """Only the very bytes that opened before are remembered."""
    remembering, text = backend(), token(backend(), state(TYPICAL))
    assert isinstance(opened(remembering, text), Opened)
    changed = bytearray(text)
    changed[place % len(text)] ^= difference
    assert not isinstance(opened(remembering, bytes(changed)), Opened)


def test_what_has_ended_is_not_remembered():
    """A logout forgets what the cookie opened, although that cookie would open again."""
    remembering, text = backend(), token(backend(), state(TYPICAL))
    before = opened(remembering, text)
    assert isinstance(before, Opened)
    assert 1 == len(remembering._recent)
    plan = CommitPlan(
        Intent.DESTROY, Operation.DELETE, Cookie.EXPIRE, Secret.KEEP, before, before.state
    )
    with pytest.raises(StopIteration):
        remembering.write(plan, now=NOW).send(None)
    assert 0 == len(remembering._recent)
