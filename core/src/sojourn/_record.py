"""The only thing that crosses a store's border, and the way from a state to it and back."""

from __future__ import annotations

from types import MappingProxyType

import msgspec
from msgspec import Raw, Struct

from ._codec import DECODE_ERRORS
from ._state import SessionState

FORMAT = 1
"""Version of the payload; a newer one is left alone and counts as absent."""


class Record(Struct, frozen=True, gc=False):
    """One row, as stores see it. Holds no secret, and nothing that a store must understand.

    - ``id``: 32 lower-case hexadecimal digits (16 bytes); the key.
    - ``secret_hash``: 32 bytes. ``previous_hash``: of the secret before a periodic rotation, good
      until ``previous_until`` (seconds since the epoch); both None otherwise.
    - ``payload``: opaque bytes. ``owner``: for ``SupportsOwners``.
    - ``version``: 1 when created, then one more with each write.
    - ``created_at``, ``expires_at``: seconds since the epoch. At ``expires_at`` it is expired.
    """

    id: str
    secret_hash: bytes
    payload: bytes
    version: int
    created_at: float
    expires_at: float
    owner: str | None = None
    previous_hash: bytes | None = None
    previous_until: float | None = None

    def __repr__(self) -> str:
        return f"Record(id={self.id!r}, version={self.version}, expires_at={self.expires_at})"


class _Payload(Struct, frozen=True, array_like=True, gc=False):
    format: int
    renewed_at: float
    authenticated_at: float | None
    flash: tuple[str, ...]
    data: dict[str, Raw]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Payload).decode


def pack(state: SessionState) -> bytes:
    """The payload of a state: all that a store need not see apart."""
    flash = tuple(sorted(state.flash)) if state.flash else ()
    return _encode(
        _Payload(FORMAT, state.renewed_at, state.authenticated_at, flash, state.data.copy())
    )


def unpack(record: Record, packed: bytes) -> SessionState | None:
    """The state of a record and its packed payload; None if corrupt or of a newer format."""
    try:
        payload = _decode(packed)
    except DECODE_ERRORS:
        return None
    if payload.format != FORMAT:
        return None
    return SessionState(
        record.id,
        record.version,
        record.created_at,
        payload.renewed_at,
        record.expires_at,
        record.owner,
        payload.authenticated_at,
        MappingProxyType(payload.data),
        frozenset(payload.flash),
    )
