"""``seal_at_rest`` on every store with rows: promises are kept, and a dump says nothing."""

from __future__ import annotations

import itertools
from contextlib import ExitStack

import pytest
from tests.stores._running import SHARED, Running

from sojourn import KeyRing, SessionManager
from sojourn._registry import open_store
from sojourn.testing import Browser, RecordingStore, StoreTests, client_cookie
from sojourn.testing._store_fixtures import TIMEOUTS

KEYS = KeyRing(KeyRing.generate())
STORES = ("memory", *SHARED)

_names = (f"rows_{number}" for number in itertools.count())


@pytest.fixture(scope="module", params=STORES)
def running(request, tmp_path_factory):
    """A store that runs by itself."""
    if request.param == "memory":
        yield Running("memory://", None, "")
        return
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp(request.param)
        yield stack.enter_context(SHARED[request.param](folder))


# What is about sessions; rows are the same, sealed or not.
ABOUT_SESSIONS = ("MergeTests", "IdentityTests", "TimeTests", "OwnedSessionTests", "FlashTests")
SUITES = [suite for suite in StoreTests.__bases__ if suite.__name__ in ABOUT_SESSIONS]
assert len(ABOUT_SESSIONS) == len(SUITES)


class TestSealed(*SUITES):
    """What a session promises, it promises sealed."""

    @pytest.fixture
    def anyio_backend(self):
        """What all of the stores run on."""
        return "asyncio"

    @pytest.fixture
    def make_store(self, running):
        """Makes stores over rows of this test's own."""
        url = running.url + running.part.format(next(_names))
        return lambda: open_store(url, None)

    @pytest.fixture
    def manage(self, clock, events):
        """As in the suite, and sealing."""
        settings = {"clock": clock, "on_event": events.append, "timeouts": TIMEOUTS}
        settings |= {"deadline": 30.0, "keys": KEYS, "seal_at_rest": True}
        return lambda store, **options: SessionManager(store, **{**settings, **options})


WORDS = ("a-key-like-this", "a-value-like-this", "nested-like-this", "flash-like-this")


@pytest.fixture
def anyio_backend():
    """What all of the stores run on."""
    return "asyncio"


@pytest.mark.anyio
@pytest.mark.parametrize("is_sealed", [False, True])
async def test_a_dump_says_nothing(running, is_sealed):
    """All of a session's words are in a dump of its store, and sealed none of them is."""
    store = RecordingStore(open_store(running.url + running.part.format(next(_names)), None))
    options = {"keys": KEYS, "seal_at_rest": True} if is_sealed else {}
    key, value, nested, flash = (f"{word}-{is_sealed}" for word in WORDS)
    async with SessionManager(store, sweep_every=None, **options) as manager:
        data = {key: value, "list": [{"deep": nested}]}
        browser = Browser(manager, await client_cookie(manager, data, owner="ann"))
        async with browser.request() as session:
            session.flash("message", flash)
        async with browser.request() as session:
            session["count"] = 1
        # Memory has no file; it keeps what it was given.
        dump = running.dump() if running.dump else b"".join(r.payload for r in store.records)
        found = [word.encode() in dump for word in (key, value, nested, flash)]
        assert {not is_sealed} == set(found)
        assert value == (await browser.load())[key]
