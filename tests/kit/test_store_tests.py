from collections.abc import Callable

import pytest
from honest_store import HonestStore

from sojourn.testing import StoreTests


class TestHonestStore(StoreTests):
    """A store of sixty lines passes the whole suite."""

    @pytest.fixture
    def make_store(self) -> Callable[[], HonestStore]:
        """Each object has rows of its own."""
        return HonestStore


class TestSharedRows(StoreTests):
    """Objects over the same rows pass the tests of several processes as well."""

    shares_rows = True

    @pytest.fixture
    def make_store(self) -> Callable[[], HonestStore]:
        """All objects of one test see the same rows."""
        rows = {}
        return lambda: HonestStore(rows)
