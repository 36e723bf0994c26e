"""Format 1 of what is sealed: a session as bytes, and bytes as a session.

    flags                 1 byte
    id                    12 bytes
    created               6 bytes: milliseconds since the epoch
    lifetime              4 bytes: tenths of a second from creation to expiry
    renewed               6 bytes, only if it is not created_at
    authenticated         6 bytes, only if it is neither absent nor created_at
    values                msgpack: a map of them; with an owner or flash values an array of owner,
                          flash keys and the map
    padding               0 to 2 zero bytes, so that the sealed length is a multiple of three

Numbers are big-endian. Values stay encoded: reading a session decodes none of them. An id here is
no key of anything and no secret, it names a session in logs: 96 random bits are enough for that,
and the other 32 of a session's id are zero.
"""

from __future__ import annotations

from struct import Struct, error
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Raw

from sojourn import SessionState

ID_BYTES = 12
_ID_FILL = "00000000"
_PADDING = 0b11
_OWNER_OR_FLASH = 1 << 2
_AUTHENTICATED_AT_CREATION = 1 << 3
_AUTHENTICATED_LATER = 1 << 4
_RENEWED = 1 << 5
_UNKNOWN = 0b1100_0000

_HEAD = Struct(">B12sHII")
_TIME = Struct(">HI")
_LATEST = (1 << 48) - 1
_LONGEST = (1 << 32) - 1
_MILLISECONDS = 1000 * (1 + 2**-51)
"""A hair more than a thousand, because 1.001 * 1000 is 1000.9999999999999."""

SMALLEST = _HEAD.size + 1
"""Bytes of a session without values."""


class _Annotated(msgspec.Struct, frozen=True, array_like=True, gc=False):
    owner: str | None
    flash: tuple[str, ...]
    data: Raw


_NOTHING_MORE = _Annotated(None, (), Raw())

_encode = msgspec.msgpack.Encoder().encode
_decode_values: Any = msgspec.msgpack.Decoder(dict[str, Raw]).decode
_decode_annotated = msgspec.msgpack.Decoder(_Annotated).decode


def session_id(random: bytes) -> str:
    """The id that is made of so many random bytes."""
    return random.hex() + _ID_FILL


def as_sealed(state: SessionState) -> SessionState:
    """The state as it will be read again: times rounded down, so that nothing lives longer."""
    created = _milliseconds(state.created_at)
    later = state.authenticated_at
    return msgspec.structs.replace(
        state,
        version=1,  # nothing that lies in a browser can be compared with another version
        created_at=created / 1000,
        renewed_at=_milliseconds(state.renewed_at) / 1000,
        expires_at=(created + 100 * _lifetime(state)) / 1000,
        authenticated_at=None if later is None else _milliseconds(later) / 1000,
    )


def _milliseconds(seconds: float) -> int:
    return min(max(0, int(min(seconds, _LATEST) * _MILLISECONDS)), _LATEST)


def _lifetime(state: SessionState) -> int:
    milliseconds = _milliseconds(state.expires_at) - _milliseconds(state.created_at)
    return min(max(0, milliseconds // 100), _LONGEST)


def pack(state: SessionState, *, around: int) -> bytes:
    """The bytes of a state from ``as_sealed``; ``around``: how many bytes sealing adds."""
    flags, times = 0, b""
    if state.renewed_at != state.created_at:
        flags |= _RENEWED
        times += _time(state.renewed_at)
    if state.authenticated_at == state.created_at:
        flags |= _AUTHENTICATED_AT_CREATION
    elif state.authenticated_at is not None:
        flags |= _AUTHENTICATED_LATER
        times += _time(state.authenticated_at)
    values = _encode(state.data.copy())
    if state.owner is not None or state.flash:
        flags |= _OWNER_OR_FLASH
        values = _encode(_Annotated(state.owner, tuple(sorted(state.flash)), Raw(values)))
    padding = -(around + _HEAD.size + len(times) + len(values)) % 3
    return b"".join((_head(state, flags | padding), times, values, b"\0" * padding))


def _head(state: SessionState, flags: int) -> bytes:
    created, id = _milliseconds(state.created_at), bytes.fromhex(state.id)
    return _HEAD.pack(flags, id, created >> 32, created & 0xFFFF_FFFF, _lifetime(state))


def _time(seconds: float) -> bytes:
    return _milliseconds(seconds).to_bytes(_TIME.size, "big")


def unpack(message: bytes) -> SessionState | None:
    """The state that these bytes hold; None if they are corrupt or of a newer format."""
    try:
        return _unpack(message)
    except (error, msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _unpack(message: bytes) -> SessionState | None:
    flags, id, high, low, lifetime = _HEAD.unpack_from(message)
    if flags & _UNKNOWN:
        return None
    created = high << 32 | low
    created_at = renewed_at = created / 1000
    at, end = _HEAD.size, len(message) - (flags & _PADDING)
    authenticated_at = created_at if flags & _AUTHENTICATED_AT_CREATION else None
    if flags & _RENEWED:
        renewed_at, at = _time_at(message, at), at + _TIME.size
    if flags & _AUTHENTICATED_LATER:
        authenticated_at, at = _time_at(message, at), at + _TIME.size
    annotated = _NOTHING_MORE
    values = message[at:end]
    if flags & _OWNER_OR_FLASH:
        annotated = _decode_annotated(values)
        values = bytes(annotated.data)
    return SessionState(
        session_id(id),
        1,
        created_at,
        renewed_at,
        (created + 100 * lifetime) / 1000,
        annotated.owner,
        authenticated_at,
        MappingProxyType(_decode_values(values)),
        frozenset(annotated.flash),
    )


def _time_at(message: bytes, at: int) -> float:
    high, low = _TIME.unpack_from(message, at)
    milliseconds: int = high << 32 | low
    return milliseconds / 1000
