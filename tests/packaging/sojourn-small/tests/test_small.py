import pytest
from sojourn_small import SmallStore

from sojourn.testing import StoreTests


class TestSmallStore(StoreTests):
    shares_rows = True

    @pytest.fixture
    def make_store(self, tmp_path):
        return lambda: SmallStore(tmp_path / "sessions.db")
