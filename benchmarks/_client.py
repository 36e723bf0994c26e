"""A client for ASGI applications that does as little as possible, the same for all of them."""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie
from typing import Any

Sent = list[dict[str, Any]]

_BASE = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.4"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "https",
    "query_string": b"",
    "root_path": "",
    "client": ("127.0.0.1", 1),
    "server": ("127.0.0.1", 443),
}
_REQUEST = {"type": "http.request", "body": b"", "more_body": False}


async def get(app: Any, path: str, cookie: bytes, *, waits: bool = False) -> Sent:
    """One request; what the application sent. ``waits``: others get a turn at each message."""
    sent: Sent = []
    unread = [_REQUEST]

    async def receive() -> dict[str, Any]:
        if unread:
            return unread.pop()
        # A client that stays: who listens for its leaving hears nothing until the response ended.
        return await asyncio.get_running_loop().create_future()

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if waits:
            await asyncio.sleep(0)

    headers = [(b"host", b"bench.example"), (b"user-agent", b"bench")]
    if cookie:
        headers.append((b"cookie", cookie))
    scope = _BASE | {"path": path, "raw_path": path.encode(), "headers": headers, "state": {}}
    await app(scope, receive, send)
    return sent


def body(sent: Sent) -> str:
    """The response's text."""
    return b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body").decode()


def set_cookies(sent: Sent) -> list[str]:
    """The response's Set-Cookie lines."""
    headers = sent[0]["headers"]
    return [value.decode("latin-1") for name, value in headers if name.lower() == b"set-cookie"]


def cookie_after(lines: list[str], cookie: bytes) -> bytes:
    """The Cookie header after these Set-Cookie lines."""
    jar: SimpleCookie = SimpleCookie(cookie.decode("latin-1"))
    for line in lines:
        jar.load(line.split(";")[0])
    return "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items()).encode("latin-1")
