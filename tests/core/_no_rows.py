"""A backend that keeps nothing anywhere, for the core's own tests."""

from __future__ import annotations

from sojourn import CommitPlan, Opened, Written


class NoRows:
    """A backend that keeps nothing anywhere."""

    lazy = True

    def parse(self, value: bytes) -> None:
        """See ``Backend``; so are the others."""

    def spell(self, ticket) -> str:
        """See ``Backend``."""
        raise AssertionError

    async def load(self, ticket, *, now: float) -> Opened:
        """See ``Backend``."""
        raise AssertionError

    def load_nowait(self, ticket, *, now: float) -> Opened:
        """See ``Backend``."""
        raise AssertionError

    async def write(self, plan: CommitPlan, *, now: float) -> Written:
        """See ``Backend``."""
        raise AssertionError

    async def aopen(self) -> None:
        """See ``Backend``."""

    async def aclose(self) -> None:
        """See ``Backend``."""
