"""What a failed test says: the promise, the calls that broke it, and the remedy."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., Awaitable[None]])

LONGEST = 60
"""Calls that a message shows; more would hide the last ones, which matter most."""


class BrokenPromiseError(AssertionError):
    """A store did what its contract rules out."""

    def __init__(self, promise: str, *, calls: Sequence[object] = (), remedy: str = "") -> None:
        super().__init__("\n".join(explained(promise, calls, remedy)))


def explained(promise: str, calls: Sequence[object], remedy: str) -> list[str]:
    """The lines of a message: the promise, the calls in order, the remedy."""
    lines = [f"The promise: {promise}"]
    if calls:
        left_out = len(calls) - LONGEST
        lines.append("The calls:")
        lines += [f"  ... {left_out} earlier ones"] if left_out > 0 else []
        lines += [f"  {call}" for call in calls[-LONGEST:]]
    return [*lines, f"The remedy: {remedy}"] if remedy else lines


def remedy(text: str) -> Callable[[Test], Test]:
    """Marks a test of the suite: its docstring is the promise, ``text`` helps whoever broke it."""

    def decorate(test: Test) -> Test:
        promise = " ".join((inspect.getdoc(test) or "").split())

        @functools.wraps(test)
        async def run(self: Any, *args: Any, **kwargs: Any) -> None:
            try:
                await test(self, *args, **kwargs)
            except Exception as error:
                if not isinstance(error, BrokenPromiseError):
                    error.add_note("\n".join(explained(promise, self.calls, text)))
                raise

        return run  # type: ignore[return-value]

    return decorate
