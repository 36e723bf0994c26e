"""``ServerSide``: each row of the planner's table, carried out on a store."""

from __future__ import annotations

import itertools

import pytest
from msgspec import Raw
from msgspec.structs import replace

from sojourn import (
    CommitPlan,
    ConfigurationError,
    Cookie,
    Intent,
    Opened,
    Operation,
    Outcome,
    Policy,
    Presence,
    Rejection,
    Secret,
    SessionState,
    StoreError,
    StoreUnavailableError,
)
from sojourn._plan import TABLE
from sojourn._serverside import ServerSide
from sojourn._token import Token, hash_secret

from ._rows import Bare, NowaitRows, Rows
from ._site import START, Entropy, drive

POLICY = Policy(
    idle=100, absolute=1000, rotate_after=50, extend_after=10, auto_extend=True, grace=30
)
PAIRS = [(p, i) for p, i in itertools.product(Presence, Intent) if p is not Presence.SEAL]
NOW = START


def _backend(store: Bare | None = None) -> ServerSide:
    return ServerSide(store or NowaitRows(), policy=POLICY, entropy=Entropy())


def _after(expires_at: float, **values: int) -> SessionState:
    data = {key: Raw(bytes([value])) for key, value in values.items()}
    blank = SessionState("", 0, NOW, NOW, expires_at)
    return blank.with_data(data, frozenset())


def _created(backend: ServerSide) -> Opened:
    plan = CommitPlan(
        Intent.CHANGE, Operation.CREATE, Cookie.SEND, Secret.FRESH, None, _after(NOW + 100, a=1)
    )
    opened = drive(backend.write(plan, now=NOW)).opened
    assert opened is not None
    return opened


def _renewed(backend: ServerSide, opened: Opened) -> Opened:
    plan = CommitPlan(
        Intent.RENEW,
        Operation.REPLACE,
        Cookie.SEND,
        Secret.GRACE,
        opened,
        opened.state,
        grace_until=NOW + 30,
    )
    written = drive(backend.write(plan, now=NOW)).opened
    assert written is not None
    return written


def _reopened(backend: ServerSide, ticket: Token, now: float = NOW) -> Presence | Rejection:
    found = drive(backend.load(ticket, now=now))
    return found.presence if isinstance(found, Opened) else found


@pytest.mark.parametrize(("presence", "intent"), PAIRS)
def test_each_row_is_carried_out(presence: Presence, intent: Intent) -> None:
    """The store afterwards has what the row says, and old and new secret open what they should."""
    row = TABLE[presence, intent]
    if row.operation is Operation.NOTHING:
        pytest.skip("a plan that does nothing never gets to a backend")
    store = NowaitRows()
    backend = _backend(store)
    opened = None
    if presence is not Presence.NEW:
        opened = _created(backend)
        former = opened.ticket
        if presence is Presence.GRACE:
            _renewed(backend, opened)
            found = drive(backend.load(former, now=NOW))
            assert isinstance(found, Opened)
            opened = found
        assert opened.presence is presence
    before = dict(store.rows)
    store.calls.clear()
    until = NOW + 200
    after = replace(opened.state if opened else _after(until, a=1), expires_at=until)
    if row.operation is Operation.RESTART:
        after = _after(until, b=2)
    grace = NOW + 30 if row.secret is Secret.GRACE else None
    plan = CommitPlan(intent, row.operation, row.cookie, row.secret, opened, after, grace)
    written = drive(backend.write(plan, now=NOW))

    assert written.outcome is Outcome.APPLIED
    expected_calls = {
        Operation.CREATE: ["create"],
        Operation.REPLACE: ["replace"],
        Operation.TOUCH: ["touch"],
        Operation.DELETE: ["delete"],
        Operation.RESTART: ["delete", "create"],
    }
    assert expected_calls[row.operation] == store.calls
    if row.operation is Operation.DELETE:
        assert {} == store.rows
        assert written.opened is None
        return
    (record,) = store.rows.values()
    result = written.opened
    assert result is not None
    assert (until, record) == (record.expires_at, result.record)
    assert _reopened(backend, result.ticket) is result.presence
    if opened is None:
        assert 1 == record.version == result.state.version
        return
    (old,) = before.values()
    assert (record.id == old.id) == (row.operation is not Operation.RESTART)
    if row.operation is not Operation.RESTART:
        assert old.version + 1 == record.version == result.state.version
    assert (result.ticket == opened.ticket) == (row.secret is Secret.KEEP)
    assert (
        _reopened(backend, opened.ticket)
        is {
            (Secret.KEEP, Operation.TOUCH): presence,
            (Secret.KEEP, Operation.REPLACE): presence,
            (Secret.FRESH, Operation.REPLACE): Rejection.WRONG_SECRET,
            (Secret.FRESH, Operation.RESTART): Rejection.UNKNOWN,
            (Secret.GRACE, Operation.REPLACE): Presence.GRACE,
        }[row.secret, row.operation]
    )


def test_grace_ends_and_lasts_one_hop() -> None:
    """The former secret dies at the end of its grace; the one before it is dead at once."""
    backend = _backend()
    first = _created(backend)
    second = _renewed(backend, first)
    assert Presence.GRACE is _reopened(backend, first.ticket, NOW + 29)
    assert Rejection.WRONG_SECRET is _reopened(backend, first.ticket, NOW + 30)
    _renewed(backend, second)
    assert Rejection.WRONG_SECRET is _reopened(backend, first.ticket)
    assert Presence.GRACE is _reopened(backend, second.ticket)


def test_a_write_after_the_grace_forgets_the_former_secret() -> None:
    """A hash that is good for nothing any more does not stay in the row."""
    store = NowaitRows()
    backend = _backend(store)
    renewed = _renewed(backend, _created(backend))
    for now, kept in ((NOW + 10, True), (NOW + 40, False)):
        plan = CommitPlan(
            Intent.CHANGE, Operation.REPLACE, Cookie.LEAVE, Secret.KEEP, renewed, renewed.state
        )
        written = drive(backend.write(plan, now=now))
        assert written.opened is not None
        renewed = written.opened
        (record,) = store.rows.values()
        assert kept == (record.previous_hash is not None) == (record.previous_until is not None)


@pytest.mark.parametrize("operation", [Operation.REPLACE, Operation.TOUCH])
@pytest.mark.parametrize("outcome", [Outcome.CONFLICT, Outcome.GONE])
def test_a_refused_write_changes_nothing(operation: Operation, outcome: Outcome) -> None:
    """CONFLICT and GONE come back as they are, and the store is as it was."""
    store = NowaitRows()
    backend = _backend(store)
    opened = _created(backend)
    if outcome is Outcome.GONE:
        store.rows.clear()
    else:
        _renewed(backend, opened)
    before = dict(store.rows)
    plan = CommitPlan(
        Intent.CHANGE,
        operation,
        Cookie.LEAVE,
        Secret.KEEP,
        opened,
        replace(opened.state, expires_at=NOW + 500),
    )
    written = drive(backend.write(plan, now=NOW))
    assert (outcome, None) == (written.outcome, written.opened)
    assert before == store.rows


def test_promise_09_a_taken_id_is_never_overwritten() -> None:
    """When the entropy repeats itself, another id is tried, and the first row stays."""
    store = NowaitRows()
    first = b"\x01" * 16
    source = iter([first, b"s" * 32, first, b"t" * 32, b"\x02" * 16, b"u" * 32])
    backend = ServerSide(store, policy=POLICY, entropy=lambda _size: next(source))
    one, two = _created(backend), _created(backend)
    assert (first.hex(), "02" * 16) == (one.state.id, two.state.id)
    assert hash_secret(b"s" * 32) == store.rows[first.hex()].secret_hash


def test_a_store_that_refuses_every_id_is_broken() -> None:
    """After a few different ids the store is to blame, by its name."""
    store = NowaitRows()
    backend = ServerSide(store, policy=POLICY, entropy=bytes)
    _created(backend)
    with pytest.raises(StoreError, match=r"NowaitRows\.create refused"):
        _created(backend)
    assert 1 == len(store.rows)


def test_a_row_under_another_id_is_nobodys_session() -> None:
    """A store that answers with a row that was not asked for knows nothing about this visitor."""
    store = NowaitRows()
    backend = _backend(store)
    opened = _created(backend)
    store.rows["f" * 32] = store.rows[opened.state.id]
    with pytest.raises(StoreUnavailableError, match="another session"):
        _reopened(backend, Token("f" * 32, opened.ticket.secret))


def test_a_plan_without_a_call_never_reaches_a_store() -> None:
    """NOTHING and REFUSE are no operations of a backend."""
    backend = _backend()
    opened = _created(backend)
    plan = CommitPlan(
        Intent.REST, Operation.NOTHING, Cookie.LEAVE, Secret.KEEP, opened, opened.state
    )
    with pytest.raises(AssertionError):
        drive(backend.write(plan, now=NOW))


def test_only_a_store_that_loads_without_waiting_makes_a_lazy_backend() -> None:
    """``lazy`` says whether load_nowait works."""
    awaited, nowait = _backend(Rows()), _backend(NowaitRows())
    assert (False, True) == (awaited.lazy, nowait.lazy)
    with pytest.raises(ConfigurationError, match="without waiting"):
        awaited.load_nowait(Token("0" * 32, b""), now=NOW)


def test_load_nowait_is_load_without_waiting() -> None:
    """Both ways open the same."""
    backend = _backend()
    ticket = _created(backend).ticket
    assert drive(backend.load(ticket, now=NOW)) == backend.load_nowait(ticket, now=NOW)


def test_the_systems_errors_become_ours_on_both_ways() -> None:
    """An OSError of a store is a StoreUnavailableError, awaited or not."""
    store = NowaitRows()
    backend = _backend(store)
    ticket = _created(backend).ticket
    store.failing["load"] = OSError("/secret/path")
    with pytest.raises(StoreUnavailableError, match=r"^NowaitRows failed: OSError$"):
        drive(backend.load(ticket, now=NOW))
    with pytest.raises(StoreUnavailableError, match=r"^NowaitRows failed: OSError$"):
        backend.load_nowait(ticket, now=NOW)
