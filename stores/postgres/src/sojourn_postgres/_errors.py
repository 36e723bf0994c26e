"""asyncpg's errors as the core's, with the remedy.

The server's own text may hold values, so it stays out of ours.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType

from sojourn import StoreUnavailableError

from ._driver import asyncpg

# The first that fits.
_REMEDIES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    (
        (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError),
        "refused our user or password; check those in the store's URL",
    ),
    ((asyncpg.InvalidCatalogNameError,), "has no database of the name in the store's URL"),
    (
        (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError),
        "lacks the sessions' table; run sojourn_postgres.schema() in a migration, or create=True",
    ),
    ((asyncpg.UndefinedObjectError,), "does not know an option in the store's URL"),
    ((asyncpg.InsufficientPrivilegeError,), "does not allow a statement on the sessions' table"),
    (
        (asyncpg.TargetServerAttributeNotMatched,),
        "is a replica, as are all in the store's URL; name the primary there, too",
    ),
    (
        (asyncpg.ReadOnlySQLTransactionError,),
        "is read-only; connect to one that can be written (target_session_attrs=read-write)",
    ),
    ((asyncpg.DiskFullError,), "has a full disk"),
    ((asyncpg.OutOfMemoryError,), "is out of memory"),
    ((asyncpg.TooManyConnectionsError,), "has no connection left; lower max_connections= here"),
    (
        (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError),
        "gave up a statement, as its lock_timeout or statement_timeout, or its operator, has it",
    ),
    ((TimeoutError,), "did not answer within the deadline"),
    (
        (
            asyncpg.PostgresConnectionError,
            asyncpg.CannotConnectNowError,
            asyncpg.AdminShutdownError,
            asyncpg.CrashShutdownError,
            asyncpg.InterfaceError,
            OSError,
        ),
        "cannot be reached",
    ),
)

# After these the server, or what it has prepared, is not what it was when we connected.
_FOR_GOOD = (
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.InvalidSQLStatementNameError,
    asyncpg.DuplicatePreparedStatementError,
)

DRIVER_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)


def is_reusable_after(error: BaseException) -> bool:
    """Whether a connection may be used again: the server answered, so nothing is on its way."""
    return isinstance(error, asyncpg.PostgresError) and not isinstance(error, _FOR_GOOD)


class Translated(AbstractContextManager[None]):
    """Raises our error in the place of the driver's, which stays its cause."""

    __slots__ = ()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None and isinstance(error, DRIVER_ERRORS):
            raise translated(error) from error


TRANSLATED = Translated()


def translated(error: BaseException) -> StoreUnavailableError:
    """Our error for the driver's."""
    for kinds, remedy in _REMEDIES:
        if isinstance(error, kinds):
            return StoreUnavailableError(f"the PostgreSQL server {remedy}")
    return StoreUnavailableError(f"the PostgreSQL server answered with {type(error).__name__}")
