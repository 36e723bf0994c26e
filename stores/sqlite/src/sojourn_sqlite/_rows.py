"""The statements: each function is one operation of the contract, on a connection's one cursor.

Every write is one modifying statement, which SQLite undoes alone if it fails; several of them share
a transaction without a savepoint each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zlib import crc32

from sojourn import Outcome, Record

from ._driver import Cursor

_COLUMNS = (
    "secret_hash, payload, version, created_at, expires_at, owner, previous_hash, previous_until, "
    "checksum"
)
_LOAD = f"SELECT {_COLUMNS} FROM sessions WHERE id = ? AND expires_at > ?"  # noqa: S608
_CREATE = (
    f"INSERT INTO sessions (id, {_COLUMNS}) "  # noqa: S608
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)
# Most changes leave alone what is in an index; one that is set is deleted there and inserted again.
_REPLACE = (
    "UPDATE sessions SET secret_hash = ?1, payload = ?2, version = ?3, created_at = ?4, "
    "previous_hash = ?7, previous_until = ?8, checksum = ?9 "
    "WHERE id = ?10 AND version = ?11 AND expires_at > ?12 AND expires_at = ?5 AND owner IS ?6"
)
_REPLACE_ALL = (
    "UPDATE sessions SET secret_hash = ?1, payload = ?2, version = ?3, created_at = ?4, "
    "expires_at = ?5, owner = ?6, previous_hash = ?7, previous_until = ?8, checksum = ?9 "
    "WHERE id = ?10 AND version = ?11 AND expires_at > ?12"
)
_TOUCH = (
    "UPDATE sessions SET version = version + 1, expires_at = max(expires_at, ?) "
    "WHERE id = ? AND version = ? AND expires_at > ?"
)
_IS_LIVE = "SELECT 1 FROM sessions WHERE id = ? AND expires_at > ?"
_DELETE = "DELETE FROM sessions WHERE id = ?"
_DELETE_OWNER = "DELETE FROM sessions WHERE owner = ? AND id <> ?"
_IDS_OF_OWNER = (
    "SELECT CAST(id AS BLOB) FROM sessions WHERE owner = ? AND expires_at > ? "
    "ORDER BY created_at, id"
)
_SWEEP = (
    "DELETE FROM sessions WHERE rowid IN "
    "(SELECT rowid FROM sessions WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)"
)

_key = bytes.fromhex


def load(cursor: Cursor, id: str, now: float) -> Record | None:
    """See ``Store.load``. On a connection of ``open_reader``, as ``load_owner``."""
    key = _key(id)
    try:
        # To the end of the statement: a read that stays open keeps checkpoints from the WAL.
        row = cursor.execute(_LOAD, (key, now)).get
    except UnicodeDecodeError:  # decayed, to a text that is none
        cursor.execute("")  # apsw leaves the statement open
        return None
    return None if row is None else _record(id, key, row)


def create(cursor: Cursor, record: Record) -> bool:
    """See ``Store.create``."""
    key = _key(record.id)
    return _changed(cursor, _CREATE, (key, *_values(key, record))) == 1


def replace(cursor: Cursor, record: Record, version: int, now: float) -> Outcome:
    """See ``Store.replace``."""
    key = _key(record.id)
    values = (*_values(key, record), key, version, now)
    if _changed(cursor, _REPLACE, values) or _changed(cursor, _REPLACE_ALL, values):
        return Outcome.APPLIED
    return _why_not(cursor, key, now)


def touch(cursor: Cursor, id: str, version: int, expires_at: float, now: float) -> Outcome:
    """See ``Store.touch``."""
    key = _key(id)
    if _changed(cursor, _TOUCH, (expires_at, key, version, now)):
        return Outcome.APPLIED
    return _why_not(cursor, key, now)


def delete(cursor: Cursor, id: str) -> bool:
    """See ``Store.delete``."""
    return _changed(cursor, _DELETE, (_key(id),)) == 1


def load_owner(cursor: Cursor, owner: str, now: float) -> list[Record]:
    """See ``SupportsOwners.load_owner``; rows that cannot be read are left out."""
    cursor.execute("BEGIN")  # all of one moment
    ids = cursor.execute(_IDS_OF_OWNER, (owner, now)).fetchall()
    records = [load(cursor, key.hex(), now) for (key,) in ids if key is not None]
    cursor.execute("COMMIT")
    return [record for record in records if record is not None]


def delete_owner(cursor: Cursor, owner: str, keep: str | None) -> int:
    """See ``SupportsOwners.delete_owner``."""
    kept = b"" if keep is None else _key(keep)
    return _changed(cursor, _DELETE_OWNER, (owner, kept))


def sweep(cursor: Cursor, now: float, limit: int) -> int:
    """See ``SupportsSweep.sweep``."""
    return _changed(cursor, _SWEEP, (now, limit))


def _changed(cursor: Cursor, statement: str, values: tuple[Any, ...]) -> int:
    """How many rows the statement changed."""
    return cursor.execute(statement, values).connection.changes()


def _why_not(cursor: Cursor, key: bytes, now: float) -> Outcome:
    # The same transaction as the UPDATE, so the answer is of the same moment.
    is_live = cursor.execute(_IS_LIVE, (key, now)).get
    return Outcome.GONE if is_live is None else Outcome.CONFLICT


def _values(key: bytes, record: Record) -> tuple[Any, ...]:
    return (
        record.secret_hash,
        record.payload,
        record.version,
        record.created_at,
        record.expires_at,
        record.owner,
        record.previous_hash,
        record.previous_until,
        _checksum(key, record.secret_hash, record.payload, record.owner),
    )


def _record(id: str, key: bytes, row: Sequence[Any]) -> Record | None:
    """The record of a row, by its columns; None if the row is not what was written.

    SQLite's pages carry no checksum: a bit that flipped on the disk comes back as good data. The
    row's own checksum binds what matters to the id, so a row in another's place is noticed too.
    """
    secret_hash, payload, version, created_at, expires_at, owner, former, until, check = row
    try:
        if check != _checksum(key, secret_hash, payload, owner):
            return None
    except (TypeError, AttributeError):
        return None
    if type(version) is not int or type(created_at) is not float or type(expires_at) is not float:
        return None
    if until is not None and not (type(until) is float and type(former) is bytes):
        return None
    return Record(id, secret_hash, payload, version, created_at, expires_at, owner, former, until)


def _checksum(key: bytes, secret_hash: bytes, payload: bytes, owner: str | None) -> int:
    """CRC-32 of what ``touch`` leaves alone; against decay, not against an attacker."""
    crc = crc32(payload, crc32(key + secret_hash))
    return crc if owner is None else crc32(owner.encode(), crc)
