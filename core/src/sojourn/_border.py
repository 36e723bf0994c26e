"""Where store calls leave the core: a deadline for each, and the system's errors as ours."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

import anyio

from ._errors import StoreUnavailableError
from ._store import Store, SupportsDeadline

T = TypeVar("T")


class Border:
    """Calls of one store.

    ``deadline``: seconds, unless the store bounds its calls itself, ``is_bounded``: then nothing is
    added, because a timer costs more than a store in this process takes.
    """

    def __init__(self, store: Store, deadline: float) -> None:
        self._name = type(store).__name__
        self._deadline = deadline
        self.is_bounded: bool = isinstance(store, SupportsDeadline)

    def bound(self, call: Awaitable[T]) -> Awaitable[T]:
        """The call, which has a deadline. What it raises has to be ``translated``."""
        return call if self.is_bounded else self._timed(call)

    async def _timed(self, call: Awaitable[T]) -> T:
        with anyio.fail_after(self._deadline):
            return await call

    async def call(self, call: Awaitable[T]) -> T:
        """The call's result. Raises StoreUnavailableError for a system's error, or too late."""
        try:
            return await self.bound(call)
        except OSError as error:
            raise self.translated(error) from error

    async def call_unbounded(self, call: Awaitable[T]) -> T:
        """The same for opening and closing, which may take longer than a call."""
        try:
            return await call
        except OSError as error:
            raise self.translated(error) from error

    def translated(self, error: OSError) -> StoreUnavailableError:
        """What the system did wrong, as an error of ours."""
        # TimeoutError is an OSError. The error's own text may hold a path or an address.
        if isinstance(error, TimeoutError):
            reason = f"did not answer within its deadline ({self._deadline:g} s)"
            return StoreUnavailableError(f"{self._name} {reason}")
        return StoreUnavailableError(f"{self._name} failed: {type(error).__name__}")
