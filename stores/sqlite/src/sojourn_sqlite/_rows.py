"""The statements: each function is one operation of the contract on one connection.

Every write is one modifying statement, which SQLite undoes alone if it fails; several of them share
a transaction without a savepoint each.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence
from typing import Any

from sojourn import Outcome, Record

_COLUMNS = (
    "secret_hash, payload, version, created_at, expires_at, owner, previous_hash, previous_until, "
    "checksum"
)
_LOAD = f"SELECT {_COLUMNS} FROM sessions WHERE id = ? AND expires_at > ?"  # noqa: S608
_CREATE = (
    f"INSERT INTO sessions (id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, "  # noqa: S608
    "nullif(?, x''), nullif(?, x''), nullif(?, x''), ?) ON CONFLICT (id) DO NOTHING"
)
_REPLACE = (
    "UPDATE sessions SET secret_hash = ?, payload = ?, version = ?, created_at = ?, "
    "expires_at = ?, owner = nullif(?, x''), previous_hash = nullif(?, x''), "
    "previous_until = nullif(?, x''), checksum = ? "
    "WHERE id = ? AND version = ? AND expires_at > ?"
)
_TOUCH = (
    "UPDATE sessions SET version = version + 1, expires_at = max(expires_at, ?) "
    "WHERE id = ? AND version = ? AND expires_at > ?"
)
_IS_LIVE = "SELECT 1 FROM sessions WHERE id = ? AND expires_at > ?"
_DELETE = "DELETE FROM sessions WHERE id = ?"
_DELETE_OWNER = "DELETE FROM sessions WHERE owner = ? AND id <> ?"
_LOAD_OWNER = (
    f"SELECT {_COLUMNS}, id FROM sessions WHERE owner = ? AND expires_at > ? "  # noqa: S608
    "ORDER BY created_at, id"
)
_SWEEP = (
    "DELETE FROM sessions WHERE rowid IN "
    "(SELECT rowid FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)"
)

# The sqlite3 of CPython 3.11 looks for an adapter of each value that is bytes or None, and raises
# and drops an exception on the way: a quarter of an UPDATE. It looks for none of a bytearray.
_key = bytearray.fromhex
_NULL = bytearray()
"""What the statements take for NULL; no column may hold it."""


def load(connection: sqlite3.Connection, id: str, now: float) -> Record | None:
    """See ``Store.load``. On a connection of ``open_reader``, as ``load_owner``."""
    key = _key(id)
    row = connection.execute(_LOAD, (key, now)).fetchone()
    return None if row is None else _record(id, key, row)


def create(connection: sqlite3.Connection, record: Record) -> bool:
    """See ``Store.create``."""
    key = _key(record.id)
    return connection.execute(_CREATE, (key, *_values(key, record))).rowcount == 1


def replace(connection: sqlite3.Connection, record: Record, version: int, now: float) -> Outcome:
    """See ``Store.replace``."""
    key = _key(record.id)
    values = (*_values(key, record), key, version, now)
    if connection.execute(_REPLACE, values).rowcount == 1:
        return Outcome.APPLIED
    return _why_not(connection, key, now)


def touch(
    connection: sqlite3.Connection, id: str, version: int, expires_at: float, now: float
) -> Outcome:
    """See ``Store.touch``."""
    key = _key(id)
    if connection.execute(_TOUCH, (expires_at, key, version, now)).rowcount == 1:
        return Outcome.APPLIED
    return _why_not(connection, key, now)


def delete(connection: sqlite3.Connection, id: str) -> bool:
    """See ``Store.delete``."""
    return connection.execute(_DELETE, (_key(id),)).rowcount == 1


def load_owner(connection: sqlite3.Connection, owner: str, now: float) -> list[Record]:
    """See ``SupportsOwners.load_owner``; rows that cannot be read are left out."""
    rows = connection.execute(_LOAD_OWNER, (owner, now))
    records = (_record(key.hex(), key, values) for *values, key in rows if type(key) is bytes)
    return [record for record in records if record is not None]


def delete_owner(connection: sqlite3.Connection, owner: str, keep: str | None) -> int:
    """See ``SupportsOwners.delete_owner``."""
    kept = b"" if keep is None else _key(keep)
    return connection.execute(_DELETE_OWNER, (owner, kept)).rowcount


def sweep(connection: sqlite3.Connection, now: float, limit: int) -> int:
    """See ``SupportsSweep.sweep``."""
    return connection.execute(_SWEEP, (now, limit)).rowcount


def _why_not(connection: sqlite3.Connection, key: bytearray, now: float) -> Outcome:
    # The same transaction as the UPDATE, so the answer is of the same moment.
    is_live = connection.execute(_IS_LIVE, (key, now)).fetchone()
    return Outcome.GONE if is_live is None else Outcome.CONFLICT


def _values(key: bytearray, record: Record) -> tuple[Any, ...]:
    owner = None if record.owner is None else record.owner.encode()
    return (
        bytearray(record.secret_hash),
        bytearray(record.payload),
        record.version,
        record.created_at,
        record.expires_at,
        _NULL if record.owner is None else record.owner,
        _NULL if record.previous_hash is None else record.previous_hash,
        _NULL if record.previous_until is None else record.previous_until,
        _checksum(key, record.secret_hash, record.payload, owner),
    )


def _record(id: str, key: bytes | bytearray, row: Sequence[Any]) -> Record | None:
    """The record of a row, by its columns; None if the row is not what was written.

    SQLite's pages carry no checksum: a bit that flipped on the disk comes back as good data. The
    row's own checksum binds what matters to the id, so a row in another's place is noticed too.
    """
    secret_hash, payload, version, created_at, expires_at, owner, former, until, check = row
    try:
        if check != _checksum(key, secret_hash, payload, owner):
            return None
        if not type(created_at) is type(expires_at) is float or type(version) is not int:
            return None
        if until is not None and (type(until) is not float or type(former) is not bytes):
            return None
        return Record(
            id,
            secret_hash,
            payload,
            version,
            created_at,
            expires_at,
            None if owner is None else owner.decode(),
            former,
            until,
        )
    except (TypeError, ValueError, AttributeError):
        return None


def _checksum(
    key: bytes | bytearray, secret_hash: bytes, payload: bytes, owner: bytes | None
) -> int:
    """CRC-32 of what ``touch`` leaves alone; against decay, not against an attacker."""
    crc = zlib.crc32(payload, zlib.crc32(secret_hash, zlib.crc32(key)))
    return crc if owner is None else zlib.crc32(owner, crc)
