"""``plan_commit`` and its table: every pair of what was opened and what was done has one answer."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

import sojourn
from sojourn import (
    Bind,
    CommitPlan,
    Cookie,
    Destroy,
    Intent,
    Opened,
    Operation,
    Patch,
    Policy,
    Presence,
    Put,
    Rotate,
    Secret,
    SessionState,
    Touch,
    Transition,
    compact,
    plan_commit,
    replay,
)
from sojourn._plan import TABLE, rests

from ._strategies import ID, patches, policies, states, times

PAIRS = list(itertools.product(Presence, Intent))
ONE = Raw(b"\x01")
POLICY = Policy(
    idle=100, absolute=1000, rotate_after=50, extend_after=10, auto_extend=True, grace=30
)
STATE = SessionState(id=ID, version=3, created_at=0, renewed_at=0, expires_at=100)


@st.composite
def opened_sessions(draw: st.DrawFn) -> Opened | None:
    """What a cookie may have opened."""
    presence = draw(st.sampled_from(list(Presence)))
    if presence is Presence.NEW:
        return None
    stored = draw(states().filter(lambda state: state.id))
    stale = presence is Presence.SEAL and draw(st.booleans())
    return Opened(stored, presence, None, stale=stale)


requests = st.builds(
    lambda made, looked, extend: Patch(compact(made), looked, extend),
    patches,
    st.booleans(),
    st.booleans(),
)


def _opened(presence: Presence) -> Opened | None:
    return None if presence is Presence.NEW else Opened(STATE, presence, None)


def test_the_table_is_complete() -> None:
    """Every pair of Presence and Intent has exactly one row."""
    assert set(PAIRS) == set(TABLE)
    assert len(PAIRS) == len(TABLE)


def test_the_table_is_written_out() -> None:
    """The table's source has one line for each pair: none is made by a loop, none stands twice."""
    source = Path(sojourn.__file__).with_name("_plan.py").read_text()
    written = re.findall(r"^    \(Presence\.(\w+), Intent\.(\w+)\): ", source, re.MULTILINE)
    assert sorted(written) == sorted((p.name, i.name) for p, i in PAIRS)


@pytest.mark.parametrize(("presence", "intent"), PAIRS)
def test_each_row_is_consistent(presence: Presence, intent: Intent) -> None:
    """No row contradicts itself: a new secret needs a cookie, and only a row can be touched."""
    row = TABLE[presence, intent]
    if row.operation is Operation.NOTHING:
        assert (row.cookie, row.secret) == (Cookie.LEAVE, Secret.KEEP)
    if row.secret is not Secret.KEEP:
        assert row.cookie is Cookie.SEND or presence is Presence.GRACE
    if row.operation in (Operation.CREATE, Operation.RESTART):
        assert (row.cookie, row.secret) == (Cookie.SEND, Secret.FRESH)
    if row.cookie is Cookie.EXPIRE:
        assert row.operation is Operation.DELETE
    if row.operation is Operation.TOUCH:
        assert presence in (Presence.ROW, Presence.GRACE)
    assert row.without not in (Operation.CREATE, Operation.RESTART)


@pytest.mark.parametrize("intent", Intent)
def test_promise_09_only_create_creates(intent: Intent) -> None:
    """A visitor without a session gets one by CREATE or not at all; nobody else gets CREATE."""
    assert TABLE[Presence.NEW, intent].operation in (Operation.CREATE, Operation.NOTHING)
    for presence in set(Presence) - {Presence.NEW}:
        assert TABLE[presence, intent].operation is not Operation.CREATE


@pytest.mark.parametrize("intent", [Intent.REST, Intent.EXTEND, Intent.CHANGE, Intent.RENEW])
def test_promise_16_grace_leaves_the_cookie_alone(intent: Intent) -> None:
    """A request with the former secret never overwrites the cookie that holds the new one."""
    assert TABLE[Presence.GRACE, intent].cookie is Cookie.LEAVE


EXAMPLES: dict[Intent, tuple[Transition, ...]] = {
    Intent.REST: (),
    Intent.EXTEND: (Touch(900.0),),
    Intent.CHANGE: (Put("a", ONE),),
    Intent.RENEW: (),
    Intent.ROTATE: (Rotate(), Put("a", ONE)),
    Intent.BIND: (Bind("ann"),),
    Intent.DESTROY: (Destroy(),),
    Intent.RESTART: (Destroy(), Put("a", ONE)),
}


def _example(presence: Presence, intent: Intent, *, can_set_cookie: bool) -> CommitPlan:
    now = 60.0 if intent is Intent.RENEW else 5.0
    patch = Patch(EXAMPLES[intent])
    return plan_commit(_opened(presence), patch, POLICY, now, can_set_cookie=can_set_cookie)


# A visitor without a session has nothing to extend, to renew or to rotate, and a secret that is
# in its grace is not renewed again: these pairs become other ones.
REDUCED = {
    (Presence.NEW, Intent.EXTEND): Intent.REST,
    (Presence.NEW, Intent.RENEW): Intent.REST,
    (Presence.NEW, Intent.ROTATE): Intent.CHANGE,
    (Presence.GRACE, Intent.RENEW): Intent.EXTEND,
}


@pytest.mark.parametrize(("presence", "intent"), PAIRS)
def test_the_plan_is_what_the_table_says(presence: Presence, intent: Intent) -> None:
    """The plan of an example of each pair is the table's row."""
    plan = _example(presence, intent, can_set_cookie=True)
    intent = REDUCED.get((presence, intent), intent)
    row = TABLE[presence, intent]
    assert (intent, row.operation, row.cookie, row.secret) == (
        plan.intent,
        plan.operation,
        plan.cookie,
        plan.secret,
    )
    assert (plan.grace_until is not None) == (row.secret is Secret.GRACE)


@pytest.mark.parametrize(("presence", "intent"), PAIRS)
def test_the_plan_without_a_cookie_is_what_the_table_says(
    presence: Presence, intent: Intent
) -> None:
    """Where no cookie can be sent, the table's last column counts."""
    plan = _example(presence, intent, can_set_cookie=False)
    if intent is Intent.RENEW:  # nothing renews a secret that nobody would hear of
        intent = Intent.REST if presence is Presence.NEW else Intent.EXTEND
    intent = REDUCED.get((presence, intent), intent)
    assert intent is plan.intent
    assert TABLE[presence, intent].without is plan.operation


@given(opened_sessions(), requests, policies, times)
def test_promise_13_the_planner_sends_no_cookie_that_nobody_can_send(
    opened: Opened | None, patch: Patch, policy: Policy, now: float
) -> None:
    """With can_set_cookie=False no plan sends, creates, rotates or expires."""
    plan = plan_commit(opened, patch, policy, now, can_set_cookie=False)
    assert plan.cookie is Cookie.LEAVE
    assert plan.secret is Secret.KEEP
    assert plan.grace_until is None
    assert plan.operation not in (Operation.CREATE, Operation.RESTART)


@given(opened_sessions(), requests, policies, times, st.booleans())
def test_the_planner_is_pure(
    opened: Opened | None, patch: Patch, policy: Policy, now: float, can: bool
) -> None:
    """The same question gives the same plan."""
    first = plan_commit(opened, patch, policy, now, can_set_cookie=can)
    assert first == plan_commit(opened, patch, policy, now, can_set_cookie=can)


@given(opened_sessions(), requests, policies, times)
def test_promise_20_the_planned_deadline(
    opened: Opened | None, patch: Patch, policy: Policy, now: float
) -> None:
    """A session that begins now ends at min(now + idle, created_at + absolute)."""
    plan = plan_commit(opened, patch, policy, now)
    if plan.operation in (Operation.CREATE, Operation.RESTART) or plan.intent is Intent.BIND:
        assert now == plan.after.created_at
        assert min(now + (policy.idle or 1e9), now + (policy.absolute or 1e9)) == (
            plan.after.expires_at
        )


@given(opened_sessions(), requests, policies, times)
def test_a_commit_never_shortens(
    opened: Opened | None, patch: Patch, policy: Policy, now: float
) -> None:
    """Unless it begins anew, a session's deadline only moves later."""
    plan = plan_commit(opened, patch, policy, now)
    begins = plan.intent in (Intent.BIND, Intent.DESTROY, Intent.RESTART)
    if opened is not None and not begins and Bind not in patch.kinds():
        assert plan.after.expires_at >= opened.state.expires_at


@given(opened_sessions(), policies, times, st.booleans(), st.booleans())
def test_rests_agrees_with_the_planner(
    opened: Opened | None, policy: Policy, now: float, extend: bool, can: bool
) -> None:
    """A request that only looked and is said to rest has a plan that does nothing."""
    if rests(opened, policy, now, extend=extend):
        plan = plan_commit(opened, Patch((), True, extend), policy, now, can_set_cookie=can)
        assert plan.operation is Operation.NOTHING


@given(opened_sessions(), policies, times)
def test_rests_is_no_excuse(opened: Opened | None, policy: Policy, now: float) -> None:
    """A request that only looked and may send a cookie rests exactly if its plan does nothing."""
    plan = plan_commit(opened, Patch(), policy, now)
    grace = opened is not None and opened.presence is Presence.GRACE
    resting = rests(opened, policy, now, extend=True)
    assert grace or resting == (plan.operation is Operation.NOTHING)


@given(opened_sessions(), requests, policies, times)
def test_the_plan_stores_what_was_done(
    opened: Opened | None, patch: Patch, policy: Policy, now: float
) -> None:
    """The state to store has the data and the owner that the patch gives."""
    plan = plan_commit(opened, patch, policy, now)
    start = opened.state if opened else SessionState("", 0, now, now, now)
    after = replay(start, patch.transitions, now)
    assert (after.data, after.flash, after.owner) == (
        plan.after.data,
        plan.after.flash,
        plan.after.owner,
    )


def test_promise_29_an_old_key_is_a_reason_to_seal_anew() -> None:
    """A session that an old key opened is written, unless no cookie can carry it."""
    stale = Opened(STATE, Presence.SEAL, None, stale=True)
    quiet = Patch((), False)
    assert Operation.REPLACE is plan_commit(stale, quiet, POLICY, 1).operation
    assert Operation.NOTHING is plan_commit(stale, quiet, POLICY, 1, can_set_cookie=False).operation
