import re
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import anyio
import pytest

from sojourn import SessionManager
from sojourn.testing import BrokenPromiseError, check_appends, check_rows, client_cookie
from sojourn.testing._store_fixtures import new_record

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "tests" / "packaging" / "sojourn-small"
FALCON = ROOT / "tests" / "packaging" / "sojourn-falcon"

SHOWN = {
    "docs/testing.md": [
        SMALL / "src" / "sojourn_small" / "__init__.py",
        SMALL / "pyproject.toml",
        SMALL / "tests" / "test_small.py",
    ],
    "docs/write_an_adapter.md": [
        FALCON / "src" / "sojourn_falcon" / "__init__.py",
        FALCON / "pyproject.toml",
    ],
}


def blocks(page):
    """The code that a page shows."""
    text = (ROOT / page).read_text()
    return re.findall(r"^```(?:python|toml)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", SHOWN)
def test_guides_show_the_packages(page):
    """The guides' code is the example packages', letter by letter."""
    assert [] == [path for path in SHOWN[page] if path.read_text() not in blocks(page)]


def test_the_adapter_guide_ends_as_the_proof_does():
    """The guide's class of tests is the end of the example adapter's tests."""
    proof = (FALCON / "tests" / "test_falcon.py").read_text()
    assert proof.endswith(blocks("docs/write_an_adapter.md")[-1])


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The guide's store, as a module that other processes can import, too."""
    place = tmp_path_factory.mktemp("guide")
    (place / "small_store.py").write_text(SHOWN["docs/testing.md"][0].read_text() + CARELESS)
    sys.path.insert(0, str(place))
    yield import_module("small_store")
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


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_row_that_cannot_be_read_is_none(small, tmp_path, anyio_backend):
    """The guide's store takes corrupt bytes for no row; ``tests/packaging`` has the suite."""
    store, record = small.SmallStore(tmp_path / "sessions"), new_record(0)
    await store.create(record)
    assert record == await store.load(record.id, now=0)
    store._run("UPDATE rows SET record = ?", b"\xc1")
    assert await store.load(record.id, now=0) is None
    await store.aclose()


async def a_session(store):
    """The cookie of a session that the store has; closes the store."""
    async with SessionManager(store) as manager:
        return await client_cookie(manager, {"tokens": []})


def test_processes_see_one_row(small, tmp_path):
    """What tasks in two processes see of the guide's store is linearizable."""
    made = partial(small.SmallStore, tmp_path / "sessions")
    assert check_rows(made, processes=2, tasks=4, calls=15) == 2 * 4 * 15


def test_processes_lose_no_append(small, tmp_path):
    """What requests in two processes append to one session is all there."""
    made = partial(small.SmallStore, tmp_path / "sessions")
    header = anyio.run(a_session, made())
    assert check_appends(made, header, processes=2, tasks=3, calls=5) == 2 * 3 * 5


def test_processes_live_with_faults(small, tmp_path):
    """While calls fail, what was acknowledged is there, and what is unknown stays unknown."""
    made = partial(small.SmallStore, tmp_path / "sessions")
    assert check_rows(made, processes=2, tasks=4, calls=15, faults=0.1) > 100
    header = anyio.run(a_session, made())
    assert 0 < check_appends(made, header, processes=2, tasks=3, calls=10, faults=0.1) < 60


def test_processes_find_a_lost_append(small, tmp_path):
    """A store that does not compare versions loses appends, and is told so."""
    made = partial(small.CarelessStore, tmp_path / "sessions")
    header = anyio.run(a_session, made())
    with pytest.raises(BrokenPromiseError, match="no acknowledged change is lost"):
        check_appends(made, header, processes=2, tasks=3, calls=20)
