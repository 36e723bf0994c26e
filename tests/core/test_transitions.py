"""``apply``, ``replay`` and ``compact``: what happens to a state, as mathematics."""

from __future__ import annotations

import enum
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw, Struct, structs

import sojourn
from sojourn import (
    Bind,
    Clear,
    Consume,
    Destroy,
    Flash,
    Modify,
    Patch,
    Put,
    PutAll,
    Remove,
    Rotate,
    SessionState,
    Touch,
    Transition,
    apply,
    compact,
    replay,
)
from sojourn._transitions import _EFFECTS, TIMED

from ._strategies import (
    ID,
    keys,
    owners,
    patches,
    raws,
    states,
    times,
    transitions,
    value_changes,
)

KINDS: tuple[type[Any], ...] = get_args(Transition)
VALUES = sorted(
    (
        thing
        for thing in vars(sojourn).values()
        if isinstance(thing, type) and issubclass(thing, Struct)
    ),
    key=lambda struct: struct.__name__,
)


def _frozen(value: object) -> object:
    """A copy of a value that shares nothing with it."""
    if isinstance(value, SessionState):
        data = {key: bytes(raw) for key, raw in value.data.items()}
        rest = [getattr(value, name) for name in value.__struct_fields__ if name != "data"]
        return rest, data
    return value


def test_there_are_eleven_kinds_of_transition() -> None:
    """Each kind of transition has exactly one effect, and each effect a kind."""
    assert set(KINDS) == set(_EFFECTS)
    assert len(KINDS) == 11


@given(states(), transitions, times)
def test_apply_is_total_and_pure(state: SessionState, transition: Transition, now: float) -> None:
    """Any transition on any state gives the same state each time, and changes neither."""
    before = _frozen(state)
    first, second = apply(state, transition, now), apply(state, transition, now)
    assert isinstance(first, SessionState)
    assert first == second
    assert before == _frozen(state)
    assert set(first.flash) <= set(first.data)


@given(states(), transitions, times)
def test_apply_gives_the_very_same_object_if_nothing_changes(
    state: SessionState, transition: Transition, now: float
) -> None:
    """A state that is given back is equal; an equal one is given back, but for Flash and clocks."""
    after = apply(state, transition, now)
    clocked = isinstance(transition, Flash | Rotate | Bind | Destroy)
    assert clocked or (after is state) == (after == state)


@given(states(), value_changes, times)
def test_values_are_all_that_changes_with_them(
    state: SessionState, change: Transition, now: float
) -> None:
    """What sets, removes or consumes values leaves id, version, times and owner alone."""
    assert state == structs.replace(apply(state, change, now), data=state.data, flash=state.flash)


@pytest.mark.parametrize("struct", VALUES, ids=lambda struct: struct.__name__)
def test_every_value_is_frozen(struct: type[Struct]) -> None:
    """Every value that the core gives away is a frozen struct."""
    assert struct.__struct_config__.frozen


@given(states(), patches, times)
def test_states_are_immutable_all_the_way_down(
    state: SessionState, patch: list[Transition], now: float
) -> None:
    """Nothing that is reachable from a state can be changed."""
    after: Any = replay(state, patch, now)
    for name in after.__struct_fields__:
        with pytest.raises(AttributeError):
            setattr(after, name, None)
    with pytest.raises(TypeError):
        after.data["a"] = Raw(b"\xc0")
    assert isinstance(after.flash, frozenset)
    assert all(type(raw) is Raw and memoryview(raw).readonly for raw in after.data.values())


def test_enums_are_the_only_other_values() -> None:
    """What is public and a value, but no struct, is an enum or an exception."""
    kinds = [thing for thing in vars(sojourn).values() if isinstance(thing, enum.EnumMeta)]
    assert {"Cookie", "Discard", "Intent", "Operation", "Outcome", "Presence", "Rejection"} <= {
        kind.__name__ for kind in kinds
    }


@given(states(), patches, times)
def test_compact_has_the_same_effect_on_every_state(
    state: SessionState, patch: list[Transition], now: float
) -> None:
    """A compacted patch does what the uncompacted one does, on any state whatever."""
    assert replay(state, compact(patch), now) == replay(state, patch, now)


@given(patches)
def test_compact_only_leaves_out(patch: list[Transition]) -> None:
    """A compacted patch is a part of the patch in the same order, and compacting again is idle."""
    short = compact(patch)
    rest = iter(patch)
    assert all(any(one is other for other in rest) for one in short)
    assert compact(short) == short


@given(st.lists(st.builds(Put, keys, raws)))
def test_compact_keeps_one_put_per_key(puts: list[Put]) -> None:
    """However often a key is set, one transition of it remains."""
    assert len(compact(puts)) == len({put.key for put in puts})


some_values = st.dictionaries(keys, raws, min_size=1)


@given(some_values, some_values)
def test_compact_drops_what_is_set_again(first: dict[str, Raw], second: dict[str, Raw]) -> None:
    """Of two PutAll the first one goes if the second has all of its keys, or if a Clear follows."""
    one, two = PutAll(first), PutAll(second)
    assert compact([one, two]) == ((two,) if first.keys() <= second.keys() else (one, two))
    assert compact([one, Clear(), two]) == (Clear(), two)


@given(states(), patches, patches, times)
def test_replay_on_a_newer_state_is_a_serial_order(
    state: SessionState, mine: list[Transition], theirs: list[Transition], now: float
) -> None:
    """A patch replayed on what another request left gives what one after the other gives."""
    newer = replay(state, compact(theirs), now)
    assert replay(newer, compact(mine), now) == replay(state, [*theirs, *mine], now)


@given(states(), patches, times)
def test_destroy_leaves_nothing(state: SessionState, patch: list[Transition], now: float) -> None:
    """After Destroy nothing of the former session is left, whatever came before."""
    after = replay(state, [*patch, Destroy()], now)
    assert after == SessionState(id="", version=0, created_at=now, renewed_at=now, expires_at=now)
    assert not after.is_worth_keeping


@given(states(), times)
def test_rotate_changes_nothing_but_the_age_of_the_secret(state: SessionState, now: float) -> None:
    """Rotate keeps id, data, owner and every deadline."""
    after = apply(state, Rotate(), now)
    assert now == after.renewed_at
    for name in set(state.__struct_fields__) - {"renewed_at"}:
        assert getattr(state, name) == getattr(after, name)


@given(states(), owners, times)
def test_bind_makes_the_session_this_owners(state: SessionState, owner: str, now: float) -> None:
    """Bind starts the clock anew, keeps the id, and another owner's data goes."""
    after = apply(state, Bind(owner), now)
    assert (owner, now, now, now) == (
        after.owner,
        after.created_at,
        after.renewed_at,
        after.authenticated_at,
    )
    assert (state.id, state.version) == (after.id, after.version)
    stays = state.owner in (None, owner)
    assert (state.data if stays else {}) == after.data
    assert (state.flash if stays else frozenset()) == after.flash
    assert apply(after, Bind(owner), now) == after


@given(states(), times, times)
def test_touch_never_shortens(state: SessionState, until: float, now: float) -> None:
    """Touch moves the deadline later or not at all."""
    assert max(state.expires_at, until) == apply(state, Touch(until), now).expires_at


@given(states(), keys, raws, times)
def test_put_flash_remove_and_consume(state: SessionState, key: str, raw: Raw, now: float) -> None:
    """Put makes a key ordinary, Flash makes it flash, Remove and the right Consume end it."""
    put, flashed = apply(state, Put(key, raw), now), apply(state, Flash(key, raw), now)
    assert (put.data[key], key in put.flash) == (raw, False)
    assert (flashed.data[key], key in flashed.flash) == (raw, True)
    assert key not in apply(flashed, Remove(key), now).data
    assert key not in apply(flashed, Consume(key, raw), now).data
    assert apply(put, Consume(key, raw), now) is put
    assert apply(flashed, Consume(key, Raw(b"\xa1x")), now) is flashed


@given(states(), keys, times)
def test_modify_counts_on_what_is_there(state: SessionState, key: str, now: float) -> None:
    """Modify gives its function the value, or the default, and stores what comes back."""
    seen: list[object] = []
    apply(state, Modify(key, lambda value: seen.append(value) or 1, 7), now)
    expected = 7 if key not in state.data else bytes(state.data[key])[0]
    assert seen == [expected]


@given(states(), times)
def test_clear_keeps_the_session(state: SessionState, now: float) -> None:
    """Clear removes every key and nothing else."""
    after = apply(state, Clear(), now)
    assert (dict(after.data), after.flash) == ({}, frozenset())
    assert (state.id, state.owner, state.expires_at) == (after.id, after.owner, after.expires_at)


def test_a_patch_knows_its_kinds() -> None:
    """A patch tells which kinds of transition it has."""
    assert frozenset() == Patch().kinds()
    assert frozenset({Put, Rotate}) == Patch((Put("a", Raw(b"\x01")), Rotate())).kinds()


def test_a_session_is_worth_keeping_for_its_data_or_its_owner() -> None:
    """A state without data and owner is not worth a row."""
    state = SessionState(id=ID, version=1, created_at=0, renewed_at=0, expires_at=9)
    assert not state.is_worth_keeping
    assert apply(state, Put("a", Raw(b"\x01")), 0).is_worth_keeping
    assert apply(state, Bind("ann"), 0).is_worth_keeping


@given(states(), patches, times, times)
def test_what_is_not_timed_has_the_same_effect_at_any_time(
    state: SessionState, patch: list[Transition], now: float, later: float
) -> None:
    """A patch that knows what it made of a state gives what replaying it there gives."""
    made = replay(state, patch, now)
    if TIMED.isdisjoint(map(type, patch)):
        known = Patch(tuple(patch), before=state, after=made)
        assert known.on(state, later) == replay(state, patch, later)


@given(states(), states(), patches, times)
def test_a_patch_is_replayed_on_any_other_state(
    state: SessionState, other: SessionState, patch: list[Transition], now: float
) -> None:
    """What a patch made of one state says nothing about another, not even about an equal one."""
    known = Patch(tuple(patch), before=state, after=replay(state, patch, now))
    assert known.on(other, now) == replay(other, patch, now)


@given(states(), st.dictionaries(keys, raws))
def test_all_puts_in_one_step_are_the_puts_one_by_one(
    state: SessionState, values: dict[str, Raw]
) -> None:
    """PutAll does what a Put of each does."""
    puts = [Put(key, value) for key, value in values.items()]
    assert replay(state, puts, 0.0) == apply(state, PutAll(values), 0.0)
