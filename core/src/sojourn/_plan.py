"""The decision what a commit does: one literal table, and pure functions around it.

``plan_commit`` looks at what the cookie opened (``Presence``) and at what the handler did
(``Intent``), and reads the rest off ``TABLE``. Tests and the diagram in the docs come from the same
table.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from ._backend import Opened, Presence
from ._state import SessionState, blank
from ._timeouts import Policy
from ._transitions import Bind, Destroy, Kinds, Patch, Rotate


class Intent(enum.StrEnum):
    """What a patch asks for, strongest first."""

    RESTART = "restart"  # destroyed, and then written to: another session begins
    DESTROY = "destroy"
    BIND = "bind"
    ROTATE = "rotate"
    RENEW = "renew"  # rotate_after has passed
    CHANGE = "change"
    EXTEND = "extend"  # activity, or touch()
    REST = "rest"  # nothing that anybody would have to remember


class Operation(enum.Enum):
    """The one call that a backend gets."""

    NOTHING = "nothing"
    CREATE = "create"
    REPLACE = "replace"
    TOUCH = "touch"
    DELETE = "delete"
    RESTART = "restart"  # delete, then create: cut in between, the visitor is logged out
    REFUSE = "refuse"  # no call: the response cannot carry the cookie that this needs


class Cookie(enum.Enum):
    """What the response says about our cookie."""

    LEAVE = "leave"
    SEND = "send"
    REFRESH = "refresh"  # send it again if its age changed
    EXPIRE = "expire"


class Secret(enum.Enum):
    """What becomes of the session's secret."""

    KEEP = "keep"
    FRESH = "fresh"  # the former one is dead at once
    GRACE = "grace"  # the former one is good for a short time


class Row(NamedTuple):
    """One line of the table; ``without`` is the operation when no cookie can be sent."""

    operation: Operation
    cookie: Cookie
    secret: Secret
    without: Operation


_N, _C, _R, _T, _D, _X, _NO = (
    Operation.NOTHING,
    Operation.CREATE,
    Operation.REPLACE,
    Operation.TOUCH,
    Operation.DELETE,
    Operation.RESTART,
    Operation.REFUSE,
)
_LEAVE, _SEND, _REFRESH, _EXPIRE = Cookie
_KEEP, _FRESH, _GRACE = Secret

_NONE = Row(_N, _LEAVE, _KEEP, _N)

TABLE: dict[tuple[Presence, Intent], Row] = {
    (Presence.NEW, Intent.REST): _NONE,
    (Presence.NEW, Intent.EXTEND): _NONE,
    (Presence.NEW, Intent.CHANGE): Row(_C, _SEND, _FRESH, _NO),
    (Presence.NEW, Intent.RENEW): _NONE,
    (Presence.NEW, Intent.ROTATE): Row(_C, _SEND, _FRESH, _NO),
    (Presence.NEW, Intent.BIND): Row(_C, _SEND, _FRESH, _NO),
    # A cookie that opened nothing may have been replaced in another tab: it is left alone.
    (Presence.NEW, Intent.DESTROY): _NONE,
    (Presence.NEW, Intent.RESTART): Row(_C, _SEND, _FRESH, _NO),
    (Presence.ROW, Intent.REST): _NONE,
    (Presence.ROW, Intent.EXTEND): Row(_T, _REFRESH, _KEEP, _T),
    (Presence.ROW, Intent.CHANGE): Row(_R, _REFRESH, _KEEP, _R),
    (Presence.ROW, Intent.RENEW): Row(_R, _SEND, _GRACE, _R),
    (Presence.ROW, Intent.ROTATE): Row(_R, _SEND, _FRESH, _NO),
    (Presence.ROW, Intent.BIND): Row(_R, _SEND, _FRESH, _NO),
    (Presence.ROW, Intent.DESTROY): Row(_D, _EXPIRE, _KEEP, _D),
    (Presence.ROW, Intent.RESTART): Row(_X, _SEND, _FRESH, _D),
    # The browser has the new secret already, or is about to get it: it must not be overwritten.
    (Presence.GRACE, Intent.REST): _NONE,
    (Presence.GRACE, Intent.EXTEND): Row(_T, _LEAVE, _KEEP, _T),
    (Presence.GRACE, Intent.CHANGE): Row(_R, _LEAVE, _KEEP, _R),
    (Presence.GRACE, Intent.RENEW): Row(_R, _LEAVE, _KEEP, _R),
    (Presence.GRACE, Intent.ROTATE): Row(_R, _SEND, _FRESH, _NO),
    (Presence.GRACE, Intent.BIND): Row(_R, _SEND, _FRESH, _NO),
    (Presence.GRACE, Intent.DESTROY): Row(_D, _EXPIRE, _KEEP, _D),
    (Presence.GRACE, Intent.RESTART): Row(_X, _SEND, _FRESH, _D),
    # The cookie is the session: without a cookie nothing can be written.
    (Presence.SEAL, Intent.REST): _NONE,
    (Presence.SEAL, Intent.EXTEND): Row(_R, _SEND, _KEEP, _N),
    (Presence.SEAL, Intent.CHANGE): Row(_R, _SEND, _KEEP, _NO),
    (Presence.SEAL, Intent.RENEW): Row(_R, _SEND, _FRESH, _NO),
    (Presence.SEAL, Intent.ROTATE): Row(_R, _SEND, _FRESH, _NO),
    (Presence.SEAL, Intent.BIND): Row(_R, _SEND, _FRESH, _NO),
    (Presence.SEAL, Intent.DESTROY): Row(_D, _EXPIRE, _KEEP, _NO),
    (Presence.SEAL, Intent.RESTART): Row(_X, _SEND, _FRESH, _NO),
}


def decisions() -> Mapping[tuple[Presence, Intent], Row]:
    """The table, read-only: for backends that want to check themselves, and for the docs."""
    return MappingProxyType(TABLE)


class CommitPlan(Struct, frozen=True):
    """What a backend has to do.

    - ``opened``: what was loaded; None for a new visitor.
    - ``after``: the state to store; its ``version`` is still the loaded one, and its ``id`` is ""
      where the backend has to mint one.
    - ``grace_until``: until when the former secret is good, for ``Secret.GRACE``.
    """

    intent: Intent
    operation: Operation
    cookie: Cookie
    secret: Secret
    opened: Opened | None
    after: SessionState
    grace_until: float | None = None


# A member takes 90 ns to look up on its enum (3.11), and these are needed for each commit.
_NEW, _IN_GRACE = Presence.NEW, Presence.GRACE
_NO_KINDS: Kinds = frozenset()
_RENEW, _CHANGE, _EXTEND, _REST = Intent.RENEW, Intent.CHANGE, Intent.EXTEND, Intent.REST


def plan_commit(
    opened: Opened | None,
    patch: Patch,
    policy: Policy,
    now: float,
    *,
    can_set_cookie: bool = True,
) -> CommitPlan:
    """What to do about this patch on this session. Pure; raises what a Modify function raises."""
    if opened is None:
        before, presence, stale = patch.before or blank(now), _NEW, False
    else:
        before, presence = opened.state, opened.presence
        stale = opened.stale and can_set_cookie
    # Where the effect is known, nothing among the transitions depends on when they happen.
    kinds = _NO_KINDS if patch.after is not None else patch.kinds()
    after = _settled(patch.on(before, now), patch, kinds, policy, now)
    renew = (
        policy.rotate_after is not None
        and presence is not _IN_GRACE
        and patch.looked
        and can_set_cookie
        and policy.renewal_due(before.renewed_at, now)
    )
    intent = _intent(before, after, kinds, renew=renew, stale=stale)
    row = TABLE[presence, intent]
    if intent is _RENEW:
        after = replace(after, renewed_at=now)
    grace = now + policy.grace if row.secret is _GRACE else None
    if can_set_cookie:
        return CommitPlan(intent, row.operation, row.cookie, row.secret, opened, after, grace)
    return CommitPlan(intent, row.without, Cookie.LEAVE, Secret.KEEP, opened, after)


def _settled(
    after: SessionState, patch: Patch, kinds: Kinds, policy: Policy, now: float
) -> SessionState:
    """The replayed state with its deadline."""
    if not after.id or (kinds and Bind in kinds):
        # It begins now: nothing stored yet, or a login.
        begins = policy.deadline(after.created_at, now)
        return replace(after, expires_at=begins)
    if patch.looked and patch.extend:
        expires_at = policy.extended(after.created_at, after.expires_at, now)
        return after if expires_at == after.expires_at else replace(after, expires_at=expires_at)
    return after


def _intent(
    before: SessionState, after: SessionState, kinds: Kinds, *, renew: bool, stale: bool
) -> Intent:
    """The strongest intent that applies."""
    if Destroy in kinds:
        intent = Intent.RESTART if after.is_worth_keeping else Intent.DESTROY
    elif Bind in kinds:
        intent = Intent.BIND
    elif not before.id:
        intent = _CHANGE if after.is_worth_keeping else _REST
    elif Rotate in kinds:
        intent = Intent.ROTATE
    elif renew:
        intent = _RENEW
    elif stale or after.data != before.data or after.flash != before.flash:
        intent = _CHANGE
    else:
        intent = _EXTEND if after.expires_at > before.expires_at else _REST
    return intent


def rests(opened: Opened | None, policy: Policy, now: float, *, extend: bool) -> bool:
    """Whether the plan for a request that only looked would do nothing, whatever it can send.

    What most requests need to know, without building a plan; a property holds it to the planner.
    """
    if opened is None:
        return True
    state = opened.state
    return (
        not opened.stale
        and not (policy.rotate_after and policy.renewal_due(state.renewed_at, now))
        and not (
            extend and policy.extended(state.created_at, state.expires_at, now) > state.expires_at
        )
    )
