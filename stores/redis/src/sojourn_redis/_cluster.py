"""A cluster: each key's own server, by the map that redis-py keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from redis import exceptions

from ._asked import Command, Reply
from ._link import Link
from ._pipeline import Habits

_MOVES = 3
"""How often one command follows a key to another server; each time a new map is asked for."""


class Cluster:
    """See ``Servers``. ``client``: a ``redis.asyncio.RedisCluster``."""

    def __init__(self, client: Any, *, replicas: int, patience: int) -> None:
        self._client = client
        self._habits = Habits(merges=False)
        self._sure = Habits(merges=False, replicas=replicas, patience=patience)
        self._links: dict[tuple[str, Habits], Link] = {}

    async def ask(self, key: str, command: Command, until: float) -> Reply:
        """See ``Servers``."""
        return await self._ask(key, command, until, self._habits)

    async def ask_surely(self, key: str, command: Command, until: float) -> Reply:
        """See ``Servers``."""
        return await self._ask(key, command, until, self._sure)

    async def _ask(self, key: str, command: Command, until: float, habits: Habits) -> Reply:
        for _ in range(_MOVES):
            link = await self._link_of(key, habits, until)
            try:
                return await link.ask(key, command, until)
            except exceptions.MovedError:  # it did nothing there; the map is old
                await self._forget_map()
            except exceptions.AskError:  # this key is on its way to another server
                async with asyncio.timeout_at(until):
                    reply = await self._client.execute_command(*command)
                return b"OK" if reply is True else reply  # as redis-py reads it
            except (exceptions.ConnectionError, exceptions.ClusterDownError):
                await self._forget_map()
                raise
        raise exceptions.ClusterDownError("the key moved too often")

    async def _link_of(self, key: str, habits: Habits, until: float) -> Link:
        async with asyncio.timeout_at(until):
            await self._client.initialize()
        node = self._client.get_node_from_key(key)
        name: str = node.name
        link = self._links.get((name, habits))
        if link is None:
            link = self._links[name, habits] = Link(_maker(node), habits)
        return link

    async def _forget_map(self) -> None:
        """Ask for a new map before the next command."""
        await self._client.aclose()

    def drop(self, error: Exception) -> None:
        """See ``Servers``."""
        for link in self._links.values():
            link.drop(error)

    async def infos(self, until: float) -> list[Reply]:
        """See ``Servers``."""
        async with asyncio.timeout_at(until):
            await self._client.initialize()
        links = [Link(_maker(node), self._habits) for node in self._client.get_primaries()]
        try:
            replies = [link.ask("", ("INFO", "memory"), until) for link in links]
            return [await reply for reply in replies]
        finally:
            for link in links:
                await link.aclose()

    async def aclose(self) -> None:
        """See ``Servers``."""
        links, self._links = self._links, {}
        for link in links.values():
            await link.aclose()
        await self._client.aclose()


def _maker(node: Any) -> Callable[[], Any]:
    return partial(node.connection_class, **node.connection_kwargs)
