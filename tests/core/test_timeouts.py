"""``Timeouts`` and ``Policy``: when a session ends, as arithmetic."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sojourn import ConfigurationError, Policy, Timeouts

from ._strategies import policies, times


@given(policies, times, times)
def test_promise_20_deadline_is_the_earlier_of_the_two(
    policy: Policy, created_at: float, now: float
) -> None:
    """The deadline is min(now + idle, created_at + absolute)."""
    idle_end = math.inf if policy.idle is None else now + policy.idle
    absolute_end = math.inf if policy.absolute is None else created_at + policy.absolute
    assert min(idle_end, absolute_end) == policy.deadline(created_at, now)


@given(policies, times, st.lists(st.integers(0, 500).map(float)))
def test_no_activity_leads_beyond_the_absolute_timeout(
    policy: Policy, created_at: float, steps: list[float]
) -> None:
    """However a session is used, its deadline only grows, and never past created_at + absolute."""
    now = created_at
    expires_at = policy.deadline(created_at, now)
    for step in steps:
        now += step
        if policy.is_over(created_at, expires_at, now):
            break
        later = policy.extended(created_at, expires_at, now)
        assert expires_at <= later <= created_at + (policy.absolute or math.inf)
        expires_at = later


@given(policies, times, times, times)
def test_promise_02_an_extension_is_throttled(
    policy: Policy, created_at: float, last: float, pause: float
) -> None:
    """Activity within extend_after of the last extension extends nothing."""
    assume(policy.idle is not None)
    last += created_at
    expires_at = last + (policy.idle or 0)
    if pause < policy.extend_after or not policy.auto_extend:
        assert expires_at == policy.extended(created_at, expires_at, last + pause)
    else:
        end = policy.deadline(created_at, last + pause)
        assert max(expires_at, end) == policy.extended(created_at, expires_at, last + pause)


@given(policies, times, times, times)
def test_over_means_idle_or_absolute(
    policy: Policy, created_at: float, expires_at: float, now: float
) -> None:
    """A session is over at its deadline, and at created_at + absolute whatever its row says."""
    too_old = now >= created_at + (policy.absolute or math.inf)
    assert policy.is_over(created_at, expires_at, now) == (now >= expires_at or too_old)


@given(policies, times, times)
def test_renewal_is_due_after_rotate_after(policy: Policy, renewed_at: float, now: float) -> None:
    """A secret is renewed at the age of rotate_after, and never without it."""
    due = policy.rotate_after is not None and now - renewed_at >= policy.rotate_after
    assert due == policy.renewal_due(renewed_at, now)


def test_the_defaults() -> None:
    """Half an hour idle, twelve hours in all, extensions after a tenth of idle, grace of 30 s."""
    policy = Policy.of(Timeouts())
    assert Policy(1800, 43200, None, 180, True, 30) == policy


def test_timedelta_is_as_good_as_seconds() -> None:
    """Wherever a number of seconds goes, a timedelta does."""
    given_ = Timeouts(
        idle=timedelta(minutes=5),
        absolute=timedelta(hours=1),
        rotate_after=timedelta(minutes=10),
        extend_after=timedelta(seconds=7),
        grace=timedelta(seconds=9),
    )
    assert Policy(300, 3600, 600, 7, True, 9) == Policy.of(given_)


def test_no_idle_timeout() -> None:
    """Without idle, nothing is extended and the session ends at its absolute timeout."""
    policy = Policy.of(Timeouts(idle=None, absolute=100))
    assert 100 == policy.deadline(0, 50)
    assert 100 == policy.extended(0, 100, 99)


@pytest.mark.parametrize("name", ["idle", "absolute", "rotate_after", "extend_after", "grace"])
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, -0.5, timedelta(seconds=-1), "30", b"1"])
def test_what_is_no_duration_is_refused(name: str, value: Any) -> None:
    """A negative, endless or textual duration is a ConfigurationError that names the option."""
    with pytest.raises(ConfigurationError, match=name):
        Timeouts(**{name: value})


@pytest.mark.parametrize("name", ["idle", "absolute", "rotate_after"])
def test_zero_is_refused_where_it_would_end_every_session(name: str) -> None:
    """Zero is no lifetime."""
    with pytest.raises(ConfigurationError, match=name):
        Timeouts(**{name: 0})


def test_auto_extend_is_a_truth() -> None:
    """Text out of the environment, which is always true, is refused."""
    with pytest.raises(ConfigurationError, match="auto_extend"):
        Timeouts(auto_extend="false")  # type: ignore[arg-type]


def test_a_session_needs_an_end() -> None:
    """Neither idle nor absolute is refused."""
    with pytest.raises(ConfigurationError, match="idle or absolute"):
        Timeouts(idle=None, absolute=None)


def test_extend_after_must_be_less_than_idle() -> None:
    """An extension that comes too late for the idle timeout is refused."""
    with pytest.raises(ConfigurationError, match="extend_after"):
        Timeouts(idle=60, extend_after=60)
    assert 0 == Policy.of(Timeouts(extend_after=0)).extend_after
