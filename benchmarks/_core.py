"""The core alone, without a framework, against the raw primitives of the same work."""

from __future__ import annotations

import itertools
from typing import Any

from sojourn import SessionManager

from ._data import TIMEOUTS
from ._limit import Cookie
from ._rounds import Run
from ._sites import sessions_for


async def candidates(data: dict[str, Any], keys: str) -> dict[str, Run]:
    """The core's read of a sealed cookie, and the raw one of a cookie with the same data."""
    sessions = sessions_for("sojourn")
    manager: SessionManager[Any] = SessionManager("cookie://", keys=keys, timeouts=TIMEOUTS)
    headers = [await _header(manager, data) for _ in range(sessions)]
    limit = Cookie()
    raw = [limit.save(b"", data).partition(b";")[0] for _ in range(sessions)]
    return {
        "core": _core(manager, headers),
        "core, again": _core(manager, headers[:1]),
        "raw": _raw(limit, raw),
    }


async def _header(manager: SessionManager[Any], data: dict[str, Any]) -> bytes:
    session = await manager.load([])
    session.update(data)
    result = await manager.commit(session)
    return result.headers[0][1].partition(";")[0].encode()


def _core(manager: SessionManager[Any], headers: list[bytes]) -> Run:
    source = itertools.cycle(headers)

    async def run(times: int) -> None:
        for header in itertools.islice(source, times):
            session = manager.open([header])
            _ = session["visits"]
            await manager.commit(session)

    return run


def _raw(limit: Cookie, headers: list[bytes]) -> Run:
    """Find the cookie, base64, open the seal, decode, look at the clock."""
    source = itertools.cycle(headers)

    async def read(header: bytes) -> Any:
        values = limit.load(header)
        return values and values["visits"]

    async def run(times: int) -> None:
        for header in itertools.islice(source, times):
            await read(header)

    return run
