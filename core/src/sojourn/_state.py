"""What a session is at one moment: a frozen value, immutable all the way down.

Values are kept in their encoded form, so a change inside a nested value is a change of bytes, and
comparing before with after needs no copies and no dirty flags.
"""

from __future__ import annotations

from types import MappingProxyType

from msgspec import Raw, Struct

Values = MappingProxyType[str, Raw]
"""Key to encoded value; a read-only view that nobody else holds the other side of."""

NO_VALUES: Values = MappingProxyType({})
NO_FLASH: frozenset[str] = frozenset()


class SessionState(Struct, frozen=True, gc=False):
    """One session at one moment.

    - ``id``: public, stable for the session's life, the row's key; "" while nothing is stored.
    - ``version``: grows by one with each write.
    - ``created_at``, ``renewed_at``, ``expires_at``, ``authenticated_at``: seconds since the epoch.
      ``created_at`` is where the absolute timeout counts from: creation, or the last login.
    - ``owner``: who logged in, as the application names them.
    - ``data``: key to encoded value; ``flash``: which of the keys go after one read.
    """

    id: str
    version: int
    created_at: float
    renewed_at: float
    expires_at: float
    owner: str | None = None
    authenticated_at: float | None = None
    data: Values = NO_VALUES
    flash: frozenset[str] = NO_FLASH

    @property
    def is_worth_keeping(self) -> bool:
        """Whether there is anything that a row would have to remember."""
        return bool(self.data) or self.owner is not None

    def with_data(self, data: dict[str, Raw], flash: frozenset[str]) -> SessionState:
        """The same session with other data; the caller gives ``data`` away."""
        return SessionState(
            self.id,
            self.version,
            self.created_at,
            self.renewed_at,
            self.expires_at,
            self.owner,
            self.authenticated_at,
            MappingProxyType(data),
            flash,
        )


def blank(now: float) -> SessionState:
    """The state of a visitor who has no session (yet, or any more)."""
    return SessionState(id="", version=0, created_at=now, renewed_at=now, expires_at=now)
