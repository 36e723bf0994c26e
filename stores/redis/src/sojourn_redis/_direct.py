"""One server, or the one that Sentinel says is the primary."""

from __future__ import annotations

import asyncio
from typing import Any

from ._asked import Reply
from ._link import Link
from ._pipeline import Habits


class Direct:
    """See ``Servers``. ``client``: a ``redis.asyncio.Redis``, whose pool says how to connect."""

    def __init__(self, client: Any, *, replicas: int, patience: int) -> None:
        self._pool = client.connection_pool
        make = self._pool.make_connection
        self._link = Link(make, Habits(merges=True))
        # WAIT holds up all that comes behind it on its connection, which must not be reads.
        sure = Habits(merges=False, replicas=replicas, patience=patience)
        self._sure = Link(make, sure) if replicas else self._link
        self.ask, self.ask_surely = self._link.ask, self._sure.ask

    def drop(self, error: Exception) -> None:
        """See ``Servers``."""
        self._link.drop(error)
        self._sure.drop(error)

    async def infos(self, until: float) -> list[Reply]:
        """See ``Servers``."""
        return [await self._link.ask("", ("INFO", "memory"), until)]

    async def aclose(self) -> None:
        """See ``Servers``."""
        await self._link.aclose()
        await self._sure.aclose()
        sentinel = getattr(self._pool, "sentinel_manager", None)
        if sentinel is not None:
            await asyncio.gather(*(client.aclose() for client in sentinel.sentinels))
