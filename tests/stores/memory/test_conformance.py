from collections.abc import Callable

import pytest
from sojourn_memory import MemoryStore

from sojourn.testing import StoreTests


class TestMemoryStore(StoreTests):
    """The promises of every store."""

    @pytest.fixture
    def make_store(self) -> Callable[[], MemoryStore]:
        """Each test has a store of its own."""
        return MemoryStore
