"""What the proxy holds of each connection, and where it holds pieces back."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress

import anyio
from anyio.abc import SocketAttribute, SocketStream

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER without time: to close is to reset


class Link:
    """One client's connection and the one that was made to the server for it."""

    def __init__(self, client: SocketStream, server: SocketStream) -> None:
        self.client, self.server = client, server
        self.scope = anyio.CancelScope()
        self.is_spoilt = False
        self.late = b""

    def reset(self) -> None:
        """Close both as a crash would."""
        for stream in (self.client, self.server):
            with suppress(OSError):
                raw = stream.extra(SocketAttribute.raw_socket)  # noqa: S610 - anyio's, not Django's
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.scope.cancel()


class Gate:
    """Where pieces of one direction wait while it is shut."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self.waiting = 0
        self._tell = tell
        self._opened: anyio.Event | None = None

    def shut(self) -> None:
        """Hold from now on what comes."""
        self._opened = self._opened or anyio.Event()

    def open(self) -> None:
        """Let go what waits, in order."""
        if self._opened is not None:
            self._opened.set()
            self._opened = None

    async def pass_through(self) -> None:
        """Wait while the gate is shut."""
        while self._opened is not None:
            self.waiting += 1
            self._tell()
            try:
                await self._opened.wait()
            finally:
                self.waiting -= 1
                self._tell()
