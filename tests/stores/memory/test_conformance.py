from collections.abc import Callable

import pytest

from sojourn.testing import StoreTests
from sojourn_memory import MemoryStore


class TestMemoryStore(StoreTests):
    """The promises of every store."""

    @pytest.fixture
    def make_store(self) -> Callable[[], MemoryStore]:
        """Each test has a store of its own."""
        return MemoryStore
