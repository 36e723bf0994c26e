"""The manager's view from outside of requests: sessions by their public id, and by their owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from ._backend import SupportsRows
from ._codec import is_owner
from ._events import OwnerRevoked, SessionRevoked
from ._owners import Edit, SessionInfo, guarded, info_of, rows_of
from ._settings import Settings
from ._sweeper import sweep
from ._token import is_id

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    M = TypeVar("M", default=Any)
else:
    from typing import TypeVar

    M = TypeVar("M")


class Outside(Generic[M]):
    """What a manager can do with sessions that belong to no request at hand."""

    _settings: Settings

    def edit(self, id: str) -> Edit[M]:
        """``async with manager.edit(id) as session:`` work on a session by its public id.

        For background jobs: writes at the end unless the block raises, never sets a cookie, and
        extends nothing. Raises SessionNotFoundError if the session has ended, SessionSealedError
        for ``rotate`` and ``bind``, ConfigurationError on a backend without rows.
        """
        return Edit(self._settings, self._rows("edit"), id)

    async def sessions_of(self, owner: str) -> list[SessionInfo]:
        """An owner's live sessions, oldest first. ConfigurationError if the store cannot list.

        Any text is fine; what nobody can be bound to has none.
        """
        rows, now = self._rows("sessions_of"), self._settings.clock()
        if not is_owner(owner):
            return []
        states = await guarded(self._settings, "list", rows.sessions_of(owner, now=now))
        return [info_of(self._settings, state) for state in states]

    async def revoke(self, id: str) -> bool:
        """End the session with this public id; False if there is none. Any text is fine."""
        rows = self._rows("revoke")
        if not is_id(id) or not await guarded(self._settings, "delete", rows.revoke(id)):
            return False
        self._settings.emit(SessionRevoked(id=id))
        return True

    async def revoke_owner(self, owner: str, *, keep: str | None = None) -> int:
        """End all sessions of an owner, but for the one with the id ``keep``; says how many.

        Any text is fine, and may come from a client: what is no id keeps nothing.
        """
        rows = self._rows("revoke_owner")
        if not is_owner(owner):
            return 0
        kept = keep if keep is not None and is_id(keep) else None
        count = await guarded(self._settings, "delete", rows.revoke_owner(owner, keep=kept))
        self._settings.emit(OwnerRevoked(count=count))
        return count

    async def sweep(self) -> int:
        """Remove all expired rows now, and say how many. The sweeper does so by itself."""
        rows = self._rows("sweep")
        return await guarded(self._settings, "sweep", sweep(self._settings, rows))

    def _rows(self, method: str) -> SupportsRows:
        return rows_of(self._settings, method)
