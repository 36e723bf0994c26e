"""What the store asks of its servers: reads, which may be tried twice, writes and scripts.

redis-py is the client: the official one, maintained and typed, and what applications have already.
It knows URLs, TLS, passwords, Sentinel and the map of a cluster, makes the connections and reads
the replies. How many requests share a connection is ours (``Link``). It runs on asyncio only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Protocol

from redis import exceptions

from ._asked import Command, Reply
from ._errors import OutOfStepError
from ._scripts import Script


class Servers(Protocol):
    """One server or several."""

    def ask(self, key: str, command: Command, until: float, *, sure: bool) -> Awaitable[Reply]:
        """The reply of the key's server; ``sure``: once enough replicas have it, too."""
        ...

    def drop(self, error: Exception) -> None:
        """End all connections at once."""
        ...

    async def infos(self, until: float) -> list[Reply]:
        """What each primary says of its memory."""
        ...

    async def aclose(self) -> None:
        """Wait for what is under way, and close all connections."""
        ...


class Server:
    """Calls that are over within ``deadline`` seconds from the moment that ``until`` was asked."""

    def __init__(self, servers: Servers, deadline: float) -> None:
        self._servers = servers
        self._ask = servers.ask
        self._deadline = deadline

    def until(self) -> float:
        """When a call that begins now has to be over, on the event loop's clock."""
        return asyncio.get_running_loop().time() + self._deadline

    async def read(self, key: str, *command: str, until: float) -> Reply:
        """The reply to a command that changes nothing, asked again once if the connection broke."""
        try:
            return await self._ask(key, command, until, sure=False)
        except OutOfStepError:
            raise
        except exceptions.ConnectionError:
            return await self._ask(key, command, until, sure=False)

    async def write(
        self, key: str, *command: str | bytes | int, until: float, sure: bool = True
    ) -> Reply:
        """The reply to a command that counts, asked once: a lost reply says nothing about it."""
        return await self._ask(key, command, until, sure=sure)

    async def run(
        self,
        script: Script,
        key: str,
        *arguments: str | bytes | int,
        until: float,
        sure: bool = True,
    ) -> Reply:
        """What a script says about one key."""
        known = script.on(key, *arguments)
        try:
            return await self._ask(key, known, until, sure=sure)
        except exceptions.NoScriptError:  # the server has not seen it yet, so it did nothing
            return await self._ask(key, script.shown(known), until, sure=sure)

    async def policies(self, until: float) -> set[str]:
        """How the servers make room when their memory is full; "" where one does not say."""
        return {_policy(info) for info in await self._servers.infos(until)}

    def drop(self, error: Exception) -> None:
        """End all connections: what they still have to say belongs to nobody."""
        self._servers.drop(error)

    async def aclose(self) -> None:
        """Wait for what is under way, and close all connections."""
        await self._servers.aclose()


def _policy(info: Reply) -> str:
    text = info.decode() if isinstance(info, bytes) else info  # the newer protocol has text
    if not isinstance(text, str):
        raise OutOfStepError("no text")
    lines = (line.partition(":") for line in text.splitlines())
    return {name: value for name, _, value in lines}.get("maxmemory_policy", "")
