"""Rows and stores as the tests need them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from sojourn import Record
from sojourn_redis import RedisStore, open_store

NOW = 4_000_000_000.0
"""Seconds; far off, so that no row expires by itself."""


def new(**changes: Any) -> Record:
    """A row that lives for long."""
    id, secret = secrets.token_hex(16), secrets.token_bytes(32)
    row = Record(id, secret, b"payload", 1, NOW, NOW + 1000, None, None, None)
    return replace(row, **changes)


@asynccontextmanager
async def using(url: str, **options: Any) -> AsyncIterator[RedisStore]:
    """A store for the block. ``options``: of its URL."""
    joint = "&" if "?" in url else "?"
    query = "&".join(f"{name}={value}" for name, value in options.items())
    store = open_store(f"{url}{joint}{query}", None)
    try:
        yield store
    finally:
        await store.aclose()
