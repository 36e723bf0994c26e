"""Connections and the schema: what a file must be before a session goes into it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import apsw

from . import _driver
from ._driver import Connection
from ._errors import SQLiteStoreError, Trouble, is_busy
from ._place import make_private

Durability = Literal["full", "normal"]

APPLICATION_ID = 0x536F6A6F  # "Sojo"
"""In the file's header (sqlite.org/fileformat.html), so that another program's file is refused."""

# A rowid table: WITHOUT ROWID keeps whole rows in the inner nodes of its tree, and rows of 1.5 kB
# then took twice the time and twice the space; at 300 bytes both were alike.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE sessions (
            id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
            secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),
            payload BLOB NOT NULL,
            version INTEGER NOT NULL,
            created_at REAL NOT NULL,
            expires_at REAL NOT NULL,
            owner TEXT,
            previous_hash BLOB CHECK (length(previous_hash) = 32),
            previous_until REAL,
            checksum INTEGER NOT NULL
        ) STRICT""",
        "CREATE INDEX sessions_by_expiry ON sessions (expires_at)",
        "CREATE INDEX sessions_by_owner ON sessions (owner) WHERE owner IS NOT NULL",
    ),
)
"""The statements that lead from each ``user_version`` to the next one."""

NEWEST = len(MIGRATIONS)


def _connect(path: Path) -> Connection:
    connection = _driver.connect(path.as_uri())
    try:
        # Hooks of the application, of which apsw.bestpractice has some, may have set another one.
        connection.execute("PRAGMA busy_timeout = 0")
        # A crafted schema must not call functions with side effects.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> Connection:
    """A connection that cannot write, to a file that was prepared."""
    connection = _connect(path)
    try:
        connection.execute("PRAGMA query_only = ON")
        _check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_writer(path: Path, durability: Durability) -> Connection:
    """A connection that writes. Creates the file and brings its schema up to date.

    Raises SQLiteStoreError, apsw.Error.
    """
    make_private(path)
    connection = _connect(path)
    try:
        # Says so of a foreign or newer file before anything in it is changed.
        if _identity(connection, path) != (APPLICATION_ID, NEWEST):
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _use_wal(connection, path)
        connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'full' else 'NORMAL'}")
        connection.execute("PRAGMA secure_delete = ON")
        # Checkpoints are the writer's business, after it has answered.
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: Connection, path: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").get
    if mode != "wal":
        if connection.execute("PRAGMA query_only").get or not _is_writable(connection):
            raise SQLiteStoreError(path, Trouble.READ_ONLY)
        raise SQLiteStoreError(path, Trouble.NO_WAL, f"journal mode {mode}")


def _is_writable(connection: Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except apsw.Error as error:
        if is_busy(error):
            raise
        return False
    return True


def _identity(connection: Connection, path: Path) -> tuple[int, int]:
    """Whose file it is, and the version of its schema; (0, 0) for a file without tables."""
    application_id, version, count = _header(connection)
    if application_id != APPLICATION_ID:
        if count or application_id or version:
            raise SQLiteStoreError(path, Trouble.FOREIGN)
        return 0, 0
    if version > NEWEST:
        raise SQLiteStoreError(path, Trouble.NEWER, f"version {version}, this one knows {NEWEST}")
    return application_id, version


def _header(connection: Connection) -> tuple[int, int, int]:
    """Application id, version and number of tables and indexes, all of one moment.

    Another process may be making the schema just now: half of it would look like a foreign file.
    """
    is_outermost = not connection.in_transaction
    if is_outermost:
        connection.execute("BEGIN")
    application_id = connection.execute("PRAGMA application_id").get
    version = connection.execute("PRAGMA user_version").get
    count = connection.execute("SELECT count(*) FROM sqlite_schema").get
    if is_outermost:
        connection.execute("COMMIT")
    return application_id, version, count


def _check(connection: Connection, path: Path) -> None:
    if _identity(connection, path) != (APPLICATION_ID, NEWEST):
        raise SQLiteStoreError(path, Trouble.FOREIGN)


def _migrate(connection: Connection, path: Path) -> None:
    """Bring the schema up to date; of two processes that start together, one waits and looks."""
    if _identity(connection, path) == (APPLICATION_ID, NEWEST):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        _, version = _identity(connection, path)
        for statement in (s for step in MIGRATIONS[version:] for s in step):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {NEWEST}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
