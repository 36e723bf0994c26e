"""CachedStore: fewer calls, a staleness that is stated, and nothing that comes back."""

from __future__ import annotations

from math import inf

import pytest

from sojourn import (
    CachedStore,
    CommitDiscarded,
    ConfigurationError,
    Discard,
    StoreUnavailableError,
    SupportsDeadline,
)
from sojourn.testing import StoreTests

from ._rows import Bare, Rows
from ._site import Clock, Site

pytestmark = pytest.mark.anyio

STALENESS = 5.0


class TestCached(StoreTests):
    """A cache in front of an honest store is an honest store."""

    @pytest.fixture
    def make_store(self):
        """Two stores as one."""
        return lambda: CachedStore(Rows(), Rows(), staleness=STALENESS)


@pytest.fixture
def far():
    """The rows that two processes share."""
    return Rows()


@pytest.fixture
def clock():
    """Their time."""
    return Clock()


@pytest.fixture
def here(far, clock):
    """A process with a cache."""
    return Site(CachedStore(Rows(), far, staleness=STALENESS), clock)


@pytest.fixture
def there(far, clock):
    """Another process with a cache of its own."""
    return Site(CachedStore(Rows(), far, staleness=STALENESS), clock)


async def visitor(site, **data):
    """A browser with a session."""
    browser = site.browser()
    async with browser.visit() as session:
        session.update(data)
    return browser


async def test_one_call_for_many_loads(here, far):
    """Within the staleness, the far store is asked once."""
    browser = await visitor(here, a=1)
    far.calls.clear()
    for _ in range(3):
        assert {"a": 1} == await browser.sees()
    assert ["load"] == far.calls


async def test_staleness_is_the_bound(here, there, far, clock):
    """What another process revoked is readable for the staleness, and not a moment longer."""
    browser = await visitor(here, a=1)
    await browser.sees()
    (id,) = far.rows
    assert await there.manager.revoke(id)
    clock.now += STALENESS - 0.001
    assert {"a": 1} == await browser.sees()
    clock.now += 0.001
    assert {} == await browser.sees()


async def test_stale_copies_are_never_written(here, there, far):
    """A change on a stale copy of a revoked session is discarded; nothing comes back."""
    browser = await visitor(here, a=1)
    await browser.sees()
    (id,) = far.rows
    await there.manager.revoke(id)
    async with browser.visit() as session:
        session["a"] = 2
    assert {} == far.rows
    assert [Discard.GONE] == [event.reason for event in here.told(CommitDiscarded)]


async def test_own_writes_are_seen(here, there):
    """A process sees its own writes at once, and a change elsewhere costs it no update."""
    browser = await visitor(here, a=1)
    await browser.sees()
    async with browser.copy(there).visit() as session:
        session["b"] = 2
    async with browser.visit() as session:
        session["c"] = 3
    assert {"a": 1, "b": 2, "c": 3} == await browser.sees()


async def test_login_elsewhere(here, there):
    """A login in another process is no stranger here: an unknown secret is looked up afresh."""
    browser = await visitor(here, a=1)
    await browser.sees()
    elsewhere = browser.copy(there)
    async with elsewhere.visit() as session:
        session.bind("ann")
    assert "ann" == (await elsewhere.copy(here).load()).owner


async def test_own_revocations_are_seen(here):
    """What a process revokes itself is gone at once, one session or all of an owner's."""
    browsers = [await visitor(here, n=n) for n in range(3)]
    ids = []
    for browser in browsers:
        async with browser.visit() as session:
            session.bind("ann")
        ids.append((await browser.load()).id)
    assert await here.manager.revoke(ids[0])
    assert 1 == await here.manager.revoke_owner("ann", keep=ids[1])
    assert [True, False, True] == [(await browser.load()).is_new for browser in browsers]


async def test_far_store_down(here, far):
    """A far store that is down is told as such; what was written meanwhile is unknown, so fresh."""
    browser = await visitor(here, a=1)
    await browser.sees()
    far.failing["replace"] = StoreUnavailableError("down")
    with pytest.raises(StoreUnavailableError):
        async with browser.visit() as session:
            session["a"] = 2
    far.failing["load"] = StoreUnavailableError("down")
    with pytest.raises(StoreUnavailableError):
        await browser.sees()


async def test_a_bare_far_store_cannot_list(clock):
    """Without owners in the far store there are none here, and sweeping does nothing."""
    site = Site(CachedStore(Bare(), Bare()), clock)
    with pytest.raises(ConfigurationError, match="Bare cannot list"):
        await site.manager.sessions_of("ann")
    assert 0 == await site.manager.sweep()
    async with site.manager:
        pass


class Bounded(Rows):
    """Rows that say how long a call takes at most."""

    def __init__(self, deadline):
        super().__init__()
        self.deadline = deadline


@pytest.mark.parametrize(
    ("near", "far", "longest"), [(inf, 2.0, 4.0), (0.5, 2.0, 5.5), (inf, inf, inf)]
)
def test_two_bounds_make_one(near, far, longest):
    """Stores that bound their calls are one that does: near is asked three times, far twice."""
    store = CachedStore(Bounded(near), Bounded(far))
    assert isinstance(store, SupportsDeadline)
    assert longest == store.deadline


@pytest.mark.parametrize("bounded", ["near", "far"])
def test_one_bound_is_none(bounded):
    """Where one of the stores may take for ever, the core has to bound the call."""
    stores = {"near": Rows(), "far": Rows(), bounded: Bounded(1.0)}
    assert not isinstance(CachedStore(**stores), SupportsDeadline)


@pytest.mark.parametrize("staleness", [0, -1, float("nan"), float("inf")])
def test_staleness_is_positive(staleness):
    """A staleness of nothing, and one without an end, is refused."""
    with pytest.raises(ConfigurationError, match="staleness"):
        CachedStore(Rows(), Rows(), staleness=staleness)


@pytest.mark.parametrize("stores", [("memory://", Rows()), (Rows(), "memory://"), (Rows, Rows())])
def test_a_cache_stands_between_stores(stores):
    """A URL or a class is refused where it is given."""
    with pytest.raises(ConfigurationError, match=r"CachedStore\((near|far)\)"):
        CachedStore(*stores)
