"""What the store asks of its servers: reads, which may be tried twice, writes and scripts.

redis-py is the client: the official one, maintained and typed, and what applications have already.
It knows URLs, TLS, passwords, Sentinel and the map of a cluster, makes the connections and reads
the replies. How many requests share a connection is ours (``Link``). It runs on asyncio only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from redis import exceptions

from ._asked import Command, Reply
from ._errors import OutOfStepError
from ._scripts import Script

Ask: TypeAlias = Callable[[str, Command, float], Awaitable[Reply]]
"""Key, command, and until when, in seconds on the event loop's clock."""


class Servers(Protocol):
    """One server or several."""

    @property
    def ask(self) -> Ask:
        """What gives the reply of the key's server to a command."""
        ...

    @property
    def ask_surely(self) -> Ask:
        """The same, once enough replicas have it, too."""
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
        self.ask: Ask = servers.ask
        """What a command that changes nothing is asked by, once."""
        self._ask_surely = servers.ask_surely
        self._deadline = deadline

    def until(self) -> float:
        """When a call that begins now has to be over, on the event loop's clock."""
        return asyncio.get_running_loop().time() + self._deadline

    async def read(self, key: str, *command: str, until: float) -> Reply:
        """The reply to a command that changes nothing, asked again once if the connection broke."""
        try:
            return await self.ask(key, command, until)
        except exceptions.ConnectionError as error:
            return await self.ask_again(error, key, command, until)

    async def ask_again(
        self, error: exceptions.ConnectionError, key: str, command: Command, until: float
    ) -> Reply:
        """The reply to a command that changes nothing, whose connection broke with this error."""
        if isinstance(error, OutOfStepError):
            raise error
        return await self.ask(key, command, until)

    async def write(self, key: str, *command: str | bytes | int, until: float) -> Reply:
        """The reply to a command that counts, asked once: a lost reply says nothing about it."""
        return await self._ask_surely(key, command, until)

    async def run(
        self,
        script: Script,
        key: str,
        *arguments: str | bytes | int,
        until: float,
        sure: bool = True,
    ) -> Reply:
        """What a script says about one key."""
        ask = self._ask_surely if sure else self.ask
        try:
            return await ask(key, ("EVALSHA", script.digest, "1", key, *arguments), until)
        except exceptions.NoScriptError:  # the server has not seen it yet, so it did nothing
            return await ask(key, ("EVAL", script.text, "1", key, *arguments), until)

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
