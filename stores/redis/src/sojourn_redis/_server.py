"""The connection to a server, a cluster, or whatever Sentinel says is the primary.

redis-py is the client: the official one, maintained and typed, and what applications have already.
It runs on asyncio only.

Its retries are off: a write whose reply was lost may have been applied, and sent again it would
look like another request's. Only reads are tried twice.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable
from typing import Any, cast

from redis import exceptions

from ._batching import Batcher, Command, Reply
from ._errors import OutOfStepError

_READS = frozenset({"GET", "SMEMBERS"})


class Server:
    """Sends commands, in batches. ``deadline``: seconds, half of which a ``WAIT`` may take.

    ``client``: a ``redis.asyncio`` client of any kind. ``is_cluster``: keys live in several places,
    so that no command may name two. ``replicas``: how many must confirm a write before it counts.
    """

    def __init__(self, client: Any, *, deadline: float, is_cluster: bool, replicas: int) -> None:
        self.client = client
        self._deadline = deadline
        self._is_cluster = is_cluster
        self._replicas = replicas
        self._batcher = Batcher(self._send)

    async def read(self, *command: Any) -> Reply:
        """The reply to a command that changes nothing, tried again once if the connection broke."""
        try:
            return await self._call(command)
        except exceptions.ConnectionError:
            return await self._call(command)

    async def read_all(self, *commands: Command) -> list[Reply]:
        """The replies to several of them, in one turn."""
        return await asyncio.gather(*(self.read(*command) for command in commands))

    async def write(self, *command: Any) -> Reply:
        """The reply to a command that counts, once enough replicas have it."""
        return await self._call(command)

    async def run(self, script: str, key: str, *arguments: Any) -> Reply:
        """What a script says about one key."""
        digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        try:
            return await self._call(("EVALSHA", digest, 1, key, *arguments))
        except exceptions.NoScriptError:  # the server has not seen it yet, so it did nothing
            return await self._call(("EVAL", script, 1, key, *arguments))

    async def drain(self) -> None:
        """Wait for what is under way, and close all connections."""
        await self._batcher.drain()
        await self.client.aclose()

    async def _call(self, command: Command) -> Reply:
        return await self._batcher.submit(command)

    async def reconnect(self) -> None:
        """Drop all connections: what they still have to say belongs to nobody."""
        if self._is_cluster:
            await self.client.aclose()
        else:
            await self.client.connection_pool.disconnect(inuse_connections=True)

    async def _send(self, commands: list[Command]) -> list[Reply]:
        waits = self._replicas and any(command[0] not in _READS for command in commands)
        if len(commands) == 1 and not waits:
            return [await self.client.execute_command(*commands[0])]
        if not waits and not self._is_cluster and all(command[0] == "GET" for command in commands):
            values: list[Reply] = await self.client.execute_command(
                "MGET", *(key for _, key in commands)
            )
            if not isinstance(cast("object", values), list):
                raise OutOfStepError("no list of values")
            return values
        pipe = self.client.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        if waits:
            # One connection carries the batch, so one WAIT at its end is about all of it.
            pipe.execute_command("WAIT", self._replicas, int(self._deadline * 500))
        replies: list[Reply] = await _execute(pipe)
        return self._confirmed(commands, replies) if waits else replies

    def _confirmed(self, commands: list[Command], replies: list[Reply]) -> list[Reply]:
        """The replies, with an error in the place of each write that too few replicas have."""
        *replies, confirmed = replies
        if isinstance(confirmed, int) and confirmed >= self._replicas:
            return replies
        missing = exceptions.TimeoutError("not enough replicas")
        return [
            reply if command[0] in _READS else missing
            for command, reply in zip(commands, replies, strict=True)
        ]


def _execute(pipe: Any) -> Awaitable[list[Reply]]:
    result: Awaitable[list[Reply]] = pipe.execute(raise_on_error=False)
    return result
