"""``PostgresStore``: rows of one table, each operation one statement."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from sojourn import ConfigurationError, Outcome, Record, StoreUnavailableError

from ._connections import Connections
from ._dialing import Dialer
from ._errors import DRIVER_ERRORS, TRANSLATED, translated
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
        if not 0 < deadline < math.inf or max_connections < 1:
            raise ConfigurationError(
                "PostgresStore: deadline is in seconds, above 0; max_connections is 1 or more"
            )
        self.deadline = deadline
        self._sql = Statements(table)
        self._schema = schema(table) if create else None
        self._prepare = prepare
        self._max_connections = max_connections
        self._dial = Dialer(dsn, prepare=prepare)
        self._open: Connections | None = None

    async def load(self, id: str, *, now: float) -> Record | None:
        """See ``Store``."""
        rows = await self._fetch(self._sql.load, id, now)
        record = _record(rows[0]) if rows else None
        if record is not None and record.id != id:
            raise StoreUnavailableError("the PostgreSQL server answered with another row")
        return record

    async def create(self, record: Record) -> bool:
        """See ``Store``."""
        rows = await self._fetch(
            self._sql.create,
            record.id,
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
            record.id,
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
        guard = (id, version, now)
        rows = await self._fetch(self._sql.touch, *guard, expires_at, hour(expires_at))
        return _OUTCOMES[rows[0][0]]

    async def delete(self, id: str) -> bool:
        """See ``Store``."""
        return bool(await self._fetch(self._sql.delete, id))

    async def load_owner(self, owner: str, *, now: float) -> list[Record]:
        """See ``SupportsOwners``."""
        return [_record(row) for row in await self._fetch(self._sql.load_owner, owner, now)]

    async def delete_owner(self, owner: str, *, keep: str | None = None) -> int:
        """See ``SupportsOwners``."""
        return int((await self._fetch(self._sql.delete_owner, owner, keep))[0][0])

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
        if self._schema is not None:
            # Two nodes that start together would both make it: one of them waits. What is sent
            # together is one transaction, which ends by itself when a part of it fails.
            lock = f"SELECT pg_advisory_xact_lock({_LOCK})"
            with TRANSLATED:
                await self._connections.execute(f"{lock}; {self._schema}")
        await self._fetch(self._sql.load, _NOBODY, 0.0)

    async def aclose(self) -> None:
        """See ``Store``."""
        connections, self._open = self._open, None
        if connections is not None:
            await connections.aclose()

    @property
    def _connections(self) -> Connections:
        if self._open is None:
            self._open = Connections(
                self._dial,
                limit=self._max_connections,
                deadline=self.deadline,
                prepare=self._prepare,
            )
        return self._open

    async def _fetch(self, sql: str, *arguments: Any) -> list[Any]:
        try:
            return await (self._open or self._connections).fetch(sql, *arguments)
        except DRIVER_ERRORS as error:
            raise translated(error) from error


_LOCK = 0x736F6A6F  # "sojo"
_NOBODY = "0" * 32


def _record(row: Any) -> Record:
    id, *rest = row
    return Record(id.hex, *rest)
