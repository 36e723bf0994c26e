"""A proxy between a store's client and its real server, which a test can put in trouble.

It knows no protocol and runs on a thread of its own, so it serves any client. What a test tells it
has taken effect when the call returns. Nothing here waits for time to pass.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Self

import anyio
from anyio import from_thread, to_thread
from anyio.abc import ByteStream, Listener, SocketStream, TaskStatus
from tests.stores._proxy_links import Gate, Link

Address = tuple[str, int] | Path
"""A TCP host and port, or the path of a unix socket."""

PATIENCE = 20.0
"""Seconds until a test's wait gives up: long, for a busy machine, and never used up otherwise."""

_BROKEN = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


class Proxy:
    """Passes bytes between its ``address`` and ``target``, until a test says otherwise.

    ``listen``: the path of a unix socket to listen on; without it, a free port of 127.0.0.1. A
    *reply* is what the server sends in one piece: the answer to one small request. To be used as a
    context manager::

        with Proxy(("127.0.0.1", 6379)) as proxy:
            store = open_store(f"redis://127.0.0.1:{proxy.port}", None)
    """

    def __init__(self, target: Address, *, listen: Path | None = None) -> None:
        self.accepted = 0
        """How many connections there have been."""
        self.lost = 0
        """How many pieces were swallowed or dropped."""
        self._target = target
        self._listen = listen
        self._news = threading.Condition()
        self._links: set[Link] = set()
        self._requests, self._replies = Gate(self._tell), Gate(self._tell)
        self._is_hole = self._is_late = False
        self._to_drop = self._to_repeat = 0
        self._serving: Future[None] | None = None

    # What a test does

    def point_to(self, target: Address) -> None:
        """Take new connections to another server, as after a failover."""
        self._target = target

    def hold_requests(self) -> None:
        """Keep what clients send from the server until ``release``."""
        self._portal.call(self._requests.shut)

    def hold_replies(self) -> None:
        """Keep what the server sends from clients until ``release``. Requests take effect."""
        self._portal.call(self._replies.shut)

    def release(self) -> None:
        """Deliver what was held, in order, and hold nothing more."""
        self._portal.call(self._requests.open)
        self._portal.call(self._replies.open)

    def drop_replies(self, count: int) -> None:
        """Lose so many replies from now on. The connections stay."""
        self._to_drop = count

    def repeat_replies(self, count: int) -> None:
        """Send so many replies twice, so that on their connections the next answers are late."""
        self._to_repeat = count

    def shift_replies(self) -> None:
        """Keep each connection's reply back until its next one: every answer is one late."""
        self._is_late = True

    def cut(self) -> None:
        """Reset all connections. What was held is lost. New ones are served."""
        self._portal.call(self._cut)

    def black_hole(self) -> None:
        """Accept, read, and pass nothing on."""
        self._is_hole = True

    def refuse(self) -> None:
        """Reset all connections, and refuse new ones."""
        self.cut()
        if self._serving is not None:
            self._portal.call(self._listening.cancel)
            self._serving.result(PATIENCE)
            self._serving = None

    def heal(self) -> None:
        """Be honest again. A connection that lost bytes, or would be late, is reset."""
        self._portal.call(self._heal)
        if self._serving is None:
            self._start_listening()

    # What a test sees

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._listen or ("127.0.0.1", self.port)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        port: int = self._reserved.getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return len(self._links)

    @property
    def held(self) -> int:
        """How many pieces wait for ``release``, or for the reply that is to come after them."""
        late = sum(bool(link.late) for link in self._links)
        return self._requests.waiting + self._replies.waiting + late

    async def until(self, condition: Callable[[Self], bool]) -> None:
        """Wait until this holds. Raises TimeoutError after ``PATIENCE``."""
        await to_thread.run_sync(partial(self.wait_until, condition))

    def wait_until(self, condition: Callable[[Self], bool]) -> None:
        """The same for a test without an event loop."""
        deadline = time.monotonic() + PATIENCE
        with self._news:
            while not condition(self):
                if time.monotonic() > deadline:
                    raise TimeoutError("the proxy never came to this state")
                # Looks again by itself: a condition may depend on more than the proxy.
                self._news.wait(0.1)

    # Opening and closing

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._portal = stack.enter_context(from_thread.start_blocking_portal("asyncio"))
            if self._listen is None:
                # Bound and never listening: a port that is refused stays ours.
                self._reserved = stack.enter_context(socket.socket())
                self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                self._reserved.bind(("127.0.0.1", 0))
            stack.callback(self.refuse)
            self._start_listening()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _start_listening(self) -> None:
        self._serving, self._listening = self._portal.start_task(self._serve)

    # On its own thread

    async def _serve(self, *, task_status: TaskStatus[anyio.CancelScope]) -> None:
        async with await self._listener() as listener:
            with anyio.CancelScope() as scope:
                task_status.started(scope)
                await listener.serve(self._accept)
        if self._listen is not None:
            self._listen.unlink(missing_ok=True)

    async def _listener(self) -> Listener[SocketStream]:
        if self._listen is not None:
            return await anyio.create_unix_listener(self._listen)
        return await anyio.create_tcp_listener(
            local_host="127.0.0.1", local_port=self.port, reuse_port=True
        )

    async def _accept(self, client: SocketStream) -> None:
        with suppress(*_BROKEN):
            async with client, await self._connect() as server:
                await self._carry(Link(client, server))

    async def _connect(self) -> SocketStream:
        if isinstance(self._target, Path):
            return await anyio.connect_unix(self._target)
        return await anyio.connect_tcp(*self._target)

    async def _carry(self, link: Link) -> None:
        self._links.add(link)
        self.accepted += 1
        self._tell()
        try:
            async with anyio.create_task_group() as group:
                link.scope = group.cancel_scope
                group.start_soon(self._pass_on, link, link.client, link.server, self._requests)
                group.start_soon(self._pass_on, link, link.server, link.client, self._replies)
        finally:
            self._links.discard(link)
            self._tell()

    async def _pass_on(self, link: Link, source: ByteStream, sink: ByteStream, gate: Gate) -> None:
        with suppress(*_BROKEN):
            while True:
                piece = await source.receive()
                await gate.pass_through()
                if self._is_hole:
                    self._lose(link)
                else:
                    await sink.send(self._answer(link, piece) if source is link.server else piece)
        link.scope.cancel()

    def _answer(self, link: Link, reply: bytes) -> bytes:
        """What the client gets now."""
        if self._to_drop:
            self._to_drop -= 1
            self._lose(link)
            return b""
        if self._to_repeat:
            self._to_repeat -= 1
            return reply * 2
        if self._is_late:
            link.is_spoilt = True
            reply, link.late = link.late, reply
            self._tell()
        return reply

    def _lose(self, link: Link) -> None:
        link.is_spoilt = True
        self.lost += 1
        self._tell()

    def _cut(self) -> None:
        for link in self._links:
            link.reset()

    def _heal(self) -> None:
        self._is_hole = self._is_late = False
        self._to_drop = self._to_repeat = 0
        for link in self._links:
            if link.is_spoilt:
                link.reset()
        self._requests.open()
        self._replies.open()

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()
