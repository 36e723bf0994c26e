import sys
from pathlib import Path
import pytest
sys.path.insert(0, str(Path(__file__).parent))
from honest_store import HonestStore
from sojourn.testing import StoreTests

class TestHonestStore(StoreTests):
    @pytest.fixture
    def make_store(self):
        return HonestStore

class TestShared(StoreTests):
    shares_rows = True
    @pytest.fixture
    def make_store(self):
        rows = {}
        return lambda: HonestStore(rows)
