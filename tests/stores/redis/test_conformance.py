"""The suite that every store has to pass, on a real server."""

import itertools

import pytest
from redis import Redis

from sojourn.testing import StoreTests
from sojourn_redis import open_store

_PREFIXES = itertools.count()


class TestRedis(StoreTests):
    shares_rows = True

    @pytest.fixture
    def anyio_backend(self):
        """redis-py runs on asyncio only."""
        return "asyncio"

    @pytest.fixture
    def prefix(self):
        """Keys of this test's own."""
        return f"t{next(_PREFIXES)}:"

    @pytest.fixture
    def make_store(self, server, prefix):
        """Stores over this test's keys."""
        return lambda: open_store(f"{server.url}?prefix={prefix}", None)

    @pytest.fixture
    def corrupt(self, server, prefix):
        """Spoils a row, but not its header."""

        async def corrupt(id):
            with Redis(unix_socket_path=str(server.socket)) as client:
                client.setrange(f"{prefix}{id}", 16, b"\xc1\xc1\xc1")

        return corrupt
