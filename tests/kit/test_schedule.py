from itertools import combinations_with_replacement

import pytest
from honest_store import HonestStore

from sojourn import Outcome
from sojourn.testing import BrokenPromiseError, SlowStore, explore, explore_waiting

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


@pytest.mark.timeout(180)
async def test_three_requests(anyio_backend):
    """Whatever three requests do, in whatever order, the promises hold."""
    deeds = ["modify", "bind", "destroy", "put", "consume"]
    # The event loop only tells the time; one of them has all.
    few = deeds if anyio_backend == "asyncio" else deeds[:3]
    triples = combinations_with_replacement(few, 3)
    total = sum(explore(HonestStore, triple) for triple in triples)
    assert total > 200 * len(few) ** 2 // 2


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


async def test_a_store_that_waits():
    """On a store that has to be awaited as many schedules run as one asks for, evenly chosen."""
    honest = HonestStore()
    store = SlowStore(honest, 0)
    assert 20 == await explore_waiting(store, ["modify", "destroy"], cuts=1, limit=20)
    assert 6 == await explore_waiting(store, ["put", "destroy"], limit=1000)
    assert {} == honest.rows
    with pytest.raises(RuntimeError, match="explore_waiting"):
        explore(lambda: store, ["put"])


async def test_a_store_that_waits_is_told_its_fault():
    """The schedule that breaks a promise is shown, with the calls in their order."""

    class Forgetful(HonestStore):
        async def delete(self, id):
            return True

    with pytest.raises(BrokenPromiseError, match=r"deletion wins(?s:.*)request 1 \(destroy\)"):
        await explore_waiting(SlowStore(Forgetful(), 0), ["put", "destroy"])
