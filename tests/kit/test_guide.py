import importlib.util
import re
import sys
from functools import partial
from pathlib import Path

import anyio
import pytest

from sojourn import SessionManager
from sojourn.testing import BrokenPromiseError, StoreTests, check_appends, check_rows, client_cookie

GUIDE = Path(__file__).parents[2] / "docs" / "testing.md"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The guide's store, as a module that other processes can import, too."""
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    (source,) = [block for block in blocks if "class SmallStore" in block]
    place = tmp_path_factory.mktemp("guide")
    (place / "small_store.py").write_text(source + CARELESS)
    sys.path.insert(0, str(place))
    spec = importlib.util.find_spec("small_store")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["small_store"] = module
    spec.loader.exec_module(module)
    yield module
    sys.path.remove(str(place))
    del sys.modules["small_store"]


CARELESS = """
import anyio.lowlevel

class CarelessStore(SmallStore):
    async def load(self, id, *, now):
        row = await super().load(id, now=now)
        await anyio.lowlevel.checkpoint()  # the others load, too, before this one writes
        return row

    async def replace(self, record, *, version, now):
        self._run("UPDATE rows SET version = ?, record = ? WHERE id = ?",
                  record.version, encode(record), record.id)
        return Outcome.APPLIED
"""


class TestSmallStore(StoreTests):
    """The guide's store passes the whole suite, and its corrupt rows count as missing."""

    shares_rows = True

    @pytest.fixture
    def make_store(self, small, tmp_path):
        """As the guide has it."""
        return lambda: small.SmallStore(tmp_path / "sessions")

    @pytest.fixture
    def corrupt(self, store):
        """Spoil the bytes of a row."""

        async def corrupt(id):
            store.inner._run("UPDATE rows SET record = ? WHERE id = ?", b"\xc1", id)

        return corrupt


def test_processes_see_one_row(small, tmp_path):
    """What tasks in two processes see of the guide's store is linearizable."""
    made = partial(small.SmallStore, tmp_path / "sessions")
    assert check_rows(made, processes=2, tasks=4, calls=15) == 2 * 4 * 15


def test_processes_lose_no_append(small, tmp_path):
    """What requests in two processes append to one session is all there."""
    made = partial(small.SmallStore, tmp_path / "sessions")
    header = anyio.run(client_cookie, SessionManager(made()), {"tokens": []})
    assert check_appends(made, header, processes=2, tasks=3, calls=5) == 2 * 3 * 5


def test_processes_live_with_faults(small, tmp_path):
    """While calls fail, what was acknowledged is there, and what is unknown stays unknown."""
    made = partial(small.SmallStore, tmp_path / "sessions")
    assert check_rows(made, processes=2, tasks=4, calls=15, faults=0.1) > 100
    header = anyio.run(client_cookie, SessionManager(made()), {"tokens": []})
    assert 0 < check_appends(made, header, processes=2, tasks=3, calls=10, faults=0.1) < 60


def test_processes_find_a_lost_append(small, tmp_path):
    """A store that does not compare versions loses appends, and is told so."""
    made = partial(small.CarelessStore, tmp_path / "sessions")
    header = anyio.run(client_cookie, SessionManager(made()), {"tokens": []})
    with pytest.raises(BrokenPromiseError, match="no acknowledged change is lost"):
        check_appends(made, header, processes=2, tasks=3, calls=20)
