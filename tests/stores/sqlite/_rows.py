"""What the tests of this store share."""

import secrets
from contextlib import asynccontextmanager

from sojourn import Record

NOW = 1_000_000.0


def new(**changes):
    """A row with a fresh id that lives for a while."""
    values = {
        "id": secrets.token_hex(16),
        "secret_hash": secrets.token_bytes(32),
        "payload": b"payload",
        "version": 1,
        "created_at": NOW,
        "expires_at": NOW + 100,
    }
    return Record(**{**values, **changes})


@asynccontextmanager
async def using(store):
    """The store, open for the block."""
    await store.aopen()
    try:
        yield store
    finally:
        await store.aclose()
