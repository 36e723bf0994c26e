"""CachedStore in any order of calls, one after another and at once; broken caches are found."""

# ruff: noqa: D102 - each broken class says what is wrong with it

from itertools import combinations_with_replacement

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sojourn import CachedStore, Record
from sojourn.testing import explore

from ._caches import STALENESS, WRITES, Processes, check_orders
from ._rows import Rows

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    """The order of calls is the test's, so one loop that is always alike will do."""
    return "asyncio"


DEEDS = ("load", "load", "wait", "replace", "touch", "delete", "revoke", "create")
deeds = st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 1)), max_size=25)


@settings(deadline=None)
@given(deeds)
def test_no_older_than_the_staleness(story):
    """What is read was true less than the staleness ago, and since the process's own last write."""
    Processes(CachedStore).tell(story)


@pytest.mark.parametrize("is_cut", [False, True], ids=["to its end", "cut off"])
@pytest.mark.parametrize("write", WRITES)
async def test_own_writes_are_seen_in_any_order(write, is_cut):
    """However loads and a write of one process overlap, who looks after the write sees it."""
    assert await check_orders(CachedStore, write, is_cut=is_cut) > 10


async def test_requests_side_by_side():
    """Whatever two requests do in one process, in whatever order, a cache breaks no promise."""

    def make_store():
        return CachedStore(Rows(), Rows(), staleness=STALENESS)

    pairs = combinations_with_replacement(["put", "modify", "rotate", "bind", "destroy"], 2)
    assert sum(explore(make_store, pair, cuts=1) for pair in pairs) > 400


class NeverForgets(CachedStore):
    """Leaves the copy where it is."""

    async def _forget(self, id):
        pass


class LivesTooLong(CachedStore):
    """Lets copies live twice as long as it says."""

    def _copy(self, record, now):
        copy = super()._copy(record, now)
        return replace(copy, expires_at=now + 2 * STALENESS)


class ForgetsFirst(CachedStore):
    """Forgets the copy before it writes."""

    async def delete(self, id):
        await self._forget(id)
        return await self._far.delete(id)


class WritesNear(CachedStore):
    """Trusts a copy with writes that belong to the far store."""

    async def delete(self, id):
        row = await self._far.load(id, now=0)
        await super().delete(id)
        if row is not None:
            await self._near.create(self._copy(row, row.created_at))
        return True


class ForgetsNoOwner(CachedStore):
    """Revokes far away only."""

    async def delete_owner(self, owner, *, keep=None):
        return await self._owners().delete_owner(owner, keep=keep)


class FillsLate(CachedStore):
    """Puts near what it read, whatever has been written since."""

    async def _filled(self, id):
        self._filling.pop(id, None)

    async def _forget(self, id):
        await self._clear(id)


class TrustsWhatIsBeingFilled(CachedStore):
    """Reads near while somebody may be putting an older copy there."""

    async def load(self, id, *, now):
        copy = await self._near.load(id, now=now)
        if copy is None:
            return await super().load(id, now=now)
        return msgspec.msgpack.decode(copy.payload, type=Record)


STORIES = {
    NeverForgets: ["create 0", "load 0", "delete 0", "load 0"],
    LivesTooLong: ["create 0", "load 1", "delete 0", *["wait 1"] * 3, "load 1"],
    WritesNear: ["create 0", "load 0", "delete 0", "load 0"],
    ForgetsNoOwner: ["create 0", "load 0", "revoke 0", "load 0"],
}


@pytest.mark.parametrize("broken", STORIES)
def test_broken_caches_are_found(broken):
    """A cache with one fault fails the check that the honest one passes, in the same story."""
    story = [(deed, int(number)) for deed, number in map(str.split, STORIES[broken])]
    Processes(CachedStore).tell(story)
    with pytest.raises(AssertionError):
        Processes(broken).tell(story)


@pytest.mark.parametrize("broken", [ForgetsFirst, FillsLate, NeverForgets, TrustsWhatIsBeingFilled])
async def test_caches_that_race_are_found(broken):
    """A cache that is wrong in some orders only fails in one of them."""
    with pytest.raises(AssertionError):
        await check_orders(broken, "delete")
