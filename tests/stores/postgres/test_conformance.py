"""The suite that every store has to pass, on a real server."""

import itertools

import pytest

from sojourn.testing import StoreTests
from sojourn_postgres import PostgresStore

_TABLES = itertools.count()


class TestPostgres(StoreTests):
    shares_rows = True

    @pytest.fixture
    def anyio_backend(self):
        """Asyncpg runs on asyncio only."""
        return "asyncio"

    @pytest.fixture
    def table(self):
        """A table of this test's own."""
        return f"t{next(_TABLES)}"

    @pytest.fixture
    def make_store(self, server, table):
        """Stores over this test's table."""
        return lambda: PostgresStore(server.url, table=table, create=True)
