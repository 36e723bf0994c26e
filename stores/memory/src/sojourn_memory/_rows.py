"""One row as one bytes object: a record costs its payload and some 90 bytes.

Layout: deadline, birth (two doubles), version, length of the payload, hash of the secret; the
payload; and, only where there is one, owner and former secret as msgpack. Rows never leave the
process, so the layout has no version.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

import msgspec

from sojourn import Record

_HEAD = Struct("<ddQI32s")
_DEADLINE = Struct("<d")
_TIMES = Struct("<dd")
_START = Struct("<ddQ")
_SIZE = Struct("<I")
_size = _SIZE.unpack_from
_VERSION_AT = _TIMES.size
_SIZE_AT = _START.size

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str | None, bytes | None, float | None]).decode


def pack(record: Record) -> bytes:
    """The row of a record."""
    row = _HEAD.pack(
        record.expires_at,
        record.created_at,
        record.version,
        len(record.payload),
        record.secret_hash,
    )
    if record.owner is None and record.previous_hash is None and record.previous_until is None:
        return row + record.payload
    tail = _encode((record.owner, record.previous_hash, record.previous_until))
    return b"".join((row, record.payload, tail))


def unpack(id: str, row: bytes) -> Record:
    """The record of a row."""
    expires_at, created_at, version, size, secret_hash = _HEAD.unpack_from(row)
    end = _HEAD.size + size
    payload = row[_HEAD.size : end]
    if end == len(row):
        return Record(id, secret_hash, payload, version, created_at, expires_at)
    tail = _decode(row[end:])
    return Record(id, secret_hash, payload, version, created_at, expires_at, *tail)


def touched(row: bytes, *, expires_at: float) -> bytes:
    """The row with a later deadline, and its next version."""
    before, created_at, version = start(row)
    return _START.pack(max(expires_at, before), created_at, version + 1) + row[_SIZE_AT:]


def deadline(row: bytes) -> float:
    """When the row expires."""
    expires_at: float = _DEADLINE.unpack_from(row)[0]
    return expires_at


times: Callable[[bytes], tuple[float, float]] = _TIMES.unpack_from
"""When a row expires, and when its session began."""


start: Callable[[bytes], tuple[float, float, int]] = _START.unpack_from
"""When a row expires, when its session began, and how often it was written."""


def owner(row: bytes) -> str | None:
    """Whose row it is."""
    end: int = _HEAD.size + _size(row, _SIZE_AT)[0]
    return None if end == len(row) else _decode(row[end:])[0]


def are_filed_alike(old: bytes, new: bytes) -> bool:
    """Whether two rows of one id have the same times and owner, so that no index changes."""
    if old[:_VERSION_AT] != new[:_VERSION_AT]:
        return False
    (before,), (after,) = _size(old, _SIZE_AT), _size(new, _SIZE_AT)
    if len(old) - before == len(new) - after == _HEAD.size:
        return True  # nobody's
    return old[_HEAD.size + before :] == new[_HEAD.size + after :]
