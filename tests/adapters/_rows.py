"""A store that tests can break and hold, for the adapters' own tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sojourn import StoreUnavailableError, SupportsOpen, SupportsOwners, SupportsSweep
from sojourn.testing import Wrapper


class LazyRows(Wrapper):
    """Counts calls, fails those that are ``down``, and lets a test in between: ``before``."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.calls: list[str] = []
        self.down: set[str] = set()
        self.before: Callable[[str], Awaitable[None]] | None = None

    def _note(self, name: str) -> None:
        self.calls.append(name)
        if name in self.down:
            raise StoreUnavailableError("the test's store is down")

    async def around(self, name: str, arguments: Any, call: Any) -> Any:
        """See ``Wrapper``."""
        if self.before is not None:
            await self.before(name)
        self._note(name)
        return await call()

    def around_nowait(self, name: str, arguments: Any, call: Any) -> Any:
        """A load is a load."""
        self._note("load")
        return call()


class AwaitedRows(LazyRows):
    """The same without ``load_nowait``, so that a session has to be awaited."""

    abilities = (SupportsOpen, SupportsSweep, SupportsOwners)
