"""The working copy of one session in one request: what was loaded, what it is now, and why.

The reasons are transitions; the commit replays them on whatever the newest state is by then.
Values that were handed out and could be changed behind our back are encoded again and compared.
"""

from __future__ import annotations

from typing import Any, NoReturn

from anyio import Event
from msgspec import Raw

from ._backend import Opened
from ._codec import DECODE_ERRORS, IMMUTABLE, are_immutable, is_mutable, same_bytes
from ._errors import SessionSealedError
from ._events import Discard
from ._lazy_state import LazyState
from ._state import SessionState, blank
from ._transitions import (
    TIMED,
    Consume,
    Flash,
    Modify,
    Patch,
    Put,
    PutAll,
    Remove,
    Transition,
    apply,
    compact,
)
from ._transitions import replay as replayed

MISSING: Any = object()


class Draft(LazyState):
    """One session in one request."""

    accessed: bool
    current: SessionState | None
    extend: bool = True
    opened: Opened | None = None
    is_sealed: bool = False
    can_set_cookie: bool = True
    line: str | None = None
    discarded: Discard | None = None
    result: Any = None
    is_writing: bool = False
    turn: Event | None = None
    _taken: int = 0
    _now: float

    def attach(self, opened: Opened | None, now: float) -> SessionState:
        """Start from this session, or from none."""
        state = blank(now) if opened is None else opened.state
        self.opened, self._base, self.current, self._now = opened, state, state, now
        self._transitions: list[Transition] = []
        self._live: dict[str, Any] = {}
        self._consumed: dict[str, Raw] = {}
        return state

    def advance(self, opened: Opened) -> None:
        """Go on from what was just written, which is what this draft shows already."""
        self.opened = opened
        self._base = self.current = opened.state
        self._transitions = later = self._transitions[self._taken :]
        if later:
            self.current = replayed(opened.state, later, self._now)

    def rebase(self, opened: Opened | None, now: float, *, keep_patch: bool = False) -> None:
        """Go on from a newer state, with or without what was changed here since."""
        live, consumed, before = self._live, self._consumed, self.state()
        pending = self._transitions if keep_patch else self._later()
        state = self.attach(opened, now)
        self._transitions = pending
        self.current = state = replayed(state, pending, now)
        self._consumed = consumed
        # One that was changed since it was looked at last is kept, for the next look to notice.
        self._live = {
            k: v
            for k, v in live.items()
            if k in state.data
            and (same_bytes(v, state.data[k]) or not same_bytes(v, before.data[k]))
        }
        self._refresh_model()

    # Values

    def read(self, key: str) -> Any:
        """The value, or MISSING; a flash value is consumed."""
        self.accessed = True
        state = self.current or self._open()
        if self.model is None and not state.flash and key not in self._live:
            raw = state.data.get(key)
            return MISSING if raw is None else self._decode(key, raw)
        value = self.peek(key)
        state = self.state()
        if key in state.flash and value is not MISSING:
            self._consume(key)
        return value

    def _consume(self, key: str) -> None:
        self.flush()
        raw = self.state().data[key]
        self.record(Consume(key, raw))
        self._consumed[key] = raw
        self._live.pop(key, None)

    def peek(self, key: str) -> Any:
        """The value, or MISSING; nothing changes."""
        self.accessed = True
        state = self.current or self._open()
        if self.model is not None:
            state = self._flush_model()
        if key in self._live:
            return self._live[key]
        raw = state.data.get(key)
        return MISSING if raw is None else self._decode(key, raw)

    def _decode(self, key: str, raw: Raw) -> Any:
        try:
            value = self.settings.codec.decode(key, raw)
        except DECODE_ERRORS:
            self._report_misfit(key)
            return MISSING
        if type(value) not in IMMUTABLE and is_mutable(value):
            self._live[key] = value
        return value

    def put(self, key: str, value: object, kind: type[Put | Flash] = Put) -> None:
        """Set the key, as ordinary or as flash value."""
        if self.model is not None:
            self._flush_model()
        self.record(kind(key, self.settings.codec.encode(key, value)))
        if self._live:
            self._live.pop(key, None)
        if type(value) not in IMMUTABLE and is_mutable(value):
            self._live[key] = value

    def put_all(self, values: dict[str, object]) -> None:
        """Set all these keys, or none if one of the keys or values is refused."""
        state = self._flush_model()
        raws = self.settings.codec.encode_all(values)
        data, flash = state.data, state.flash
        if data:  # what is there already is no change, which could undo another request's
            raws = {k: raw for k, raw in raws.items() if k in flash or data.get(k) != raw}
        if values:
            self.record(PutAll(raws))
        if self._live:
            self._live = {k: v for k, v in self._live.items() if k not in values}
        if not are_immutable(values):
            self._live |= {
                k: v for k, v in values.items() if type(v) not in IMMUTABLE and is_mutable(v)
            }

    def remove(self, key: str) -> None:
        """Remove the key."""
        self._flush_model()
        self._live.pop(key, None)
        self.record(Remove(key))

    def modify(self, key: str, function: Any, default: Any) -> Any:
        """Record the function, and give its value on the state as seen here."""
        self.peek(key)  # tells of a value that no longer fits, which counts as missing
        self.flush()
        self._live.pop(key, None)
        self.record(Modify(key, function, default, self.settings.codec))
        return self.peek(key)

    def keep(self, key: str) -> None:
        """Put a flash value back that was read."""
        state, raw = self.state(), self._consumed.pop(key, None)
        if raw is None:
            return
        if self.is_sealed or self.unavailable is not None:
            self._refuse()
        if key in state.data:
            return
        pending = Consume(key, raw)
        if pending in self._transitions[self._taken :]:
            del self._transitions[self._transitions.index(pending, self._taken)]
            self.current = replayed(self._base, self._transitions, self._now)
            self._refresh_model()
        else:
            self.record(Flash(key, raw))

    def consumed(self) -> tuple[str, ...]:
        """The flash keys that were read."""
        self.state()
        return tuple(self._consumed)

    def visible(self) -> SessionState:
        """The state with the typed view's changes; what is only inside nested values may lack."""
        return self._flush_model()

    # Transitions

    def record(self, transition: Transition) -> None:
        """Apply the transition here, and remember it for the commit."""
        self.accessed = True
        before = self.current or self._open()
        if self.is_sealed or self.unavailable is not None:
            self._refuse()
        after = apply(before, transition, self._now)
        if after is not before or isinstance(transition, Modify):
            self._transitions.append(transition)
            self.current = after
            if self.model is not None:
                self._refresh_model()

    def reset(self, transition: Transition) -> None:
        """Record a transition after which no value that was handed out counts any more."""
        self.state()
        self.flush()
        self._live.clear()
        self.record(transition)

    def _refuse(self) -> NoReturn:
        if self.is_sealed or self.unavailable is None:
            raise SessionSealedError(
                "the response has started, so this change would be lost; change the session "
                "earlier, or use `async with manager.edit(session.id)`"
            )
        raise self.unavailable

    def flush(self) -> None:
        """Record the changes inside values that were handed out."""
        if self.model is not None:
            self._flush_model()
        if not self._live:
            return
        for key, value in list(self._live.items()):
            state = self.state()
            if not same_bytes(value, state.data[key]):
                raw = self.settings.codec.encode(key, value)
                self.record(Flash(key, raw) if key in state.flash else Put(key, raw))

    @property
    def is_changed(self) -> bool:
        """Whether there is anything to commit, as far as that is known without encoding."""
        return self.current is not None and bool(self._transitions)

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was changed, and nothing was handed out that could have been."""
        return not (self._transitions or self._live or self.model is not None)

    # Taking turns: tasks of one request may write at the same time

    def take(self, *, seal: bool) -> Patch:
        """The patch, for a write that begins now; what is changed from now on is not in it."""
        if self._live or self.model is not None:
            self.flush()
        done = self._transitions
        self._taken, self.is_writing, self.is_sealed = len(done), True, self.is_sealed or seal
        if TIMED.isdisjoint(map(type, done)):
            return Patch(tuple(done), self.accessed, self.extend, self._base, self.current)
        return Patch(compact(done), self.accessed, self.extend)

    def _later(self) -> list[Transition]:
        """What was changed while the write that now succeeded was on its way."""
        return self._transitions[self._taken :] if self.is_writing else []

    def end_turn(self) -> None:
        """The write has ended, one way or the other: the next one may begin."""
        self.is_writing, self._taken = False, 0
        turn, self.turn = self.turn, None
        if turn is not None:
            turn.set()
