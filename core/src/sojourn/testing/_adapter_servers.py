"""Ways to run an ASGI application for ``AdapterTests``: in this process, and in real servers.

Each is an async context manager that gives a ``Client`` while the application runs.
"""

from __future__ import annotations

import functools
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from typing import Any

import anyio

from ._adapter_client import Client
from ._adapter_inprocess import App, ASGIClient
from ._adapter_wire import TCPClient

_HOST = "127.0.0.1"


@asynccontextmanager
async def in_process(app: App) -> AsyncGenerator[Client]:
    """Call the application directly, within its lifespan."""
    inbox, unread = anyio.create_memory_object_stream[dict[str, Any]](2)
    said, outbox = anyio.create_memory_object_stream[Any](2)
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    with inbox, unread, said, outbox:
        async with anyio.create_task_group() as group:
            run: Any = app
            group.start_soon(run, scope, unread.receive, said.send)
            for phase in ("startup", "shutdown"):
                inbox.send_nowait({"type": f"lifespan.{phase}"})
                answer = await outbox.receive()
                if answer["type"] != f"lifespan.{phase}.complete":
                    raise RuntimeError(f"the application failed at {phase}: {answer}")
                if phase == "startup":
                    yield ASGIClient(app)


@asynccontextmanager
async def on_uvicorn(app: App) -> AsyncGenerator[Client]:
    """Serve with uvicorn on a loopback socket; asyncio only."""
    uvicorn = import_module("uvicorn")
    config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=5, ws="wsproto")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    with _listening() as listener:
        port = listener.getsockname()[1]
        # Not serve(): it takes over the process's signals, and sees its end up to 0.1 s late.
        await server.startup(sockets=[listener])
        try:
            yield TCPClient(_HOST, port)
        finally:
            await server.shutdown(sockets=[listener])


@asynccontextmanager
async def on_hypercorn(app: App) -> AsyncGenerator[Client]:
    """Serve with hypercorn on a loopback socket, on asyncio or trio."""
    backend = "trio" if _is_on_trio() else "asyncio"
    serve = import_module(f"hypercorn.{backend}").serve
    config = import_module("hypercorn.config").Config()
    config.accesslog = config.errorlog = None
    config.graceful_timeout = 5
    stop = anyio.Event()
    with _listening() as listener:
        port = listener.getsockname()[1]
        config.bind = [f"fd://{listener.detach()}"]
        async with anyio.create_task_group() as group:
            group.start_soon(functools.partial(serve, app, config, shutdown_trigger=stop.wait))
            try:
                yield TCPClient(_HOST, port)
            finally:
                stop.set()


ASGI_SERVERS: dict[str, tuple[str, Callable[[App], AbstractAsyncContextManager[Client]]]] = {
    "uvicorn on asyncio": ("asyncio", on_uvicorn),
    "hypercorn on asyncio": ("asyncio", on_hypercorn),
    "hypercorn on trio": ("trio", on_hypercorn),
}
"""Each server with the event loop that it runs on, as the fixture ``anyio_backend`` names it."""


@asynccontextmanager
async def over_tcp(host: str, port: int) -> AsyncGenerator[Client]:
    """Talk to a server that runs already, of any kind."""
    yield TCPClient(host, port)


def _listening() -> socket.socket:
    # It listens from now on, so a client may connect before the server is ready to accept.
    return socket.create_server((_HOST, 0))


def _is_on_trio() -> bool:
    trio = sys.modules.get("trio")
    return trio is not None and bool(trio.lowlevel.in_trio_task())
