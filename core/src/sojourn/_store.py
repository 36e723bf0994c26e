"""The contract of a store: rows by id. Third parties implement it; ``sojourn.testing`` proves it.

For every method:

- A store has no clock: ``now`` (seconds since the epoch) is an argument. A row whose ``expires_at``
  is at or before ``now`` is expired and counts as missing, whether or not it was swept.
- Each call is one atomic step: cancelled, killed or cut anywhere, the row is the old or the new.
- Ids are 32 lower-case hexadecimal digits, parsed by the core; client input gets no further.
- Failures of the system raise ``StoreUnavailableError`` (or another ``StoreError``), with the
  remedy and without a secret or a password in the message. Nothing else raises.
- One store object serves many requests at once, on one event loop.
"""

from __future__ import annotations

import enum
from typing import Protocol, runtime_checkable

from ._record import Record


class Outcome(enum.Enum):
    """What became of a guarded write."""

    APPLIED = "applied"
    CONFLICT = "conflict"  # the row has another version: nothing was written
    GONE = "gone"  # there is no such row, or it has expired: nothing was written


@runtime_checkable
class Store(Protocol):
    """Rows by id."""

    async def load(self, id: str, *, now: float) -> Record | None:
        """The row with this id; None if it is missing or expired. Writes nothing.

        A row that cannot be read (corrupt bytes) is None, too, and stays where it is.
        """
        ...

    async def create(self, record: Record) -> bool:
        """Insert the row. False, and nothing changes, if any row has this id, expired or not."""
        ...

    async def replace(self, record: Record, *, version: int, now: float) -> Outcome:
        """Put ``record`` in the place of the live row with its id, if that row has ``version``.

        One compare-and-set. Never creates: a missing or expired row is GONE.
        """
        ...

    async def touch(self, id: str, *, version: int, expires_at: float, now: float) -> Outcome:
        """Move the deadline of the live row with this id and ``version``, and nothing else.

        The row's version grows by one. Only ever later: for an earlier ``expires_at`` the deadline
        stays as it is. Never creates: a missing or expired row is GONE.
        """
        ...

    async def delete(self, id: str) -> bool:
        """Remove the row, whatever its version. False if there was none. Afterwards it is gone."""
        ...

    async def aclose(self) -> None:
        """Release files, threads and connections. May be called twice, or before any use."""
        ...


@runtime_checkable
class SupportsOpen(Protocol):
    """A store that wants to connect, or to check its server, before the first request."""

    async def aopen(self) -> None:
        """Called when the application starts, also again after ``aclose``."""
        ...


@runtime_checkable
class SupportsLoadNowait(Protocol):
    """A store whose rows are at hand without waiting: sessions then load on first use."""

    def load_nowait(self, id: str, *, now: float) -> Record | None:
        """``load`` without an event loop, in microseconds."""
        ...


@runtime_checkable
class SupportsSweep(Protocol):
    """A store that can remove expired rows."""

    async def sweep(self, *, now: float, limit: int) -> int:
        """Remove at most ``limit`` rows that are expired at ``now``, and say how many."""
        ...


@runtime_checkable
class SupportsOwners(Protocol):
    """A store that finds rows by owner, by an index and not by a scan."""

    async def load_owner(self, owner: str, *, now: float) -> list[Record]:
        """The live rows of this owner, oldest first."""
        ...

    async def delete_owner(self, owner: str, *, keep: str | None = None) -> int:
        """Remove this owner's rows, but for the one with the id ``keep``; says how many."""
        ...


@runtime_checkable
class SupportsDeadline(Protocol):
    """A store that bounds each of its calls itself, so that the core need not."""

    deadline: float
    """Seconds until a call raises StoreUnavailableError; ``inf``: it never leaves the process."""


@runtime_checkable
class SupportsOneProcess(Protocol):
    """A store that says whether its rows are seen by this process only."""

    one_process: bool
    """True: several workers would each have sessions of their own."""


@runtime_checkable
class SupportsFreshLoad(Protocol):
    """A store whose ``load`` may be older than its rows, as that of a cache is."""

    async def load_fresh(self, id: str, *, now: float) -> Record | None:
        """``load`` from where the rows are; asked when a cookie does not fit what ``load`` gave."""
        ...
