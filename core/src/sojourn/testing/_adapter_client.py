"""What the suite needs of a client. It has no cookie jar: each test sends the cookies it means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from msgspec import Struct

RawHeaders = list[tuple[bytes, bytes]]


Leave = Callable[[], Awaitable[None]]
"""Closes the connection; after it, the server can know."""


class Reply(Struct, frozen=True):
    """A response as it came. ``status`` is 0 if the connection was dropped instead."""

    status: int
    headers: RawHeaders
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """The values of all header lines with this name, in order."""
        wanted = name.lower().encode("ascii")
        return [v.decode("latin-1") for n, v in self.headers if n.lower() == wanted]

    def members(self, name: str) -> list[str]:
        """The members of a list header, in lower case (RFC 9110 5.6.1)."""
        return [m.strip().lower() for value in self.all(name) for m in value.split(",")]

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class Socket(Protocol):
    """A websocket. ``handshake`` is the answer to it: status 101 if it was accepted."""

    handshake: Reply

    async def ask(self, text: str) -> str | None:
        """Send a text message, and wait for the next one; None if the server closes instead."""
        ...


class Client(Protocol):
    """Sends requests to one running application."""

    async def request(self, method: str, path: str, headers: RawHeaders) -> Reply:
        """One request, and all of its response."""
        ...

    def abandoned(self, path: str, headers: RawHeaders) -> AbstractAsyncContextManager[Leave]:
        """A GET whose client reads nothing, and leaves when the block calls what it gets."""
        ...

    def websocket(self, path: str, headers: RawHeaders) -> AbstractAsyncContextManager[Socket]:
        """A websocket; at the end of the block the client leaves, without a word."""
        ...
