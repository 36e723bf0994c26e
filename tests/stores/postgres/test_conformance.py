"""The suite that every store has to pass, on a real server."""

import pytest

from sojourn.testing import StoreTests
from sojourn_postgres import PostgresStore, open_store

from ._rows import new_table


class TestPostgres(StoreTests):
    shares_rows = True

    @pytest.fixture
    def anyio_backend(self):
        """Asyncpg runs on asyncio only."""
        return "asyncio"

    @pytest.fixture
    def table(self):
        """A table of this test's own."""
        return new_table()

    @pytest.fixture
    def make_store(self, server, table):
        """Stores over this test's table."""
        return lambda: PostgresStore(server.url, table=table, create=True, deadline=20)


class TestBehindPgBouncer(TestPostgres):
    """The same through PgBouncer in transaction mode: each statement may meet another process."""

    @pytest.fixture
    def make_store(self, pgbouncer, table):
        """Stores over this test's table."""
        return lambda: open_store(f"{pgbouncer.url}&table={table}&create=true&deadline=20", None)

    async def test_any_sequence_of_visits(self, make_store):
        """Not again: the longest test is about what visits do, not about how statements travel."""
        pytest.skip("runs without PgBouncer, in the class above")
