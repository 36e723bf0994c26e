"""One row as one string value: a header that scripts can read and change in place, then msgpack.

Header: version and deadline, two big-endian doubles of 8 bytes each. Doubles count exactly up to
2**53, and they are the only numbers that a server's Lua has. The id is in the row, so a reply that
belongs to another request is noticed.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, cast

import msgspec

from sojourn import Outcome, Record

from ._errors import OutOfStepError

_HEADER = Struct(">dd")
_HEADER_BYTES = _HEADER.size
_read_header: Callable[[Any], tuple[float, float]] = cast("Any", _HEADER.unpack_from)
_Body = tuple[str, bytes, bytes, float, str | None, bytes | None, float | None]

_ANSWERS = frozenset({b"OK", *(outcome.value.encode("ascii") for outcome in Outcome)})

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Body).decode


def pack(record: Record) -> bytes:
    """The value of a record."""
    body = (
        record.id,
        record.secret_hash,
        record.payload,
        record.created_at,
        record.owner,
        record.previous_hash,
        record.previous_until,
    )
    return _HEADER.pack(record.version, record.expires_at) + _encode(body)


def row_of(id: str, reply: object) -> Record | None:
    """The record with that id; None if there is none, or one that cannot be read.

    Raises OutOfStepError if the reply cannot be the one to a GET of that row: it has another type,
    is what our scripts or a SET answer, or names another id.
    """
    if reply is None:
        return None
    try:
        version, expires_at = _read_header(reply)
        body, number = _decode(reply[_HEADER_BYTES:]), int(version)  # type: ignore[index]
    except Exception:  # noqa: BLE001 - struct, msgspec and recursion each have an error of their own
        _check_unreadable(reply)
        return None
    row_id, secret_hash, payload, created_at, owner, previous_hash, previous_until = body
    if row_id != id:
        raise OutOfStepError("a row with another id")
    return Record(
        id,
        secret_hash,
        payload,
        number,
        created_at,
        expires_at,
        owner,
        previous_hash,
        previous_until,
    )


def _check_unreadable(reply: object) -> None:
    if not isinstance(reply, bytes) or reply in _ANSWERS:
        raise OutOfStepError("no row")
