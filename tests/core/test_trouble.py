"""Promises 31 to 35: what happens when things break."""

from __future__ import annotations

import anyio
import pytest
from msgspec.structs import replace

from sojourn import (
    CommitDiscarded,
    CookieRejected,
    Discard,
    Rejection,
    SessionSealedError,
    SessionTooLargeError,
    SessionValueError,
    StoreError,
    StoreFailed,
    StoreUnavailableError,
)

from ._rows import Bare, NowaitRows, Rows
from ._site import Site, names_of, set_cookie_of

pytestmark = pytest.mark.anyio

DOWN = StoreUnavailableError("down")


@pytest.fixture
def anonymous(store: Bare) -> Site:
    """A site that goes on without sessions while its store is down."""
    return Site(store, on_store_error="anonymous")


async def test_promise_31_a_store_that_is_down_is_not_a_new_visitor(site: Site) -> None:
    """The first look raises, again and again; the cookie is left alone and nothing is written."""
    browser = await site.visitor(a=1)
    site.store.failing["load"] = DOWN
    session = site.manager.open(browser.headers)
    if session.pending:
        with pytest.raises(StoreUnavailableError):
            await session.load()
    for _ in range(2):
        with pytest.raises(StoreUnavailableError):
            session.get("a")
    with pytest.raises(StoreUnavailableError):
        session["a"] = 2
    result = await site.manager.commit(session, status=503)
    assert ["Vary"] == names_of(result)
    assert [StoreFailed(operation="load", error="StoreUnavailableError")] == site.events
    assert ["load"] == site.store.calls


async def test_promise_31_loading_raises_as_well(site: Site) -> None:
    """``manager.load`` raises a 503 of the store's own words."""
    browser = await site.visitor(a=1)
    site.store.failing["load"] = ConnectionRefusedError("/a/path")
    with pytest.raises(StoreUnavailableError, match="ConnectionRefusedError") as caught:
        await browser.load()
    assert 503 == caught.value.status_code
    assert "path" not in str(caught.value)


async def test_promise_31_anonymous_is_empty_and_read_only(anonymous: Site) -> None:
    """The setting gives an empty session instead; a change raises what the store raised."""
    browser = await anonymous.visitor(a=1)
    cookie, row = browser.cookie, anonymous.row
    anonymous.store.failing["load"] = DOWN
    async with browser.visit() as session:
        assert session.is_new
        assert {} == dict(session)
        for change in (lambda: session.set("a", 2), session.rotate, session.destroy):
            with pytest.raises(StoreUnavailableError):
                change()
        await session.commit()
    assert (cookie, row) == (browser.cookie, anonymous.row)
    assert ["Vary"] == names_of(browser.result)
    assert 1 == len(anonymous.told(StoreFailed))


async def test_promise_31_a_new_visitor_needs_no_store(site: Site) -> None:
    """Who has no cookie can be served while the store is down."""
    site.store.failing["*"] = DOWN
    session = await site.manager.load([])
    assert session.get("a") is None
    assert ["Vary"] == names_of(await site.manager.commit(session))


@pytest.mark.parametrize(
    ("method", "change"),
    [
        ("create", None),
        ("replace", lambda session: session.set("a", 2)),
        ("touch", lambda session: session.touch()),
        ("delete", lambda session: session.destroy()),
    ],
)
async def test_promise_32_a_failed_commit_is_an_error(site: Site, method: str, change) -> None:
    """A commit that fails raises, sends no cookie, and lets an error page out."""
    browser = site.browser() if change is None else await site.visitor(a=1)
    cookie = browser.cookie
    site.clock.now += 300
    site.store.failing[method] = DOWN
    session = await browser.load()
    (change or (lambda session: session.set("a", 1)))(session)
    with pytest.raises(StoreUnavailableError):
        await browser.commit(session)
    page = await browser.commit(session, status=503)
    assert ["Vary"] == names_of(page)
    assert cookie == browser.cookie
    assert [StoreFailed(operation=method, error="StoreUnavailableError")] == site.events
    with pytest.raises(SessionSealedError):
        session["a"] = 3


async def test_promise_32_a_conflict_and_then_a_store_that_is_down(site: Site) -> None:
    """A store that goes down between a conflict and its second try fails the commit."""
    browser = await site.visitor(a=1)
    session = await browser.load()
    session["a"] = 2

    async def meanwhile() -> None:
        async with browser.copy(site.other()).visit() as other:
            other["b"] = 1
        site.store.failing["load"] = DOWN

    site.store.meanwhile["replace"] = meanwhile
    with pytest.raises(StoreUnavailableError):
        await site.manager.commit(session)
    assert [StoreFailed(operation="load", error="StoreUnavailableError")] == site.events
    site.store.failing.clear()
    assert {"a": 1, "b": 1} == await browser.sees()


async def test_promise_32_a_failed_explicit_commit_may_be_tried_again(site: Site) -> None:
    """``session.commit()`` keeps the changes when it fails; the response's commit writes them."""
    browser = await site.visitor(a=1)
    async with browser.visit() as session:
        session["a"] = 2
        site.store.failing["replace"] = DOWN
        with pytest.raises(StoreUnavailableError):
            await session.commit()
        site.store.failing.clear()
    assert {"a": 2} == await browser.sees()


async def test_promise_32_too_large_names_the_biggest_keys(store: Bare) -> None:
    """A session that does not fit names its biggest keys and stays as it was."""
    site = Site(store, max_bytes=200)
    browser = await site.visitor(small=1)
    session = await browser.load()
    session["big"], session["medium"] = "x" * 300, "y" * 50
    with pytest.raises(SessionTooLargeError, match=r"of at most 200 bytes.*'big' 30\d bytes"):
        await browser.commit(session)
    assert ["Vary"] == names_of(await browser.commit(session, status=500))
    assert {"small": 1} == await browser.sees()


async def test_promise_32_too_large_without_data(store: Bare) -> None:
    """A bound that no session fits is said as such."""
    site = Site(store, max_bytes=1)
    session = await site.manager.load([])
    session.bind("ann")
    with pytest.raises(SessionTooLargeError, match="it holds no data"):
        await site.manager.commit(session)


async def test_promise_32_a_value_that_became_unfit(site: Site) -> None:
    """A nested value that cannot be stored any more is refused at commit, by its key."""
    browser = await site.visitor(a=1)
    session = await browser.load()
    session["list"] = [1]
    session["list"].append(object())
    with pytest.raises(SessionValueError, match="'list'"):
        await browser.commit(session)
    assert ["Vary"] == names_of(await browser.commit(session, status=500))
    assert {"a": 1} == await browser.sees()


@pytest.mark.parametrize("method", ["load", "replace"])
async def test_promise_33_a_store_that_hangs_is_left_at_the_deadline(method: str) -> None:
    """A call that does not answer ends at the deadline, as a store that is unavailable."""
    site = Site(Rows(), deadline=0.01)
    browser = await site.visitor(a=1)
    session = await browser.load()
    session["a"] = 2
    site.store.meanwhile[method] = anyio.sleep_forever
    with anyio.fail_after(5), pytest.raises(StoreUnavailableError, match=r"deadline \(0.01 s\)"):
        await (browser.load() if method == "load" else browser.commit(session))


async def test_promise_33_a_store_with_a_deadline_of_its_own_is_not_timed(
    site: Site,
) -> None:
    """A store that bounds its calls gets no timer, and its errors are ours all the same."""
    store = NowaitRows()
    quick = Site(store, deadline=1e-9)
    store.pause = anyio.lowlevel.checkpoint
    async with quick.browser().visit() as session:
        session["a"] = 1
    store.failing["delete"] = TimeoutError()
    with pytest.raises(StoreUnavailableError, match="deadline"):
        await quick.manager.revoke(quick.row.id)


async def test_promise_34_a_corrupt_row_is_an_absent_session_and_one_event(site: Site) -> None:
    """Bytes that cannot be read are a new visitor, told once; the row stays where it is."""
    browser = await site.visitor(a=1)
    row = replace(site.row, payload=b"\xc1 corrupt")
    site.store.rows[row.id] = row
    async with browser.visit() as session:
        assert session.is_new
        assert {} == dict(session)
        assert "a" not in session
    assert [CookieRejected(reason=Rejection.UNREADABLE)] == site.events
    assert row == site.row
    assert ["Vary"] == names_of(browser.result)


async def test_promise_34_after_a_corrupt_row_life_goes_on(site: Site) -> None:
    """Who writes over a corrupt session gets a new one."""
    browser = await site.visitor(a=1)
    old = site.row.id
    site.store.rows[old] = replace(site.row, payload=b"")
    async with browser.visit() as session:
        session["a"] = 2
    assert {"a": 2} == await browser.sees()
    assert 2 == len(site.store.rows)


async def test_a_wrong_row_is_a_store_out_of_step(site: Site) -> None:
    """A row under another id is a failure of the driver: nobody gets another's session."""
    victim, browser = await site.visitor("ann", secret=1), await site.visitor(a=1)
    id = (await victim.load()).id
    own = (await browser.load()).id
    assert id is not None
    assert own is not None
    site.store.rows[own] = site.store.rows[id]
    with pytest.raises(StoreUnavailableError, match="another session's row"):
        (await browser.load()).get("secret")


async def test_a_store_that_refuses_every_new_id(site: Site) -> None:
    """A store that lies about what it has fails the commit after a few tries."""

    async def never(record) -> bool:
        return False

    site.store.create = never
    session = await site.manager.load([])
    session["a"] = 1
    with pytest.raises(StoreError, match="refused 4 different new ids"):
        await site.manager.commit(session)


@pytest.mark.parametrize("status", [500, 503, 599])
async def test_promise_35_a_5xx_discards(site: Site, status: int) -> None:
    """The changes of a failed request are dropped, and the operator hears of it."""
    browser = await site.visitor(a=1)
    async with browser.visit(status=status) as session:
        session["a"] = 2
        session.bind("ann")
    assert set_cookie_of(browser.result) is None
    assert {"a": 1} == await browser.sees()
    assert [CommitDiscarded(reason=Discard.FAILED_RESPONSE, id=site.row.id)] == site.events


async def test_promise_35_a_5xx_without_changes_discards_nothing(site: Site) -> None:
    """A failed request that only looked is no event and extends nothing."""
    browser = await site.visitor(a=1)
    site.clock.now += 900
    async with browser.visit(status=500) as session:
        assert 1 == session["a"]
    assert browser.result.discarded is None
    assert [] == site.events
    assert ["load"] == site.store.calls


@pytest.mark.parametrize("status", [200, 302, 404, 499])
async def test_promise_35_other_responses_keep_the_changes(site: Site, status: int) -> None:
    """Redirects and errors of the client are no failures of the request."""
    browser = await site.visitor(a=1)
    async with browser.visit(status=status) as session:
        session["a"] = 2
    assert {"a": 2} == await browser.sees()


async def test_promise_35_commit_on_error_writes(store: Bare) -> None:
    """The setting keeps what a failed request changed."""
    site = Site(store, commit_on_error=True)
    browser = await site.visitor(a=1)
    async with browser.visit(status=500) as session:
        session["a"] = 2
    assert {"a": 2} == await browser.sees()
