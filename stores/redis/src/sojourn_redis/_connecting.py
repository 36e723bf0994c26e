"""How a connection is made: redis-py knows where to and as whom, asyncio opens it."""

from __future__ import annotations

import asyncio
import math
import socket
from typing import Any

from redis import exceptions

from ._asked import Asked, Command
from ._pipeline import Pipeline


async def connect(plan: Any, pipeline: Pipeline) -> None:
    """Open the connection that a redis-py connection describes, and say who we are.

    ``plan``: it holds address, TLS and credentials, and is never connected itself. Raises its
    library's errors; whoever calls it has a deadline.
    """
    try:
        await _open(plan, pipeline)
    except OSError as error:
        raise exceptions.ConnectionError("no connection") from error
    for command in await _greeting(plan):
        await _say(pipeline, command)
    pipeline.is_ready = True


async def _open(plan: Any, pipeline: Pipeline) -> None:
    loop = asyncio.get_running_loop()
    if hasattr(plan, "path"):
        await loop.create_unix_connection(lambda: pipeline, plan.path)
        return
    host, port = plan.host, plan.port
    if hasattr(plan, "connection_pool"):  # of Sentinel's: only it knows who is the primary now
        host, port = await plan.connection_pool.get_master_address()
    context = getattr(plan, "ssl_context", None)
    ssl = None if context is None else context.get()
    transport, _ = await loop.create_connection(lambda: pipeline, host, port, ssl=ssl)
    # A peer that is gone without a word shows before the next request does.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


async def _greeting(plan: Any) -> list[Command]:
    commands: list[Command] = []
    if plan.credential_provider is not None:
        commands.append(("AUTH", *await plan.credential_provider.get_credentials_async()))
    elif plan.password:
        user = (plan.username,) if plan.username else ()
        commands.append(("AUTH", *user, plan.password))
    if plan.db:
        commands.append(("SELECT", int(plan.db)))
    return commands


async def _say(pipeline: Pipeline, command: Command) -> None:
    asked = Asked(command, math.inf, asyncio.get_running_loop())
    pipeline.write([asked])
    try:
        await asked
    except exceptions.ResponseError as error:
        if command[0] == "AUTH":
            raise exceptions.AuthenticationError("refused") from error
        raise
