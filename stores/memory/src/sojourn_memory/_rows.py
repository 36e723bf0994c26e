"""One row as one bytes object: a record costs its payload and some 90 bytes.

Layout: deadline, birth (two doubles), size of the tail, version, hash of the secret; the payload;
and the tail, where there is an owner or a former secret: both, as msgpack. Rows never leave the
process, so the layout has no version.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

import msgspec

from sojourn import Record

_HEAD = Struct("<ddIQ32s")
_START = Struct("<ddIQ")
_TIMES = Struct("<dd")
_FILED_BY = slice(_TIMES.size + 4)
"""Times and size of the tail."""

_pack, _unpack, _payload = _HEAD.pack, _HEAD.unpack_from, slice(_HEAD.size, None)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str | None, bytes | None, float | None]).decode


def pack(record: Record) -> bytes:
    """The row of a record."""
    ends, begins, version, hashed = (
        record.expires_at,
        record.created_at,
        record.version,
        record.secret_hash,
    )
    if record.owner is None and record.previous_until is None and record.previous_hash is None:
        return _pack(ends, begins, 0, version, hashed) + record.payload
    tail = _encode((record.owner, record.previous_hash, record.previous_until))
    return b"".join((_pack(ends, begins, len(tail), version, hashed), record.payload, tail))


def unpack(id: str, row: bytes) -> Record:
    """The record of a row."""
    expires_at, created_at, tail, version, secret_hash = _unpack(row)
    if not tail:
        return Record(id, secret_hash, row[_payload], version, created_at, expires_at)
    payload, rest = row[_HEAD.size : -tail], _decode(row[-tail:])
    return Record(id, secret_hash, payload, version, created_at, expires_at, *rest)


def touched(row: bytes, *, expires_at: float) -> bytes:
    """The row with a later deadline, and its next version."""
    before, created_at, tail, version = start(row)
    head = _START.pack(max(expires_at, before), created_at, tail, version + 1)
    return head + row[_START.size :]


times: Callable[[bytes], tuple[float, float]] = _TIMES.unpack_from
"""When a row expires, and when its session began."""

start: Callable[[bytes], tuple[float, float, int, int]] = _START.unpack_from
"""``times``, how many bytes its tail has, and how often it was written."""


def owner(row: bytes) -> str | None:
    """Whose row it is."""
    tail = start(row)[2]
    return _decode(row[-tail:])[0] if tail else None


def are_filed_alike(old: bytes, new: bytes) -> bool:
    """Whether two rows of one id have the same times and owner, so that no index changes."""
    if old[_FILED_BY] != new[_FILED_BY]:
        return False
    tail = start(old)[2]
    return not tail or old[-tail:] == new[-tail:]
