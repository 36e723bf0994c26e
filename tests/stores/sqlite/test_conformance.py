"""The suite that every store has to pass."""

import apsw
import pytest

from sojourn.testing import StoreTests
from sojourn_sqlite import SQLiteStore


class TestSQLite(StoreTests):
    """The promises of every store."""

    shares_rows = True

    @pytest.fixture
    def make_store(self, tmp_path):
        """All stores of a test are on one file. A busy machine may take its time."""
        return lambda: SQLiteStore(tmp_path / "sessions.db", deadline=30)

    @pytest.fixture
    def corrupt(self, tmp_path):
        """Writes over a payload from outside."""

        async def corrupt(id):
            connection = apsw.Connection(str(tmp_path / "sessions.db"))
            spoilt = (b"\xc1\xc1\xc1", bytes.fromhex(id))
            connection.execute("UPDATE sessions SET payload = ? WHERE id = ?", spoilt)
            connection.close()

        return corrupt


class TestOnThreads(TestSQLite):
    """The same with reads on a thread, and without waiting for the disk."""

    @pytest.fixture
    def anyio_backend(self):
        """One of them: the loops differ in how they wait, which the class above shows."""
        return "trio"

    @pytest.fixture
    def make_store(self, tmp_path):
        """All stores of a test are on one file."""
        path = tmp_path / "sessions.db"
        return lambda: SQLiteStore(path, durability="normal", reads="thread", deadline=30)

    async def test_any_sequence_of_visits(self, make_store, anyio_backend_name):
        """Not again: the longest test is about when writes happen, not about where reads do."""
        pytest.skip("runs with inline reads, in the class above")
