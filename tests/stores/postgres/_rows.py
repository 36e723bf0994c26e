"""Rows and tables for these tests."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from contextlib import asynccontextmanager

from msgspec.structs import replace

from sojourn import Record
from sojourn_postgres import open_store

NOW = 4_000_000_000.0
NOBODY = "0" * 32

PATIENCE = 20.0
"""Seconds that a busy machine may need for anything here; never used up otherwise."""

DEADLINE = 1.0
"""Seconds of the stores whose server does not answer: short, as tests wait for them to pass."""

_tables = (f"table_{number}" for number in itertools.count())


def new_table():
    """A name that no other test has."""
    return next(_tables)


def record(**changes):
    """A row that lives for long."""
    values = {
        "id": secrets.token_hex(16),
        "secret_hash": secrets.token_bytes(32),
        "payload": b"payload",
        "version": 1,
        "created_at": NOW,
        "expires_at": NOW + 1000,
    }
    return Record(**{**values, **changes})


@asynccontextmanager
async def opened(url, **options):
    """A store on a table of its own."""
    query = {"table": new_table(), "create": "true", "deadline": PATIENCE, **options}
    given = "&".join(f"{key}={value}" for key, value in query.items())
    store = open_store(f"{url}{'&' if '?' in url else '?'}{given}", None)
    await store.aopen()
    try:
        yield store
    finally:
        await store.aclose()


def url_through(proxy):
    """The server's URL, with the proxy between."""
    return f"postgresql://sojourn@127.0.0.1:{proxy.port}/postgres?sslmode=disable"


async def until(condition):
    """Let the loop turn until this holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - the driver has no event for it
            await asyncio.sleep(0)


WRITES = {
    "create": lambda store, row: store.create(row),
    "replace": lambda store, row: store.replace(
        replace(row, version=2, payload=b"new"), version=1, now=NOW
    ),
    "touch": lambda store, row: store.touch(row.id, version=1, expires_at=NOW + 2000, now=NOW),
    "delete": lambda store, row: store.delete(row.id),
}
