"""Sanic's own server, in this event loop."""

from __future__ import annotations

import itertools
import socket
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sanic import Sanic

with warnings.catch_warnings():
    # As an ASGI application Sanic imports it, and it a part of websockets that is deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    import sanic_testing  # noqa: F401

_NUMBERS = itertools.count()


def new_app() -> Sanic[Any, Any]:
    """An application with a name of its own: Sanic keeps those of all applications of a process."""
    Sanic.test_mode = True
    return Sanic(f"app{next(_NUMBERS)}")


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[int]:
    """Serve the application on a loopback port, and give the port."""
    app.config.MOTD = False
    sock = socket.create_server(("127.0.0.1", 0))
    port: int = sock.getsockname()[1]
    server: Any = await app.create_server(sock=sock, return_asyncio_server=True)
    assert server is not None
    await server.startup()
    await server.before_start()
    await server.start_serving()
    await server.after_start()
    try:
        yield port
    finally:
        await server.before_stop()
        server.close()
        await server.wait_closed()
        await server.after_stop()
