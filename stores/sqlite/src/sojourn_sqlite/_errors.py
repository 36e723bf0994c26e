"""What SQLite and the file system say, as errors that name the file and the remedy."""

from __future__ import annotations

import enum
from pathlib import Path

import apsw

from sojourn import StoreError, StoreUnavailableError


class Trouble(enum.Enum):
    """What is wrong with the file."""

    LOCKED = "locked"
    FULL = "full"
    READ_ONLY = "read-only"
    UNREACHABLE = "unreachable"
    CORRUPT = "corrupt"
    NOT_A_DATABASE = "not a database"
    FOREIGN = "foreign"
    NEWER = "newer"
    NETWORK = "network"
    NO_WAL = "no WAL"
    SLOW = "slow"
    BROKEN = "broken"


# Each: what is wrong, then what to do about it.
_TEXTS = {
    Trouble.LOCKED: "is locked by another program for longer than the deadline; end the "
    "transaction that holds it, or raise SQLiteStore(deadline=...)",
    Trouble.FULL: "cannot grow, the disk or a quota is full; free some space, no restart is needed "
    "and reads go on",
    Trouble.READ_ONLY: "cannot be written; give this process write access to the file and to its "
    "folder, and see that the file system is not mounted read-only",
    Trouble.UNREACHABLE: "cannot be opened; create its folder, and let this process write there",
    Trouble.CORRUPT: "is damaged; stop all processes that use it, copy it away, and restore a "
    'backup or try the command "sqlite3 FILE .recover"',
    Trouble.NOT_A_DATABASE: "is not an SQLite database; name another file",
    Trouble.FOREIGN: "is the database of another program; give the sessions a file of their own",
    Trouble.NEWER: "was written by a newer sojourn-sqlite; upgrade this one, or name another file",
    Trouble.NETWORK: "is on a network file system, where WAL does not work (sqlite.org/wal.html); "
    "use a local disk, or a store for several machines such as redis or postgresql",
    Trouble.NO_WAL: "cannot use WAL; use a local file system with shared memory",
    Trouble.SLOW: "did not answer within the deadline; look at the load of the disk",
    Trouble.BROKEN: "failed; look at the disk and at the cause of this error",
}

# https://sqlite.org/rescode.html: a class for each primary result code.
_TROUBLES: dict[type[Exception], Trouble] = {
    apsw.BusyError: Trouble.LOCKED,
    apsw.LockedError: Trouble.LOCKED,
    apsw.FullError: Trouble.FULL,
    apsw.ReadOnlyError: Trouble.READ_ONLY,
    apsw.PermissionsError: Trouble.READ_ONLY,
    apsw.CantOpenError: Trouble.UNREACHABLE,
    apsw.CorruptError: Trouble.CORRUPT,
    apsw.NotADBError: Trouble.NOT_A_DATABASE,
}
_NAMES = {**apsw.mapping_result_codes, **apsw.mapping_extended_result_codes}


class SQLiteStoreError(StoreUnavailableError):
    """The file cannot be used now: ``trouble`` says why, the message says what to do.

    Nothing is deleted or repaired by itself.
    """

    def __init__(self, path: Path, trouble: Trouble, detail: str = "") -> None:
        because = f" ({detail})" if detail else ""
        super().__init__(f"{path} {_TEXTS[trouble]}{because}")
        self.path = path
        self.trouble = trouble
        self.detail = detail


def is_busy(error: BaseException) -> bool:
    """Whether another connection only has to finish first."""
    return isinstance(error, (apsw.BusyError, apsw.LockedError))


# Refusals of one statement, which SQLite undoes alone; the transaction stays as it was.
_OWN = (apsw.ConstraintError, apsw.MismatchError, apsw.TooBigError)
# What apsw cannot hand to SQLite.
_UNFIT = (ValueError, TypeError, AttributeError, OverflowError)


def is_own(error: Exception) -> bool:
    """Whether this is about one statement's values, and says nothing of the file."""
    return isinstance(error, (*_OWN, *_UNFIT))


def trouble_of(error: Exception) -> Trouble | None:
    """What is wrong with the file; None if it is the values of one call that are wrong."""
    if isinstance(error, SQLiteStoreError):
        return error.trouble
    if isinstance(error, apsw.Error):
        # A device that takes no more may say so as an I/O error.
        if isinstance(error, apsw.IOError) and "WRITE" in _name(error):
            return Trouble.FULL
        return _TROUBLES.get(type(error), Trouble.BROKEN)
    if isinstance(error, OSError):
        return Trouble.UNREACHABLE
    return Trouble.BROKEN if isinstance(error, (RuntimeError, MemoryError)) else None


def ours(path: Path, error: Exception) -> StoreError:
    """The error that a caller gets for this one. Names the kind of failure and no value.

    A new instance for each who waits: each gets a traceback of its own.
    """
    trouble = trouble_of(error)
    if trouble is None:
        return StoreError(f"{path}: this record cannot be stored ({type(error).__name__})")
    if isinstance(error, SQLiteStoreError):
        return SQLiteStoreError(path, trouble, error.detail)
    return SQLiteStoreError(path, trouble, _name(error))


def _name(error: Exception) -> str:
    """The name of SQLite's extended result code, or of the class if there is none."""
    return str(_NAMES.get(getattr(error, "extendedresult", -1), type(error).__name__))
