"""The contract between the manager and what a cookie carries.

``ServerSide`` (rows by id) is one backend; a cookie that carries the whole session is another, in a
package of its own. The manager treats them alike.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from msgspec import Struct

from ._events import Rejection
from ._record import Record
from ._state import SessionState
from ._store import Outcome

if TYPE_CHECKING:
    from ._plan import CommitPlan


class Presence(enum.StrEnum):
    """What the request's cookie opened."""

    NEW = "new"  # nothing: there was no cookie, or none that is good
    ROW = "row"  # a row, by its current secret
    GRACE = "grace"  # a row, by the secret before a periodic rotation
    SEAL = "seal"  # a sealed state that the cookie itself carries


class Opened(Struct, frozen=True, gc=False):
    """A session as it was loaded.

    - ``ticket``: what the backend's ``parse`` made of the cookie, or what opens it from now on.
    - ``record``: the row as loaded, on backends with rows.
    - ``stale``: sealed with an old key, so that it must be sealed anew.
    """

    state: SessionState
    presence: Presence
    ticket: Any
    record: Record | None = None
    stale: bool = False

    def __repr__(self) -> str:
        return f"Opened(id={self.state.id!r}, presence={self.presence})"


class Written(Struct, frozen=True):
    """What became of a plan; ``opened`` is the session as it is stored now, None if it ended."""

    outcome: Outcome
    opened: Opened | None = None


@runtime_checkable
class Backend(Protocol):
    """How a token becomes a session, and a plan a token."""

    lazy: bool
    """Whether ``load_nowait`` works: sessions then load on first use."""

    def parse(self, value: bytes) -> Any | None:
        """A ticket for a cookie value that could be ours; None for junk. Cheap; never raises."""
        ...

    def spell(self, ticket: Any) -> str:
        """The cookie value of a ticket: ``parse(spell(ticket)) == ticket``."""
        ...

    async def load(self, ticket: Any, *, now: float) -> Opened | Rejection:
        """The session that this ticket opens. Raises StoreError only."""
        ...

    def load_nowait(self, ticket: Any, *, now: float) -> Opened | Rejection:
        """``load`` without waiting; called only if ``lazy``."""
        ...

    async def write(self, plan: CommitPlan, *, now: float) -> Written:
        """Carry out the plan in one atomic step. Raises StoreError, SessionTooLargeError only."""
        ...

    async def aopen(self) -> None:
        """Called when the application starts."""
        ...

    async def aclose(self) -> None:
        """Called when the application ends; may be opened again."""
        ...


@runtime_checkable
class SupportsRows(Protocol):
    """A backend with rows that can be reached without a cookie."""

    async def load_id(self, id: str, *, now: float) -> Opened | Rejection:
        """The session with this public id."""
        ...

    async def sessions_of(self, owner: str, *, now: float) -> list[SessionState]:
        """An owner's live sessions, oldest first. ConfigurationError if the store cannot list."""
        ...

    async def revoke(self, id: str) -> bool:
        """End the session with this id; False if there was none."""
        ...

    async def revoke_owner(self, owner: str, *, keep: str | None) -> int:
        """End an owner's sessions but one, and say how many. ConfigurationError as above."""
        ...

    @property
    def one_process(self) -> bool:
        """Whether the rows are seen by this process only."""
        ...

    @property
    def can_sweep(self) -> bool:
        """Whether ``sweep`` does anything."""
        ...

    async def sweep(self, *, now: float, limit: int) -> int:
        """Remove at most ``limit`` expired rows, and say how many."""
        ...
