"""``PostgresStore``: rows of one table, each operation one statement."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from sojourn import ConfigurationError, Outcome, Record, StoreUnavailableError

from ._driver import asyncpg, keep_as_it_is
from ._errors import TRANSLATED
from ._schema import Statements, hour, schema

_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


class PostgresStore:
    """Sessions in PostgreSQL; on asyncio, by asyncpg.

    - ``dsn``: a ``postgresql://`` URL. Always the primary's: a replica may not know yet what was
      revoked.
    - ``table``: its name. ``create``: make the table when the store opens; otherwise run
      ``schema()`` in a migration of your own.
    - ``max_connections``: of this process. ``deadline``: seconds for each call, waiting for a
      connection included.
    - ``prepare``: False for PgBouncer in transaction mode before its release 1.21, which does not
      know prepared statements.
    """

    def __init__(
        self,
        dsn: str,
        *,
        table: str = "sojourn_sessions",
        create: bool = False,
        max_connections: int = 10,
        deadline: float = 2.0,
        prepare: bool = True,
    ) -> None:
        self.deadline = deadline
        self._sql = Statements(table)
        self._schema = schema(table) if create else None
        self._options: dict[str, Any] = {
            "dsn": dsn,
            "min_size": 0,
            "max_size": max_connections,
            "timeout": deadline,
            "statement_cache_size": 100 if prepare else 0,
            "reset": keep_as_it_is,
        }
        self._pool: Any = None

    async def load(self, id: str, *, now: float) -> Record | None:
        """See ``Store``."""
        rows = await self._fetch(self._sql.load, UUID(id), now)
        record = _record(rows[0]) if rows else None
        if record is not None and record.id != id:
            raise StoreUnavailableError("the PostgreSQL server answered with another row")
        return record

    async def create(self, record: Record) -> bool:
        """See ``Store``."""
        rows = await self._fetch(
            self._sql.create,
            UUID(record.id),
            record.secret_hash,
            record.payload,
            record.version,
            record.created_at,
            record.expires_at,
            record.owner,
            record.previous_hash,
            record.previous_until,
            hour(record.expires_at),
        )
        return bool(rows)

    async def replace(self, record: Record, *, version: int, now: float) -> Outcome:
        """See ``Store``."""
        rows = await self._fetch(
            self._sql.replace,
            UUID(record.id),
            version,
            now,
            record.secret_hash,
            record.payload,
            record.version,
            record.created_at,
            record.expires_at,
            record.owner,
            record.previous_hash,
            record.previous_until,
            hour(record.expires_at),
        )
        return _OUTCOMES[rows[0][0]]

    async def touch(self, id: str, *, version: int, expires_at: float, now: float) -> Outcome:
        """See ``Store``."""
        guard = (UUID(id), version, now)
        rows = await self._fetch(self._sql.touch, *guard, expires_at, hour(expires_at))
        return _OUTCOMES[rows[0][0]]

    async def delete(self, id: str) -> bool:
        """See ``Store``."""
        return bool(await self._fetch(self._sql.delete, UUID(id)))

    async def load_owner(self, owner: str, *, now: float) -> list[Record]:
        """See ``SupportsOwners``."""
        return [_record(row) for row in await self._fetch(self._sql.load_owner, owner, now)]

    async def delete_owner(self, owner: str, *, keep: str | None = None) -> int:
        """See ``SupportsOwners``."""
        kept = None if keep is None else UUID(keep)
        return int((await self._fetch(self._sql.delete_owner, owner, kept))[0][0])

    async def sweep(self, *, now: float, limit: int) -> int:
        """See ``SupportsSweep``; any number of nodes may do so at once."""
        return int((await self._fetch(self._sql.sweep, hour(now), now, limit))[0][0])

    async def aopen(self) -> None:
        """See ``SupportsOpen``: connect, and make the table if that was asked for.

        Raises ConfigurationError on another event loop than asyncio's.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigurationError(
                "sojourn-postgres runs on asyncio; on trio, use a store that runs there, such as "
                "memory:// or sqlite://"
            ) from None
        with TRANSLATED:
            if self._schema is not None:
                pool = await self._connected()
                # Two nodes that start together would both make it: one of them waits.
                await pool.execute(
                    f"BEGIN; SELECT pg_advisory_xact_lock({_LOCK}); {self._schema} COMMIT"
                )
            await self._fetch(self._sql.load, UUID(int=0), 0.0)

    async def aclose(self) -> None:
        """See ``Store``."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def _connected(self) -> Any:
        if self._pool is None:
            self._pool = asyncpg.create_pool(**self._options)
        # Awaiting it connects; a second one waits for the first.
        return await self._pool

    async def _fetch(self, sql: str, *arguments: Any) -> list[Any]:
        with TRANSLATED:
            async with asyncio.timeout(self.deadline):
                pool = await self._connected()
                async with pool.acquire() as connection:
                    try:
                        rows: list[Any] = await connection.fetch(sql, *arguments)
                    except asyncio.CancelledError:
                        # To wait for the server's word on it could outlast the deadline.
                        connection.terminate()
                        raise
                    return rows


_LOCK = 0x736F6A6F  # "sojo"


def _record(row: Any) -> Record:
    id, *rest = row
    return Record(id.hex, *rest)
