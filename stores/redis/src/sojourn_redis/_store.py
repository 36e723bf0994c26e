"""``RedisStore``: rows as string values of a Redis or Valkey server, and an index of owners."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Coroutine
from typing import Any

from redis import exceptions

from sojourn import ConfigurationError, Outcome, Record

from . import _rows, _scripts
from ._asked import Reply
from ._cluster import Cluster
from ._direct import Direct
from ._errors import DRIVER_ERRORS, OutOfStepError, failure, guarded
from ._owners import OwnerIndex, is_due, number
from ._server import Server

logger = logging.getLogger("sojourn")

_SLACK = 60.0
"""Seconds that a row outlives its deadline in the server, whose clock may be ahead of ours."""

_PATIENCE = 1000 / 3
"""Milliseconds of each second of the deadline that a ``WAIT`` may take: there can be one before."""


class RedisStore:
    """Sessions in Redis 6.2 or newer, or Valkey; on asyncio.

    - ``client``: a ``redis.asyncio`` client: Redis, RedisCluster, or a Sentinel's ``master_for``.
      It says how to connect; the connections are the store's own. One that decodes responses is
      refused.
    - ``prefix``: of all keys. ``deadline``: seconds for each call.
    - ``replicas``: how many replicas must have a write before it counts (``WAIT``); with 0, a
      failover may undo the last moments, logouts among them.

    Rows expire in the server some time after their deadline, so there is nothing to sweep.
    """

    def __init__(
        self, client: Any, *, prefix: str = "sojourn:", deadline: float = 2.0, replicas: int = 0
    ) -> None:
        if getattr(client, "get_encoder", None) and client.get_encoder().decode_responses:
            raise ConfigurationError("RedisStore: make the client with decode_responses=False")
        if replicas < 0 or not 0 < deadline < math.inf:
            raise ConfigurationError(
                "RedisStore: replicas is a number of servers, deadline one of seconds above 0"
            )
        self.deadline = deadline
        self._prefix = prefix
        kind = Cluster if hasattr(client, "get_node_from_key") else Direct
        servers = kind(client, replicas=replicas, patience=int(deadline * _PATIENCE))
        self._server = Server(servers, deadline)
        self._index = OwnerIndex(self._server, prefix)

    # The two calls of most requests: what ``guarded`` does for the others, without its coroutine.

    async def load(self, id: str, *, now: float) -> Record | None:
        """See ``Store``: one round trip, shared with others that ask at the same time."""
        server, key = self._server, self._prefix + id
        get, until = ("GET", key), server.until()
        try:
            try:
                reply = await server.ask(key, get, until)
            except exceptions.ConnectionError as error:
                reply = await server.ask_again(error, key, get, until)
            record = _rows.row_of(id, reply)
        except DRIVER_ERRORS as error:
            raise failure(self, error) from error
        return record if record is not None and now < record.expires_at else None

    async def replace(self, record: Record, *, version: int, now: float) -> Outcome:
        """See ``Store``: index and row go out in one turn."""
        server, key, expires_at = self._server, self._prefix + record.id, record.expires_at
        terms = _scripts.terms(version, now, _ttl(expires_at, now), expires_at)
        until = server.until()
        write = server.run(_scripts.REPLACE, key, terms, _rows.pack(record), until=until)
        try:
            return _scripts.outcome_of(await self._beside_index(record, write, until))
        except DRIVER_ERRORS as error:
            raise failure(self, error) from error

    @guarded
    async def create(self, record: Record) -> bool:
        """See ``Store``."""
        key, until = self._prefix + record.id, self._server.until()
        value, ttl = _rows.pack(record), _ttl(record.expires_at, record.created_at)
        write = self._server.write(key, "SET", key, value, "NX", "PX", ttl, until=until)
        reply = await self._beside_index(record, write, until)
        if reply not in (None, b"OK"):
            raise OutOfStepError("no OK")
        return reply is not None

    @guarded
    async def touch(self, id: str, *, version: int, expires_at: float, now: float) -> Outcome:
        """See ``Store``; the payload does not travel, and no replica is waited for."""
        key, until = self._prefix + id, self._server.until()
        terms = _scripts.terms(version, now, _ttl(expires_at, now), expires_at)
        reply = await self._server.run(_scripts.TOUCH, key, terms, until=until, sure=False)
        return _scripts.outcome_of(reply)

    @guarded
    async def delete(self, id: str) -> bool:
        """See ``Store``."""
        key, until = self._prefix + id, self._server.until()
        return number(await self._server.write(key, "DEL", key, until=until)) > 0

    @guarded
    async def load_owner(self, owner: str, *, now: float) -> list[Record]:
        """See ``SupportsOwners``."""
        records = await self._index.rows(owner, self._server.until())
        live = (record for record in records if now < record.expires_at)
        return sorted(live, key=lambda record: record.created_at)

    @guarded
    async def delete_owner(self, owner: str, *, keep: str | None = None) -> int:
        """See ``SupportsOwners``."""
        until = self._server.until()
        records = await self._index.rows(owner, until)
        keys = [self._prefix + record.id for record in records if record.id != keep]
        gone = await asyncio.gather(
            *(self._server.write(key, "DEL", key, until=until) for key in keys)
        )
        return sum(map(number, gone))

    async def aopen(self) -> None:
        """See ``SupportsOpen``: check the server, and warn of one that may drop sessions.

        Raises ConfigurationError on another event loop than asyncio's.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigurationError(
                "sojourn-redis runs on asyncio; on trio, use a store that runs there, such as "
                "memory:// or sqlite://"
            ) from None
        await self._check()

    @guarded
    async def _check(self) -> None:
        lossy = await self._server.policies(self._server.until()) - {"noeviction", ""}
        if lossy:
            logger.warning(
                "the Redis server may drop live sessions when its memory is full "
                "(maxmemory-policy %s); set it to noeviction",
                ", ".join(sorted(lossy)),
            )

    def drop(self, error: Exception) -> None:
        """End all connections; the next call makes new ones."""
        self._server.drop(error)

    async def aclose(self) -> None:
        """See ``Store``."""
        await self._server.aclose()

    def _beside_index(
        self, record: Record, write: Coroutine[Any, Any, Reply], until: float
    ) -> Coroutine[Any, Any, Reply]:
        """The write's reply, once the row's owner, if it has one, is known to have it as well."""
        owner = record.owner
        return write if owner is None else self._both(record.id, owner, write, until)

    async def _both(
        self, id: str, owner: str, write: Coroutine[Any, Any, Reply], until: float
    ) -> Reply:
        # The index goes first: whichever row survives a failover has to be found by it.
        known, reply = await asyncio.gather(self._index.add(id, owner, until), write)
        if is_due(known):
            await self._index.rows(owner, until)
        return reply


def _ttl(expires_at: float, now: float) -> int:
    """Milliseconds that the server keeps a row: some more than it lives."""
    return math.ceil((max(0.0, expires_at - now) + _SLACK) * 1000)
