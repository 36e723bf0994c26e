"""The limit: sessions for one site and one test, without a library around them.

What is left of a session when everything that a library is for has been left out: no policy, no
events, no retries, no key rotation, no errors; one shape of cookie; the raw primitives straight
into an ASGI middleware. Nobody should use it. It shows what a request on this machine cannot do
without, in the same run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from time import time
from typing import Any

import msgspec
from nacl._sodium import ffi, lib  # pyright: ignore - what the core's guarded module calls too

NAME = b"__Host-session="
SUFFIX = b"; Max-Age=1800; Path=/; Secure; HttpOnly; SameSite=Lax"
_NONCE, _TAG, _KEY = 24, 16, b"k" * 32
LIVES = 1800

_seal = lib.crypto_aead_xchacha20poly1305_ietf_encrypt
_unseal = lib.crypto_aead_xchacha20poly1305_ietf_decrypt
_from_buffer, _null = ffi.from_buffer, ffi.NULL
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[float, dict[str, Any]]).decode
_to_text = msgspec.json.Encoder().encode
_from_text = msgspec.json.Decoder(bytes).decode

Values = dict[str, Any]


class Lazy:
    """A mapping that loads when somebody looks."""

    __slots__ = ("_header", "_load", "before", "now")

    def __init__(self, load: Callable[[bytes], Values | None], header: bytes) -> None:
        self._load, self._header = load, header
        self.before: Values | None = None
        self.now: Values | None = None

    def _values(self) -> Values:
        if self.now is None:
            self.before = self._load(self._header)
            self.now = {} if self.before is None else self.before.copy()
        return self.now

    def __getitem__(self, key: str) -> Any:
        return self._values()[key]

    def get(self, key: str, default: Any) -> Any:
        """The value, or the default."""
        return self._values().get(key, default)

    def __setitem__(self, key: str, value: Any) -> None:
        self._values()[key] = value

    def update(self, values: Values) -> None:
        """Set them all."""
        self._values().update(values)


class Cookie:
    """Values sealed into the cookie."""

    def load(self, header: bytes) -> Values | None:
        """The values behind a Cookie header."""
        start = header.find(NAME)
        if start < 0:
            return None
        sealed = _from_text(b'"%b"' % header[start + len(NAME) :])
        out = bytearray(len(sealed) - _NONCE - _TAG)
        body = sealed[_NONCE:]
        nonce = sealed[:_NONCE]
        if _unseal(_from_buffer(out), _null, _null, body, len(body), NAME, len(NAME), nonce, _KEY):
            return None
        deadline, values = _decode(out)
        return values if deadline > time() else None

    def save(self, header: bytes, values: Values) -> bytes:  # noqa: ARG002 - as Memory's
        """The Set-Cookie line for these values."""
        message = _encode((time() + LIVES, values))
        nonce = os.urandom(_NONCE)
        out = bytearray(len(message) + _TAG)
        _seal(_from_buffer(out), _null, message, len(message), NAME, len(NAME), _null, nonce, _KEY)
        return NAME + _to_text(nonce + out)[1:-1] + SUFFIX


class Memory:
    """Encoded values in a dict, or what acts as one, by the hash of what the cookie says."""

    def __init__(self, rows: Any = None) -> None:
        self._rows: Any = {} if rows is None else rows

    def load(self, header: bytes) -> Values | None:
        """The values behind a Cookie header."""
        start = header.find(NAME)
        if start < 0:
            return None
        row = self._rows.get(sha256(header[start + len(NAME) :]).digest())
        if row is None:
            return None
        deadline, values = _decode(row)
        return values if deadline > time() else None

    def save(self, header: bytes, values: Values) -> bytes | None:
        """The Set-Cookie line for a new session's id."""
        start = header.find(NAME)
        token = header[start + len(NAME) :] if start >= 0 else os.urandom(32).hex().encode()
        self._rows[sha256(token).digest()] = _encode((time() + LIVES, values))
        return None if start >= 0 else NAME + token + SUFFIX


class LimitMiddleware:
    """Lazy sessions, and nothing else."""

    def __init__(self, app: Any, store: Cookie | Memory) -> None:
        self._app, self._store = app, store

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        store, header = self._store, b""
        for name, value in scope["headers"]:
            if name == b"cookie":
                header = value
        session = scope["session"] = Lazy(store.load, header)

        async def start(message: Any) -> None:
            if session.now is not None and message["type"] == "http.response.start":
                headers = message["headers"]
                headers.append((b"vary", b"Cookie"))
                if session.now != session.before:
                    line = store.save(header, session.now)
                    if line is not None:
                        headers.append((b"set-cookie", line))
                        headers.append((b"cache-control", b"no-store"))
            await send(message)

        await self._app(scope, receive, start)
