"""Recording what really happened: who asked what of a store, when, and what the answer was."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar

from msgspec import Struct

from sojourn import Outcome, Record, Store

from ._wrappers import Arguments, Wrapper

T = TypeVar("T")

UNKNOWN = "unknown"
"""The answer of a call that failed or was cut off: it may have taken effect, or may yet."""

FOREVER = 2**63 - 1


class Operation(Struct, frozen=True):
    """One call on one row, with plain values only, so that it travels between processes.

    ``began`` and ``ended`` are nanoseconds of the machine's monotonic clock; a call whose answer is
    unknown never ended. ``expected``: the version that the caller asked for; ``version`` and
    ``payload``: what it wanted to write. ``answer``: a bool, an Outcome's value, or for ``load``
    None or a pair of version and payload.
    """

    id: str
    name: str
    began: int
    ended: int
    answer: Any
    expected: int | None = None
    version: int | None = None
    payload: bytes | None = None

    def __str__(self) -> str:
        wanted = [f"version={self.expected}"] if self.expected is not None else []
        wanted += [f"{self.payload!r} as {self.version}"] if self.payload is not None else []
        ended = "?" if self.ended == FOREVER else self.ended
        times = f"[{self.began} .. {ended}]"
        return f"{times} {self.name}({', '.join(wanted)}) -> {self.answer!r}"


class HistoryStore(Wrapper):
    """Records each call on a row in ``operations``; what raised has an unknown answer."""

    abilities: Collection[type[Any]] = ()

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.operations: list[Operation] = []

    async def around(self, name: str, arguments: Arguments, call: Callable[[], Awaitable[T]]) -> T:
        """See ``Wrapper``."""
        if name == "aclose":
            return await call()
        began = time.monotonic_ns()
        answer: object = UNKNOWN
        try:
            result = await call()
            answer = _plain(result)
            return result
        finally:
            ended = FOREVER if answer is UNKNOWN else time.monotonic_ns()
            self.operations.append(_operation(name, arguments, began, ended, answer))


def _operation(
    name: str, arguments: Arguments, began: int, ended: int, answer: object
) -> Operation:
    record: Record | None = arguments.get("record")
    return Operation(
        id=arguments["id"] if record is None else record.id,
        name=name,
        began=began,
        ended=ended,
        answer=answer,
        expected=arguments.get("version"),
        version=None if record is None else record.version,
        payload=None if record is None else record.payload,
    )


def _plain(answer: object) -> object:
    if isinstance(answer, Record):
        return answer.version, answer.payload
    return answer.value if isinstance(answer, Outcome) else answer
