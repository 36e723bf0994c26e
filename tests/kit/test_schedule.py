from importlib import import_module
from importlib.metadata import entry_points
from itertools import combinations_with_replacement

import pytest
from honest_store import HonestStore

from sojourn import Outcome
from sojourn.testing import BrokenPromiseError, explore

DEEDS = ["put", "put other", "modify", "consume", "clear", "touch", "rotate", "bind", "destroy"]

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """On both event loops."""
    return request.param


async def test_two_requests():
    """Whatever two requests do, in whatever order and cut off wherever, the promises hold."""
    pairs = combinations_with_replacement(DEEDS, 2)
    total = sum(explore(HonestStore, pair, cuts=1) for pair in pairs)
    assert total > 1000


async def test_two_requests_while_the_secret_is_renewed():
    """The same while a periodic rotation is due in both."""
    pairs = combinations_with_replacement(DEEDS, 2)
    total = sum(explore(HonestStore, pair, cuts=1, rotate_after=1) for pair in pairs)
    assert total > 1000


async def test_three_requests():
    """Whatever three requests do, in whatever order, the promises hold."""
    triples = combinations_with_replacement(["put", "modify", "consume", "bind", "destroy"], 3)
    total = sum(explore(HonestStore, triple) for triple in triples)
    assert total > 3000


async def test_the_memory_store():
    """The memory store, found by its entry point, keeps them as well."""
    points = entry_points(group="sojourn.stores", name="memory")
    if not points:
        pytest.skip("sojourn-memory is not installed")
    module = import_module(next(iter(points)).module)
    for pair in combinations_with_replacement(["put", "modify", "touch", "bind", "destroy"], 2):
        assert explore(module.MemoryStore, pair, cuts=1) > 1


async def test_three_requests_are_cut_off():
    """Three requests of which one is cut off wherever it may be."""
    assert explore(HonestStore, ["modify", "rotate", "destroy"], cuts=1) > 900


async def test_a_lost_update_is_found():
    """A store that forgets to compare versions is told from an honest one, with the schedule."""

    class Careless(HonestStore):
        async def replace(self, record, *, version, now):
            if self.live(record.id, now) is None:
                return Outcome.GONE
            self.rows[record.id] = record
            return Outcome.APPLIED

    with pytest.raises(BrokenPromiseError, match=r"some serial order(?s:.*)request 1 \(put other"):
        explore(Careless, ["put", "put other"])


async def test_a_resurrection_is_found():
    """A store that inserts what it should replace is told from an honest one."""

    class Resurrecting(HonestStore):
        async def replace(self, record, *, version, now):
            outcome = await super().replace(record, version=version, now=now)
            if outcome is Outcome.GONE:
                self.rows[record.id] = record
                return Outcome.APPLIED
            return outcome

    with pytest.raises(BrokenPromiseError, match="deletion wins"):
        explore(Resurrecting, ["put", "destroy"])
