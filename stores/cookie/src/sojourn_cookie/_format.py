"""Format 1 of what is sealed: a session as bytes, and bytes as a session.

    flags                 1 byte
    random                4 bytes of the id
    created               5 bytes: hundredths of a second since the epoch
    lifetime              3 bytes: from creation to expiry, a number of 20 bits of hundredths and
                          4 bits of how often to double it
    minted                5 bytes, time of the id; only if it is not created_at
    renewed               5 bytes, only if it is not created_at
    authenticated         5 bytes, only if it is neither absent nor created_at
    values                msgpack: a map of them; with an owner or flash values an array of owner,
                          flash keys and the map
    padding               0 to 2 zero bytes, so that the sealed length is a multiple of three

Numbers are big-endian. Values stay encoded: reading a session decodes none of them. An id here is
no key of anything and no secret: it names a session in logs. So it is the time and 32 random bits,
as in a UUID of version 7 (RFC 9562 5.7), and the rest of its 16 bytes is zero.
"""

from __future__ import annotations

from struct import Struct, error
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Raw

from sojourn import SessionState

RANDOM_BYTES = 4
_TIME_BYTES = 5
_ID_FILL = "0" * 14
_PADDING = 0b11
_OWNER_OR_FLASH = 1 << 2
_AUTHENTICATED_AT_CREATION = 1 << 3
_AUTHENTICATED_LATER = 1 << 4
_RENEWED = 1 << 5
_MINTED_EARLIER = 1 << 6
_UNKNOWN = 1 << 7
_OTHER_TIMES = _MINTED_EARLIER | _RENEWED | _AUTHENTICATED_LATER

_HEAD = Struct(">B4sQ")
_CREATED = slice(5, 10)
_PER_SECOND = 100
_TICKS = _PER_SECOND * (1 + 2**-51)
"""A hair more than a hundred, because 1.13 * 100 is 112.99999999999999."""
_LATEST = (1 << 40) // _PER_SECOND - 1
"""Seconds since the epoch: the year 2318."""
_MANTISSA_BITS, _MAX_SHIFT = 20, 15
_MANTISSA, _SHIFT = (1 << _MANTISSA_BITS) - 1, 15

SMALLEST = _HEAD.size + 1
"""Bytes of a session without values."""


class _Annotated(msgspec.Struct, frozen=True, array_like=True, gc=False):
    owner: str | None
    flash: tuple[str, ...]
    data: Raw


_NO_FLASH: frozenset[str] = frozenset()

_encode = msgspec.msgpack.Encoder().encode
_decode_values: Any = msgspec.msgpack.Decoder(dict[str, Raw]).decode
_decode_annotated = msgspec.msgpack.Decoder(_Annotated).decode


def new_id(created_at: float, random: bytes) -> str:
    """An id for a session that begins now."""
    return (_bytes(_ticks(created_at)) + random).hex() + _ID_FILL


def pack(state: SessionState, *, around: int) -> tuple[SessionState, bytes]:
    """The bytes of a state, and the state as they will be read again.

    Times are rounded down, so that nothing lives longer. ``around``: how many bytes sealing adds.
    """
    flags, times, id = 0, b"", bytes.fromhex(state.id)
    created = renewed = signed_in = _ticks(state.created_at)
    if id[:_TIME_BYTES] != _bytes(created):
        flags, times = _MINTED_EARLIER, id[:_TIME_BYTES]
    if state.renewed_at != state.created_at:
        flags |= _RENEWED
        renewed = _ticks(state.renewed_at)
        times += _bytes(renewed)
    if state.authenticated_at == state.created_at:
        flags |= _AUTHENTICATED_AT_CREATION
    elif state.authenticated_at is not None:
        flags |= _AUTHENTICATED_LATER
        signed_in = _ticks(state.authenticated_at)
        times += _bytes(signed_in)
    values = _encode(state.data.copy())
    if state.owner is not None or state.flash:
        flags |= _OWNER_OR_FLASH
        values = _encode(_Annotated(state.owner, tuple(sorted(state.flash)), Raw(values)))
    mantissa, shift = _scaled(_ticks(state.expires_at) - created)
    padding = -(around + _HEAD.size + len(times) + len(values)) % 3
    random = id[_TIME_BYTES : _TIME_BYTES + RANDOM_BYTES]
    head = _HEAD.pack(flags | padding, random, created << 24 | mantissa << 4 | shift)
    again = SessionState(
        state.id,
        1,  # nothing that lies in a browser can be compared with another version
        created / _PER_SECOND,
        renewed / _PER_SECOND,
        (created + (mantissa << shift)) / _PER_SECOND,
        state.owner,
        None if state.authenticated_at is None else signed_in / _PER_SECOND,
        state.data,
        state.flash,
    )
    return again, b"".join((head, times, values, b"\0" * padding))


def _ticks(seconds: float) -> int:
    if 0 <= seconds <= _LATEST:
        return int(seconds * _TICKS)
    return 0 if seconds < 0 else _LATEST * _PER_SECOND


def _bytes(ticks: int) -> bytes:
    return ticks.to_bytes(_TIME_BYTES, "big")


def _scaled(ticks: int) -> tuple[int, int]:
    """A number of 20 bits, and how often to double it: at most a millionth is lost."""
    shift = max(0, ticks.bit_length() - _MANTISSA_BITS)
    if ticks < 0:
        return 0, 0
    if shift > _MAX_SHIFT:
        return _MANTISSA, _MAX_SHIFT
    return ticks >> shift, shift


def unpack(message: bytes) -> SessionState | None:
    """The state that these bytes hold; None if they are corrupt or of a newer format."""
    try:
        flags, random, times = _HEAD.unpack_from(message)
        if flags & _UNKNOWN:
            return None
        created, lifetime = times >> 24, (times >> 4 & _MANTISSA) << (times & _SHIFT)
        at = _HEAD.size
        created_at = renewed_at = created / _PER_SECOND
        authenticated_at = created_at if flags & _AUTHENTICATED_AT_CREATION else None
        minted, owner, flash = message[_CREATED], None, _NO_FLASH
        if flags & _OTHER_TIMES:
            if flags & _MINTED_EARLIER:
                minted, at = message[at : at + _TIME_BYTES], at + _TIME_BYTES
            if flags & _RENEWED:
                renewed_at, at = _time_at(message, at), at + _TIME_BYTES
            if flags & _AUTHENTICATED_LATER:
                authenticated_at, at = _time_at(message, at), at + _TIME_BYTES
        values = message[at : len(message) - (flags & _PADDING)]
        if flags & _OWNER_OR_FLASH:
            annotated = _decode_annotated(values)
            owner, flash, values = (
                annotated.owner,
                frozenset(annotated.flash),
                bytes(annotated.data),
            )
        return SessionState(
            (minted + random).hex() + _ID_FILL,
            1,
            created_at,
            renewed_at,
            (created + lifetime) / _PER_SECOND,
            owner,
            authenticated_at,
            MappingProxyType(_decode_values(values)),
            flash,
        )
    except (error, msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _time_at(message: bytes, at: int) -> float:
    return int.from_bytes(message[at : at + _TIME_BYTES], "big") / _PER_SECOND
