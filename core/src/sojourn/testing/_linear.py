"""Whether a recorded history could have happened one call at a time (Wing and Gong, 1993).

Rows are independent, so each is checked by itself (linearizability is local: Herlihy and Wing,
1990). A call whose answer is unknown may have taken effect at any time since it began, or never.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec.structs import replace

from ._history import FOREVER, UNKNOWN, Operation
from ._promises import BrokenPromiseError

Row = tuple[int, bytes] | None
"""Version and payload; None: there is no row."""


def check_history(operations: Sequence[Operation]) -> int:
    """How many rows the history is about; BrokenPromiseError if some order is impossible."""
    by_id = sorted(operations, key=lambda operation: (operation.id, operation.began))
    rows = [list(group) for _, group in groupby(by_id, key=lambda operation: operation.id)]
    for history in rows:
        if not is_linearizable(history):
            raise BrokenPromiseError(
                "each call is one atomic step between its begin and its end (10)",
                calls=_shortest(history),
                remedy="Compare and write in one step, and answer only when it is written.",
            )
    return len(rows)


def is_linearizable(history: Sequence[Operation]) -> bool:
    """Whether some order of these calls on one row, which has no row at first, explains them."""
    calls = sorted(history, key=lambda operation: operation.began)
    answered = sum(1 << n for n, call in enumerate(calls) if call.answer != UNKNOWN)
    seen: set[tuple[int, Row]] = set()
    stack: list[tuple[int, Row]] = [(0, None)]
    while stack:
        done, row = stack.pop()
        if done & answered == answered:
            return True
        for number in _next(calls, done):
            for after in _outcomes(calls[number], row):
                reached = done | 1 << number, after
                if reached not in seen:
                    seen.add(reached)
                    stack.append(reached)
    return False


def _next(calls: Sequence[Operation], done: int) -> Iterator[int]:
    """The calls that may come next: those that began before any other one ended."""
    left = [number for number in range(len(calls)) if not done >> number & 1]
    first_end = min(calls[number].ended for number in left)
    return (number for number in left if calls[number].began <= first_end)


def _outcomes(call: Operation, row: Row) -> Iterator[Row]:
    """The rows that this call may leave, if its answer fits; else nothing."""
    after, answer = _step(call, row)
    if call.answer in (UNKNOWN, answer):
        yield after


def _step(call: Operation, row: Row) -> tuple[Row, object]:
    """What the contract says: the row afterwards, and the answer."""
    match call.name:
        case "load":
            return row, row
        case "create":
            return (_wanted(call), True) if row is None else (row, False)
        case "delete":
            return None, row is not None
        case _:
            return _guarded(call, row)


def _guarded(call: Operation, row: Row) -> tuple[Row, object]:
    if row is None:
        return None, "gone"
    if row[0] != call.expected:
        return row, "conflict"
    return (_wanted(call) if call.name == "replace" else (row[0] + 1, row[1])), "applied"


def _wanted(call: Operation) -> Row:
    return call.version or 0, call.payload or b""


def _shortest(history: Sequence[Operation]) -> list[Operation]:
    """The shortest beginning of the history that is impossible already."""
    for end in sorted(call.ended for call in history):
        begun = [call for call in history if call.began <= end]
        cut = [
            call if call.ended <= end else replace(call, ended=FOREVER, answer=UNKNOWN)
            for call in begun
        ]
        if not is_linearizable(cut):
            return cut
    return list(history)
