"""What a request cannot do without, written straight: the limit that the core is held against."""

from __future__ import annotations

import os
from time import time
from typing import Any

import msgspec
from msgspec import Raw

from sojourn import KeyRing, SessionManager

from ._rounds import Run

_decode_values = msgspec.msgpack.Decoder(dict[str, Raw]).decode
_decode_bytes = msgspec.json.Decoder(bytes).decode


async def candidates(data: dict[str, Any]) -> dict[str, Run]:
    """The core's read and the raw one: the same work on a cookie of the same size."""
    key = KeyRing.generate()
    manager: SessionManager[Any] = SessionManager("cookie://", keys=key)
    session = await manager.load([])
    session.update(data)
    result = await manager.commit(session)
    header = result.headers[0][1].partition(";")[0].encode()
    return {"core cookie read": _core(manager, header), "raw cookie read": _raw(data, key)}


def _core(manager: SessionManager[Any], header: bytes) -> Run:
    async def run(times: int) -> None:
        for _ in range(times):
            session = manager.open([header])
            _ = session["visits"]
            await manager.commit(session)

    return run


def _raw(data: dict[str, Any], key: str) -> Run:
    box = KeyRing(key).box("benchmark")
    plain = b"\x00" * 29 + msgspec.msgpack.encode(data)
    plain += b"\x00" * (-(len(plain) + 44) % 3)
    size = len(msgspec.msgpack.encode(data))
    text = msgspec.json.encode(box.seal(plain, nonce=os.urandom(24)))
    header = b"__Host-session=" + text[1:-1]
    name = b"__Host-session="

    async def run(times: int) -> None:
        for _ in range(times):
            start = header.find(name)
            value = header[start + len(name) :]
            sealed = _decode_bytes(b'"' + value + b'"')
            opened: Any = box.open(sealed)
            time()
            values = _decode_values(opened.message[29 : 29 + size])
            msgspec.msgpack.decode(values["visits"])

    return run
