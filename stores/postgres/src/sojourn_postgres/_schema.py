"""The table, and every statement about it.

``expires_at`` has no index of its own: a touch changes it, and a changed index entry would cost
each touch a new row version (no HOT update). What is indexed is the hour that it falls into.
"""
# ruff: noqa: S608 - the table's name is checked, and everything else is a parameter

from __future__ import annotations

import re

from sojourn import ConfigurationError

BUCKET_SECONDS = 3600.0

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,50}(\.[a-z_][a-z0-9_]{0,50})?")

_COLUMNS = (
    "id, secret_hash, payload, version, created_at, expires_at, owner, previous_hash, "
    "previous_until"
)


def schema(table: str = "sojourn_sessions") -> str:
    """The SQL that makes the table, for a migration of your own. May be run again.

    Raises ConfigurationError for a name that would need quotes.
    """
    name = checked(table)
    plain = name.rpartition(".")[2]
    return f"""\
CREATE TABLE IF NOT EXISTS {name} (
    id uuid PRIMARY KEY,
    secret_hash bytea NOT NULL CHECK (length(secret_hash) = 32),
    payload bytea NOT NULL,
    version bigint NOT NULL,
    created_at double precision NOT NULL,
    expires_at double precision NOT NULL,
    expiry_hour bigint NOT NULL,
    owner text,
    previous_hash bytea,
    previous_until double precision
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS {plain}_owner ON {name} (owner) WHERE owner IS NOT NULL;
CREATE INDEX IF NOT EXISTS {plain}_expiry ON {name} (expiry_hour);
"""


def checked(table: str) -> str:
    """The table's name, which goes into statements as it is."""
    if not _NAME.fullmatch(table):
        raise ConfigurationError(
            "PostgresStore(table=...): lower-case letters, digits and _, with a schema before a dot"
        )
    return table


def hour(expires_at: float) -> int:
    """The hour that a deadline falls into, counted from the epoch."""
    return int(expires_at // BUCKET_SECONDS)


class Statements:
    """The statements for one table. Each is one atomic step; the guard is in its WHERE.

    READ COMMITTED is enough: who had to wait for a row looks at its WHERE again.
    """

    def __init__(self, table: str) -> None:
        name = checked(table)
        columns = f"SELECT {_COLUMNS} FROM {name}"
        self.load = f"{columns} WHERE id = $1 AND expires_at > $2"
        self.load_owner = f"{columns} WHERE owner = $1 AND expires_at > $2 ORDER BY created_at"
        self.create = (
            f"INSERT INTO {name} ({_COLUMNS}, expiry_hour) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING "
            "RETURNING 1"
        )
        self.replace = _guarded(
            name,
            "secret_hash = $4, payload = $5, version = $6, created_at = $7, expires_at = $8, "
            "owner = $9, previous_hash = $10, previous_until = $11, expiry_hour = $12",
        )
        self.touch = _guarded(
            name,
            "version = version + 1, expires_at = greatest(expires_at, $4), "
            "expiry_hour = greatest(expiry_hour, $5)",
        )
        self.delete = f"DELETE FROM {name} WHERE id = $1 RETURNING 1"
        self.delete_owner = (
            f"WITH gone AS (DELETE FROM {name} WHERE owner = $1 AND id IS DISTINCT FROM $2 "
            "RETURNING 1) SELECT count(*) FROM gone"
        )
        # Many nodes may sweep at once: none waits for a row that another one has in hand.
        self.sweep = (
            f"WITH old AS (SELECT id FROM {name} WHERE expiry_hour <= $1 AND expires_at <= $2 "
            f"LIMIT $3 FOR UPDATE SKIP LOCKED), gone AS (DELETE FROM {name} USING old "
            f"WHERE {name}.id = old.id RETURNING 1) SELECT count(*) FROM gone"
        )


def _guarded(name: str, assignments: str) -> str:
    """An update of the live row $1 with the version $2 at the time $3; says what became of it.

    The row is locked before it is judged: a plain SELECT would see it as it was when the statement
    began, and call one that was deleted since then a conflict.
    """
    return (
        f"WITH held AS (SELECT version AS held_version FROM {name} "
        "WHERE id = $1 AND expires_at > $3 FOR UPDATE), "
        f"done AS (UPDATE {name} SET {assignments} FROM held "
        "WHERE id = $1 AND held_version = $2 RETURNING 1) "
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM done) THEN 'applied' "
        "WHEN EXISTS (SELECT 1 FROM held) THEN 'conflict' ELSE 'gone' END"
    )
