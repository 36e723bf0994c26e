"""Format 1 of what is sealed: a session as bytes, and bytes as a session.

    flags                 1 byte
    id                    16 bytes
    created, expires      6 bytes each: milliseconds since the epoch
    renewed               6 bytes, only if it is not created_at
    authenticated         6 bytes, only if it is neither absent nor created_at
    values                msgpack: a map of them; with an owner or flash values an array of owner,
                          flash keys and the map
    padding               0 to 2 zero bytes, so that the sealed length is a multiple of three

Numbers are big-endian. Values stay encoded: reading a session decodes none of them.
"""

from __future__ import annotations

from struct import Struct, error
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Raw

from sojourn import SessionState

ID_BYTES = 16
_PADDING = 0b11
_OWNER_OR_FLASH = 1 << 2
_AUTHENTICATED_AT_CREATION = 1 << 3
_AUTHENTICATED_LATER = 1 << 4
_RENEWED = 1 << 5
_UNKNOWN = 0b1100_0000

_HEAD = Struct(">B16sHIHI")
_TIME = Struct(">HI")
_LATEST = (1 << 48) - 1

SMALLEST = _HEAD.size + 1
"""Bytes of a session without values."""


class _Annotated(msgspec.Struct, frozen=True, array_like=True, gc=False):
    owner: str | None
    flash: tuple[str, ...]
    data: Raw


_encode = msgspec.msgpack.Encoder().encode
_decode_values: Any = msgspec.msgpack.Decoder(dict[str, Raw]).decode
_decode_annotated = msgspec.msgpack.Decoder(_Annotated).decode


def whole_milliseconds(state: SessionState) -> SessionState:
    """The state as it will be read again: times rounded down, so that nothing lives longer."""
    authenticated_at = state.authenticated_at
    return msgspec.structs.replace(
        state,
        version=1,  # nothing that lies in a browser can be compared with another version
        created_at=_milliseconds(state.created_at) / 1000,
        renewed_at=_milliseconds(state.renewed_at) / 1000,
        expires_at=_milliseconds(state.expires_at) / 1000,
        authenticated_at=None
        if authenticated_at is None
        else _milliseconds(authenticated_at) / 1000,
    )


def _milliseconds(seconds: float) -> int:
    # A thousandth of a millisecond more: 1.001 * 1000 is 1000.9999999999999.
    return min(max(0, int(min(seconds, 1e15) * 1000 + 0.001)), _LATEST)


def pack(state: SessionState, *, around: int) -> bytes:
    """The bytes of a state in whole milliseconds; ``around``: how many bytes sealing adds."""
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
    created, expires = _milliseconds(state.created_at), _milliseconds(state.expires_at)
    id = bytes.fromhex(state.id)
    low = 0xFFFF_FFFF
    return _HEAD.pack(flags, id, created >> 32, created & low, expires >> 32, expires & low)


def _time(seconds: float) -> bytes:
    return _milliseconds(seconds).to_bytes(_TIME.size, "big")


def unpack(message: bytes) -> SessionState | None:
    """The state that these bytes hold; None if they are corrupt or of a newer format."""
    try:
        return _unpack(message)
    except (error, msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _unpack(message: bytes) -> SessionState | None:
    flags, id, created_high, created_low, expires_high, expires_low = _HEAD.unpack_from(message)
    if flags & _UNKNOWN:
        return None
    created_at = renewed_at = (created_high << 32 | created_low) / 1000
    at, end = _HEAD.size, len(message) - (flags & _PADDING)
    authenticated_at = created_at if flags & _AUTHENTICATED_AT_CREATION else None
    if flags & _RENEWED:
        renewed_at, at = _time_at(message, at), at + _TIME.size
    if flags & _AUTHENTICATED_LATER:
        authenticated_at, at = _time_at(message, at), at + _TIME.size
    owner, flash, values = None, (), message[at:end]
    if flags & _OWNER_OR_FLASH:
        annotated = _decode_annotated(values)
        owner, flash, values = annotated.owner, annotated.flash, bytes(annotated.data)
    return SessionState(
        id.hex(),
        1,
        created_at,
        renewed_at,
        (expires_high << 32 | expires_low) / 1000,
        owner,
        authenticated_at,
        MappingProxyType(_decode_values(values)),
        frozenset(flash),
    )


def _time_at(message: bytes, at: int) -> float:
    high, low = _TIME.unpack_from(message, at)
    milliseconds: int = high << 32 | low
    return milliseconds / 1000
