"""Everything that can happen to a session, as values, and what each does to a state.

``apply`` is pure and total: any transition on any state gives a state, and the same one each time.
That is what lets a commit be replayed on a newer state when another request was faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Raw, Struct
from msgspec.structs import replace

from ._codec import DECODE_ERRORS, PLAIN, ValueCodec, is_mutable
from ._errors import SessionValueError
from ._state import NO_FLASH, NO_VALUES, SessionState, blank


class Put(Struct, frozen=True, tag=True):
    """The key has this value; if it was flash, it is ordinary now."""

    key: str
    value: Raw


class PutAll(Struct, frozen=True, tag=True):
    """Each of these keys has this value; those that were flash are ordinary now."""

    values: Mapping[str, Raw]


class Flash(Struct, frozen=True, tag=True):
    """The key has this value until somebody reads it."""

    key: str
    value: Raw


class Remove(Struct, frozen=True, tag=True):
    """The key is absent."""

    key: str


class Consume(Struct, frozen=True, tag=True):
    """The flash value that was read is gone; one that came later under the same key stays."""

    key: str
    value: Raw


class Modify(Struct, frozen=True, tag=True):
    """The key has ``function(value)``, or ``function(default)`` if it was absent.

    ``function`` may run again on a newer value: it must depend on its argument only.
    """

    key: str
    function: Callable[[Any], Any]
    default: Any = None
    codec: ValueCodec = PLAIN

    def __repr__(self) -> str:
        return f"Modify(key={self.key!r})"


class Clear(Struct, frozen=True, tag=True):
    """All keys are absent; the session goes on."""


class Touch(Struct, frozen=True, tag=True):
    """The session lives until then, or longer."""

    until: float


class Rotate(Struct, frozen=True, tag=True):
    """The session gets another secret; the former one is dead at once."""


class Bind(Struct, frozen=True, tag=True):
    """A login: the session is this owner's from now on; a former owner's data goes."""

    owner: str


class Destroy(Struct, frozen=True, tag=True):
    """The session ends; whatever follows happens to a new one."""


Transition = (
    Put | PutAll | Flash | Remove | Consume | Modify | Clear | Touch | Rotate | Bind | Destroy
)


def _put(state: SessionState, t: Put, _now: float) -> SessionState:
    key, value, flash = t.key, t.value, state.flash
    if key in flash:
        flash -= {key}
    elif state.data.get(key) == value:
        return state
    return state.with_data(state.data | {key: value}, flash)


def _put_all(state: SessionState, t: PutAll, _now: float) -> SessionState:
    flash = state.flash.difference(t.values)
    if len(flash) == len(state.flash) and t.values.items() <= state.data.items():
        return state
    return state.with_data(state.data | t.values, flash)


def _flash(state: SessionState, t: Flash, _now: float) -> SessionState:
    return state.with_data(state.data | {t.key: t.value}, state.flash | {t.key})


def _remove(state: SessionState, t: Remove, _now: float) -> SessionState:
    return _without(state, t.key) if t.key in state.data else state


def _consume(state: SessionState, t: Consume, _now: float) -> SessionState:
    is_the_one = t.key in state.flash and state.data.get(t.key) == t.value
    return _without(state, t.key) if is_the_one else state


def _without(state: SessionState, key: str) -> SessionState:
    data = state.data.copy()
    del data[key]
    return state.with_data(data, state.flash - {key})


def _modify(state: SessionState, t: Modify, _now: float) -> SessionState:
    raw = state.data.get(t.key)
    value = t.function(_argument(t, raw))
    encoded = t.codec.encode(t.key, value)
    return state if encoded == raw else state.with_data(state.data | {t.key: encoded}, state.flash)


def _argument(t: Modify, raw: Raw | None) -> Any:
    if raw is not None:
        try:
            return t.codec.decode(t.key, raw)
        except DECODE_ERRORS:
            pass  # a value that no longer fits counts as missing
    if not is_mutable(t.default):
        return t.default
    try:
        # A fresh one each time: the function may change it, and may run again.
        return t.codec.decode(t.key, t.codec.encode(t.key, t.default))
    except SessionValueError:
        return t.default


def _clear(state: SessionState, _t: Clear, _now: float) -> SessionState:
    return state.with_data({}, NO_FLASH) if state.data else state


def _touch(state: SessionState, t: Touch, _now: float) -> SessionState:
    return replace(state, expires_at=t.until) if t.until > state.expires_at else state


def _rotate(state: SessionState, _t: Rotate, now: float) -> SessionState:
    return replace(state, renewed_at=now)


def _bind(state: SessionState, t: Bind, now: float) -> SessionState:
    # NIST 800-63B 7.2: authentication starts the session's clock anew, so created_at moves too.
    stays = state.owner is None or state.owner == t.owner
    return SessionState(
        id=state.id,
        version=state.version,
        created_at=now,
        renewed_at=now,
        expires_at=state.expires_at,
        owner=t.owner,
        authenticated_at=now,
        data=state.data if stays else NO_VALUES,
        flash=state.flash if stays else NO_FLASH,
    )


def _destroy(_state: SessionState, _t: Destroy, now: float) -> SessionState:
    return blank(now)


_EFFECTS: dict[type[Any], Callable[[SessionState, Any, float], SessionState]] = {
    Put: _put,
    PutAll: _put_all,
    Flash: _flash,
    Remove: _remove,
    Consume: _consume,
    Modify: _modify,
    Clear: _clear,
    Touch: _touch,
    Rotate: _rotate,
    Bind: _bind,
    Destroy: _destroy,
}


def apply(state: SessionState, transition: Transition, now: float) -> SessionState:
    """The state after this transition; the very same object if it changes nothing."""
    return _EFFECTS[type(transition)](state, transition, now)


def replay(state: SessionState, transitions: Iterable[Transition], now: float) -> SessionState:
    """The state after all of them, in order."""
    for transition in transitions:
        state = apply(state, transition, now)
    return state


# Tuples, because asking for an instance of a union takes ten times as long.
_SETTING = (Put, Flash, Remove)
_OF_A_KEY = (*_SETTING, Consume, Modify)


def compact(transitions: Sequence[Transition]) -> tuple[Transition, ...]:
    """Fewer transitions with the same effect on every state.

    A later Put, PutAll, Flash or Remove makes earlier changes of its keys pointless, Clear those
    of all keys, Destroy everything. Modify and Consume depend on what was there: they hide nothing.
    """
    kept: list[Transition] = []
    covered: set[str] = set()
    cleared = False
    for t in reversed(transitions):
        if isinstance(t, _OF_A_KEY):
            if cleared or t.key in covered:
                continue
            if isinstance(t, _SETTING):
                covered.add(t.key)
        elif isinstance(t, PutAll):
            if cleared or covered.issuperset(t.values):
                continue
            covered.update(t.values)
        elif isinstance(t, Clear):
            if cleared:
                continue
            cleared = True
        kept.append(t)
        if isinstance(t, Destroy):
            break
    return tuple(reversed(kept))


class Patch(Struct, frozen=True):
    """What one request did: its transitions, in order.

    - ``looked``: the handler looked at the session, which counts as activity; ``extend``: activity
      may extend the idle timeout.
    - ``before`` and ``after``: what the transitions made of which state, where that is known and
      would be the same at any time, so that they need not be replayed there. A new visitor's
      session begins with this ``before``.
    """

    transitions: tuple[Transition, ...] = ()
    looked: bool = True
    extend: bool = True
    before: SessionState | None = None
    after: SessionState | None = None

    def kinds(self) -> Kinds:
        """The kinds of transition that are among them."""
        return frozenset(map(type, self.transitions))

    def on(self, state: SessionState, now: float) -> SessionState:
        """What they make of this state."""
        if self.after is not None and self.before is state:
            return self.after
        return replay(state, self.transitions, now)


Kinds = frozenset[type[Any]]

TIMED: Kinds = frozenset({Rotate, Bind, Destroy})
"""The kinds whose effect depends on when they happen."""
