"""Writing a draft, and answering a response: the loop around the planner.

Reload and replay when another request was faster, until the commit's deadline; deletion always
wins. Nothing is sent to the browser before the store agreed.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator

import anyio
from msgspec import Struct
from msgspec.structs import replace

from ._backend import Opened, Written
from ._draft import Draft
from ._errors import ConflictError, SessionTooLargeError, StoreError
from ._events import (
    CommitDiscarded,
    CommitRetried,
    Discard,
    Event,
    Rejection,
    SessionBound,
    SessionChanged,
    SessionCreated,
    SessionDestroyed,
    SessionExtended,
    SessionRotated,
)
from ._loading import report_failure
from ._plan import CommitPlan, Cookie, Intent, Operation, plan_commit, rests
from ._settings import Settings
from ._state import SessionState
from ._store import Outcome
from ._transitions import compact

Headers = tuple[tuple[str, str], ...]

# A member takes 90 ns to look up on its enum (3.11), and these are needed for each request.
_NO_OPERATION, _REFUSE = Operation.NOTHING, Operation.REFUSE
_LEAVE, _EXPIRE, _REFRESH = Cookie.LEAVE, Cookie.EXPIRE, Cookie.REFRESH
_APPLIED = Outcome.APPLIED

_VARY = ("Vary", "Cookie")
_TRIES_WITHOUT_PAUSE = 4
_LONGEST_PAUSE = 0.02


class CommitResult(Struct, frozen=True):
    """What the response has to say.

    ``headers``: names and values to merge into the response's own, see ``merge_headers``.
    ``discarded``: why a change was not written, or None.
    """

    headers: Headers = ()
    discarded: Discard | None = None

    def __repr__(self) -> str:
        names = ", ".join(name for name, _ in self.headers)
        return f"<CommitResult with {names or 'no headers'}>"


NOTHING = CommitResult()
_LOOKED = CommitResult((_VARY,))


def is_at_rest(draft: Draft) -> bool:
    """Whether there is nothing to write and nothing due; most requests end here."""
    if not draft.accessed or draft.current is None:
        return True
    if draft.unavailable is not None or draft.discarded is not None:
        return True
    if not draft.is_untouched:
        return False
    settings = draft.settings
    return rests(draft.opened, settings.policy, settings.clock(), extend=draft.extend)


def needs_write(draft: Draft) -> bool:
    """Whether ``write`` has to be awaited, be it for what another task of the request writes."""
    return draft.is_writing or not is_at_rest(draft)


async def write(draft: Draft, *, seal: bool = False) -> None:
    """Write what a draft that ``needs_write`` changed; ``seal``: and let no change come after that.

    One at a time: what another task of the request changes meanwhile is the next write's.
    Raises StoreError, SessionTooLargeError, SessionValueError; the draft then still has its patch.
    """
    if draft.is_writing and not await _is_needed_after_others(draft):
        return None
    settings, patch, opened = draft.settings, draft.take(seal=seal), draft.opened
    attempts, give_up_at, policy = 0, 0.0, settings.policy
    try:
        while True:
            now = settings.clock()
            can_set = draft.can_set_cookie
            plan = plan_commit(opened, patch, policy, now, can_set_cookie=can_set)
            if plan.operation is _NO_OPERATION:
                return None
            if plan.operation is _REFUSE:
                return discard(draft, Discard.NO_COOKIE)
            try:
                written = await settings.backend.write(plan, now=now)
                line = _line(settings, plan, written, now) if written.outcome is _APPLIED else None
            except StoreError as error:
                report_failure(settings, plan.operation.value, error)
                raise
            except SessionTooLargeError as error:
                raise SessionTooLargeError(f"{error}; {biggest_keys(plan.after)}") from None
            if written.outcome is _APPLIED:
                return _settle(draft, plan, written, line, now)
            # Nobody waits on the hot path: the clock for giving up starts at the first conflict.
            attempts += 1
            give_up_at = give_up_at or anyio.current_time() + settings.commit_deadline
            reloaded = await _newest(settings, plan, written, attempts, give_up_at)
            if isinstance(reloaded, Discard):
                return _lost(draft, plan, reloaded)
            # From now on the patch has to be replayed.
            opened, patch = reloaded, replace(patch, transitions=compact(patch.transitions))
            settings.emit(CommitRetried(id=opened.state.id, attempts=attempts))
    finally:
        draft.end_turn()


async def _is_needed_after_others(draft: Draft) -> bool:
    """Whether something is left to write once the request's other tasks have written."""
    while draft.is_writing:
        draft.turn = draft.turn or anyio.Event()
        await draft.turn.wait()
    return not is_at_rest(draft)


async def _newest(
    settings: Settings, plan: CommitPlan, written: Written, attempts: int, give_up_at: float
) -> Opened | Discard:
    """The session as another request left it, or why there is none to write to."""
    if written.outcome is Outcome.GONE:
        return Discard.GONE
    await _pause(attempts, give_up_at)
    reloaded = await _reload(settings, plan, settings.clock())
    if not isinstance(reloaded, Rejection):
        return reloaded
    return Discard.SUPERSEDED if reloaded is Rejection.WRONG_SECRET else Discard.GONE


async def _reload(settings: Settings, plan: CommitPlan, now: float) -> Opened | Rejection:
    if plan.opened is None:  # only what was loaded can conflict
        return Rejection.UNKNOWN
    try:
        return await settings.backend.load(plan.opened.ticket, now=now)
    except StoreError as error:
        report_failure(settings, "load", error)
        raise


async def _pause(attempts: int, give_up_at: float) -> None:
    """Let others finish; ordinary contention ends within a few rounds."""
    if anyio.current_time() >= give_up_at:
        raise ConflictError(
            f"other requests kept changing this session; gave up after {attempts} attempts"
        )
    if attempts > _TRIES_WITHOUT_PAUSE:
        await anyio.sleep(random.uniform(0, _LONGEST_PAUSE))  # noqa: S311 - jitter


def _line(settings: Settings, plan: CommitPlan, written: Written, now: float) -> str | None:
    """The Set-Cookie line of a write that was applied, None to leave the cookie alone."""
    cookie, ends, before = plan.cookie, plan.after.expires_at, plan.opened
    if cookie is _REFRESH and before is not None and ends == before.state.expires_at:
        return None
    if cookie is _EXPIRE:
        return settings.set_cookie.expired_line()
    is_known = cookie is _LEAVE or (cookie is _REFRESH and not settings.set_cookie.is_persistent)
    if is_known or written.opened is None:
        return None
    text = settings.backend.spell(written.opened.ticket)
    return settings.set_cookie.line(text, max_age=ends - now)


def _settle(draft: Draft, plan: CommitPlan, written: Written, line: str | None, now: float) -> None:
    if line is not None:
        draft.line = line
    if written.opened is None or plan.opened is not draft.opened:
        draft.rebase(written.opened, now)
    else:
        draft.advance(written.opened)
    emit = draft.settings.emit
    if emit.wants(logging.DEBUG):
        for event in _events(plan, written):
            emit(event)


def _events(plan: CommitPlan, written: Written) -> Iterator[Event]:
    begins = plan.operation in (Operation.CREATE, Operation.RESTART)
    if plan.operation in (Operation.DELETE, Operation.RESTART) and plan.opened is not None:
        yield SessionDestroyed(id=plan.opened.state.id)
    if written.opened is None:
        return
    id = written.opened.state.id
    if begins:
        yield SessionCreated(id=id)
    if plan.intent in (Intent.ROTATE, Intent.RENEW):
        yield SessionRotated(id=id, due=plan.intent is Intent.RENEW)
    elif plan.after.authenticated_at is not None and plan.intent in (Intent.BIND, Intent.RESTART):
        yield SessionBound(id=id)
    elif plan.intent is Intent.CHANGE and not begins:
        yield SessionChanged(id=id)
    elif plan.intent is Intent.EXTEND:
        yield SessionExtended(id=id)


def _lost(draft: Draft, plan: CommitPlan, reason: Discard) -> None:
    """The session ended or changed hands meanwhile: write nothing, leave the cookie alone."""
    if plan.intent is Intent.EXTEND or not draft.is_changed:
        draft.discarded = reason
    else:
        discard(draft, reason)


def discard(draft: Draft, reason: Discard) -> None:
    """Drop the patch, and tell the operator."""
    draft.discarded = reason
    id = draft.opened.state.id if draft.opened is not None else None
    draft.settings.emit(CommitDiscarded(reason=reason, id=id))


def finish(draft: Draft, *, seal: bool) -> CommitResult:
    """The answer, after which the response can carry no more; ``seal``: nor the handle change."""
    is_quiet = draft.line is None and draft.discarded is None
    result = _LOOKED if is_quiet else answer(draft)
    draft.can_set_cookie = False
    if seal:
        draft.is_sealed, draft.result = True, result
    return result


def answer(draft: Draft) -> CommitResult:
    """What the response to this draft, which was looked at, has to say."""
    if draft.line is None:
        return _LOOKED if draft.discarded is None else CommitResult((_VARY,), draft.discarded)
    headers: Headers = (("Set-Cookie", draft.line), _VARY)
    cache_control = draft.settings.cache_control
    if cache_control is not None:
        headers = (*headers, ("Cache-Control", cache_control))
    return CommitResult(headers, draft.discarded)


def biggest_keys(state: SessionState) -> str:
    """The three keys that take most bytes, for an error message."""
    sizes = sorted(((len(bytes(raw)), key) for key, raw in state.data.items()), reverse=True)
    named = ", ".join(f"{key!r} {size} bytes" for size, key in sizes[:3])
    return f"the biggest keys: {named}" if named else "it holds no data"
