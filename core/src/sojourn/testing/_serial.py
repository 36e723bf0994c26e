"""What a schedule may come to: some serial order explains it, and what ended stays ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations, product
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from sojourn import CommitResult, Session

from ._promises import BrokenPromiseError

START, IDLE = 1_800_000_000.0, 1000.0
"""Seconds: when the session begins, and its idle timeout; requests come half an ``IDLE`` later."""


class State(Struct, frozen=True):
    """The session as a serial run has it; ``valid``: the secret that all requests came with."""

    data: dict[str, Any]
    owner: str | None = None
    expires_at: float = START + IDLE
    is_alive: bool = True
    valid: bool = True


class Deed(NamedTuple):
    """What a request does to its session, and what that means in a serial run."""

    act: Callable[[Session[Any]], object]
    model: Callable[[State], State]


def _with(state: State, **data: Any) -> State:
    return replace(state, data={**state.data, **data})


def _without_message(state: State) -> State:
    return replace(state, data={k: v for k, v in state.data.items() if k != "message"})


_LATER = START + IDLE / 2 + IDLE


def _put(state: State) -> State:
    return _with(state, a=1)


def _put_other(state: State) -> State:
    return _with(state, b=2)


def _add(state: State) -> State:
    return _with(state, count=state.data.get("count", 0) + 1)


def _clear(state: State) -> State:
    return replace(state, data={})


def _touch(state: State) -> State:
    return replace(state, expires_at=_LATER)


def _rotate(state: State) -> State:
    return replace(state, valid=False)


def _bind(state: State) -> State:
    return replace(state, owner="user:1", expires_at=_LATER, valid=False)


def _destroy(state: State) -> State:
    return replace(state, is_alive=False)


def _deed(name: str, *arguments: Any) -> Callable[[Session[Any]], object]:
    return lambda session: getattr(session, name)(*arguments)


DEEDS: dict[str, Deed] = {
    "put": Deed(_deed("set", "a", 1), _put),
    "put other": Deed(_deed("set", "b", 2), _put_other),
    "modify": Deed(_deed("modify", "count", (1).__add__, 0), _add),
    "consume": Deed(_deed("get", "message"), _without_message),
    "clear": Deed(_deed("clear"), _clear),
    "touch": Deed(_deed("touch"), _touch),
    "rotate": Deed(_deed("rotate"), _rotate),
    "bind": Deed(_deed("bind", "user:1"), _bind),
    "destroy": Deed(_deed("destroy"), _destroy),
}
"""What ``explore`` can do: each as a call of a session, and as a change of the model."""


class Answer(Struct):
    """One request: what it did, when (numbers of steps), and what its response said."""

    deed: str
    began: int | None = None
    ended: int | None = None
    is_cut: bool = False
    is_new: bool = False
    result: CommitResult | None = None
    header: str = ""

    @property
    def is_applied(self) -> bool:
        """Whether the response says that the deed was done to the session."""
        return self.result is not None and self.result.discarded is None and not self.is_new


Left = tuple[dict[str, Any], str | None, float]
"""What is left of a session: its data, its owner, and when it expires."""


class World(NamedTuple):
    """What is left: who answered what, which cookies still open the session, and what it holds."""

    cookie: str
    answers: Sequence[Answer]
    good: frozenset[str]
    left: Left | None
    steps: Sequence[str]


def check(world: World) -> None:
    """Raise BrokenPromiseError unless all promises hold."""
    applied = [answer for answer in world.answers if answer.is_applied]
    deeds = {answer.deed for answer in applied}
    rekeyed = [answer.header for answer in applied if answer.deed in ("bind", "rotate")]

    def ensure(truth: object, promise: str, remedy: str) -> None:
        if not truth:
            raise BrokenPromiseError(promise, calls=world.steps, remedy=remedy)

    if "destroy" in deeds:
        ensure(world.left is None, "deletion wins (8)", "Never insert in replace or touch.")
    ensure(
        world.cookie not in world.good or not deeds & {"destroy", "bind", "rotate"},
        "no secret from before a logout, a login or a rotation lives on (15)",
        "Let replace write secret_hash and previous_hash as the record has them.",
    )
    if len(rekeyed) == 1 and world.left is not None and not any(a.is_cut for a in world.answers):
        ensure(world.good == frozenset(rekeyed), "a login leaves exactly one good secret (15)", "")
    for answer in world.answers:
        if answer.result is not None and answer.result.discarded is not None:
            sent = any(name == "Set-Cookie" for name, _ in answer.result.headers)
            ensure(not sent, "a commit that was discarded leaves the cookie alone (8)", "")
    ensure(
        any(_explains(order, world.left) for order in _orders(world.answers)),
        f"some serial order explains what was answered and what is left: {world.left}",
        "Let replace and touch compare the version and write in one step.",
    )


def _orders(answers: Sequence[Answer]) -> Iterator[list[Answer]]:
    """The orders in which the requests may have taken effect; a cut one may have had none."""
    may_be_missing = [[True, False] if answer.is_cut else [True] for answer in answers]
    for present in product(*may_be_missing):
        chosen = [answer for answer, is_there in zip(answers, present, strict=True) if is_there]
        for order in permutations(chosen):
            if _in_time(order):
                yield list(order)


def _in_time(order: Sequence[Answer]) -> bool:
    """Nobody who ended before another one began comes after it."""
    return not any(
        (later.ended or 0) < (earlier.began or 0)
        for place, earlier in enumerate(order)
        for later in order[place + 1 :]
    )


def _explains(order: Sequence[Answer], left: Left | None) -> bool:
    """Whether doing it one by one gives these answers and leaves this session."""
    state = State({"name": "Anna", "count": 0, "message": "hello"})
    for answer in order:
        is_open = state.is_alive and state.valid
        # A logout that had its session ends it, also if a login came between: deletion wins.
        by_id = answer.deed == "destroy" and not answer.is_new
        if is_open or by_id:
            if not (answer.is_applied or answer.is_cut):
                return False
            state = DEEDS[answer.deed].model(state)
        elif answer.is_applied:
            return False
    if left is None or not state.is_alive:
        return left is None and not state.is_alive
    return left == (state.data, state.owner, state.expires_at)
