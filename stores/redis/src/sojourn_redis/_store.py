"""``RedisStore``: rows as string values of a Redis or Valkey server, and an index of owners."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
from typing import Any, cast

from sojourn import ConfigurationError, Outcome, Record

from . import _rows, _scripts
from ._errors import OutOfStepError, guarded
from ._server import Server

logger = logging.getLogger("sojourn")

_SLACK = 60.0
"""Seconds that a row outlives its deadline in the server, whose clock may be ahead of ours."""

_INDEX_SECONDS = 400 * 86400
"""Longer than any cookie (RFC 6265bis) and so any session lives: an index must not go first."""

_INDEX_IS_LARGE = 64


class RedisStore:
    """Sessions in Redis 6.2 or newer, or Valkey; on asyncio.

    - ``client``: a ``redis.asyncio`` client: Redis, RedisCluster, or a Sentinel's ``master_for``.
      Make it without retries (``retry=None``); one that decodes responses is refused.
    - ``prefix``: of all keys. ``deadline``: seconds for each call.
    - ``replicas``: how many replicas must have a write before it counts (``WAIT``); with 0, a
      failover may undo the last moments, logouts among them. Not for a cluster.

    Rows expire in the server some time after their deadline, so there is nothing to sweep. An
    owner's sessions are found by an index that is written together with the row: it may name rows
    that are gone, and heals when it is read.
    """

    def __init__(
        self, client: Any, *, prefix: str = "sojourn:", deadline: float = 2.0, replicas: int = 0
    ) -> None:
        is_cluster = hasattr(client, "get_node_from_key")
        if is_cluster and replicas:
            raise ConfigurationError("RedisStore(replicas=...): a cluster has no one to WAIT for")
        if getattr(client, "get_encoder", None) and client.get_encoder().decode_responses:
            raise ConfigurationError("RedisStore: make the client with decode_responses=False")
        self.deadline = deadline
        self._prefix = prefix
        self._server = Server(client, deadline=deadline, is_cluster=is_cluster, replicas=replicas)

    @guarded
    async def load(self, id: str, *, now: float) -> Record | None:
        """See ``Store``: one round trip, shared with others that ask at the same time."""
        record = self._row_of(id, await self._server.read("GET", self._row(id)))
        return record if record is not None and now < record.expires_at else None

    @guarded
    async def create(self, record: Record) -> bool:
        """See ``Store``."""
        value, ttl = _rows.pack(record), _ttl(record.expires_at, record.created_at)
        write = self._server.write("SET", self._row(record.id), value, "NX", "PX", ttl)
        reply, known = await asyncio.gather(write, self._remember(record))
        if known > _INDEX_IS_LARGE and record.owner is not None:
            await self._heal(record.owner)
        if reply not in (None, b"OK", True):  # the driver's reading of OK depends on its options
            raise OutOfStepError("no OK")
        return reply is not None

    @guarded
    async def replace(self, record: Record, *, version: int, now: float) -> Outcome:
        """See ``Store``: index and row go out in one turn."""
        ttl, guard = _ttl(record.expires_at, now), (version, repr(now))
        run = self._server.run(
            _scripts.REPLACE, self._row(record.id), *guard, _rows.pack(record), ttl
        )
        reply, _ = await asyncio.gather(run, self._remember(record))
        return _scripts.outcome_of(reply)

    @guarded
    async def touch(self, id: str, *, version: int, expires_at: float, now: float) -> Outcome:
        """See ``Store``; the payload does not travel."""
        ttl = _ttl(expires_at, now)
        guard = (version, repr(now))
        return _scripts.outcome_of(
            await self._server.run(_scripts.TOUCH, self._row(id), *guard, repr(expires_at), ttl)
        )

    @guarded
    async def delete(self, id: str) -> bool:
        """See ``Store``."""
        return _count(await self._server.write("DEL", self._row(id))) > 0

    @guarded
    async def load_owner(self, owner: str, *, now: float) -> list[Record]:
        """See ``SupportsOwners``."""
        records = await self._heal(owner)
        live = (r for r in records if r.owner == owner and now < r.expires_at)
        return sorted(live, key=lambda record: record.created_at)

    @guarded
    async def delete_owner(self, owner: str, *, keep: str | None = None) -> int:
        """See ``SupportsOwners``."""
        records = await self._heal(owner)
        ids = [record.id for record in records if record.owner == owner and record.id != keep]
        gone = await asyncio.gather(*(self._server.write("DEL", self._row(id)) for id in ids))
        await self._forget(owner, ids)
        return sum(map(_count, gone))

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
        policy = await self._eviction_policy()
        if policy not in ("noeviction", ""):
            logger.warning(
                "the Redis server may drop live sessions when its memory is full "
                "(maxmemory-policy %s); set it to noeviction",
                policy,
            )

    async def reconnect(self) -> None:
        """Drop all connections; the next call makes new ones."""
        await self._server.reconnect()

    async def aclose(self) -> None:
        """See ``Store``."""
        await self._server.drain()

    async def _eviction_policy(self) -> str:
        """How the server makes room; "" where it does not say."""
        info: Any = await self._server.client.info("memory")
        return str(info.get("maxmemory_policy", ""))

    # The index of an owner: a set of ids, which may name rows that are gone

    async def _remember(self, record: Record) -> int:
        """Put the row into its owner's index; how many that names now."""
        if record.owner is None:
            return 0
        key, ttl = self._index(record.owner), _INDEX_SECONDS * 1000
        return _count(await self._server.run(_scripts.REMEMBER, key, record.id, ttl))

    async def _heal(self, owner: str) -> list[Record]:
        """The rows that the index names; those that are gone leave the index."""
        members = await self._server.read("SMEMBERS", self._index(owner))
        if not isinstance(members, (set, list)):
            raise OutOfStepError("no members")
        ids = [str(id, "ascii") for id in cast("set[bytes]", members)]
        values = await self._server.read_all(*(("GET", self._row(id)) for id in ids))
        await self._forget(owner, [id for id, value in zip(ids, values, strict=True) if not value])
        records = map(self._row_of, ids, values)
        return [record for record in records if record is not None]

    async def _forget(self, owner: str, ids: list[str]) -> None:
        if ids:
            await self._server.write("SREM", self._index(owner), *ids)

    def _row(self, id: str) -> str:
        return f"{self._prefix}{id}"

    def _index(self, owner: str) -> str:
        # Hashed: an owner may be any text, and is nobody's business who reads key names.
        return f"{self._prefix}owner:{hashlib.sha256(owner.encode()).hexdigest()}"

    @staticmethod
    def _row_of(id: str, value: Any) -> Record | None:
        """The record with that id; None if there is none, or one that cannot be read."""
        record = None if value is None else _rows.unpack(value)
        if record is None and value is not None and not _rows.is_value(value):
            raise OutOfStepError("no row")
        if record is not None and record.id != id:
            raise OutOfStepError("a row with another id")
        return record


def _ttl(expires_at: float, now: float) -> int:
    """Milliseconds that the server keeps a row: some more than it lives."""
    return math.ceil((max(0.0, expires_at - now) + _SLACK) * 1000)


def _count(reply: Any) -> int:
    """A reply that must be a number."""
    if not isinstance(reply, int):
        raise OutOfStepError("no number")
    return reply
