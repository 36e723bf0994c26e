"""What happens between us and a server: replies that are lost, doubled, late or cut off."""

import asyncio

import pytest
from tests.stores._proxy import Proxy

from sojourn import Outcome, StoreUnavailableError
from sojourn_redis import open_store

from ._rows import NOW, new, using

pytestmark = pytest.mark.anyio


@pytest.fixture
def proxy(server, tmp_path):
    """Stands between the store and its server."""
    with Proxy(server.socket, listen=tmp_path / "p") as proxy:
        yield proxy


def url(proxy):
    """Where the store finds the proxy."""
    return f"unix://{proxy.address}"


# Each call, once on a row that is there and once on one that is not: their answers differ.
CALLS = {
    "load": lambda store, row: store.load(row.id, now=NOW),
    "create": lambda store, row: store.create(row),
    "replace": lambda store, row: store.replace(row, version=1, now=NOW),
    "touch": lambda store, row: store.touch(row.id, version=1, expires_at=NOW + 2000, now=NOW),
    "delete": lambda store, row: store.delete(row.id),
    "load_owner": lambda store, row: store.load_owner(row.id, now=NOW),
    "delete_owner": lambda store, row: store.delete_owner(row.id),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_lost_reply_shifts_nothing(proxy, call):
    """After a reply is lost nobody gets the next one's: all who wait fail, and it heals."""
    async with using(url(proxy), deadline=20) as store:
        there, missing = new(owner="user:1"), new()
        assert await store.create(there)
        proxy.drop_replies(1)
        first = asyncio.create_task(call(store, missing))
        await proxy.until(lambda proxy: proxy.lost == 1)
        second = asyncio.create_task(call(store, there))
        found = await asyncio.gather(first, second, return_exceptions=True)
        assert [StoreUnavailableError] * 2 == [type(one) for one in found]
        assert all("another command" in str(one) for one in found)
        assert await store.load(missing.id, now=NOW) in (None, missing)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_doubled_reply_shifts_nothing(proxy, call):
    """A reply that comes twice is nobody's answer the second time."""
    async with using(url(proxy), deadline=20) as store:
        there, missing = new(), new()
        assert await store.create(there)
        proxy.repeat_replies(1)
        assert await store.load(there.id, now=NOW) == there
        try:
            answer = await call(store, missing)
        except StoreUnavailableError:
            assert await store.load(there.id, now=NOW) == there
        else:
            assert answer in (None, [], True, False, 0, Outcome.GONE)
            assert answer is not True or await store.load(missing.id, now=NOW) == missing


async def test_late_replies(proxy):
    """A reply that comes too late is an error, and then nobody's answer."""
    rows = [new() for _ in range(3)]
    async with using(url(proxy), deadline=20) as patient, using(url(proxy), deadline=0.2) as store:
        assert all(await asyncio.gather(*map(patient.create, rows)))
        proxy.shift_replies()
        for row in rows:
            with pytest.raises(StoreUnavailableError, match="within the deadline"):
                await store.load(row.id, now=NOW)
        proxy.heal()
        assert [await patient.load(row.id, now=NOW) for row in rows] == rows


async def test_a_slow_server(proxy):
    """A server that holds everything up is an error within the deadline, for one and for many."""
    rows = [new() for _ in range(50)]
    async with using(url(proxy), deadline=20) as patient, using(url(proxy), deadline=0.2) as store:
        assert all(await asyncio.gather(*map(patient.create, rows)))
        proxy.hold_replies()
        loads = [store.load(row.id, now=NOW) for row in rows]
        async with asyncio.timeout(20):
            found = await asyncio.gather(*loads, return_exceptions=True)
        assert {type(one) for one in found} == {StoreUnavailableError}
        proxy.release()
        assert await asyncio.gather(*(patient.load(row.id, now=NOW) for row in rows)) == rows


async def test_a_loop_that_was_held_up(proxy, monkeypatch):
    """A deadline that passes while the event loop is busy is none, if the reply is there."""
    async with using(url(proxy), deadline=20) as store:
        row = new()
        assert await store.create(row)
        proxy.hold_replies()
        load = asyncio.create_task(store.load(row.id, now=NOW))
        await proxy.until(lambda proxy: proxy.held == 1)
        for _ in range(10):  # turns of the proxy's loop: then the reply is out
            proxy.release()
        loop = asyncio.get_running_loop()
        late = loop.time() + 20
        monkeypatch.setattr(loop, "time", lambda: late)
        assert await load == row
        monkeypatch.undo()


async def test_cut_under_load(proxy):
    """Loads whose connection is cut are asked once more, on a new one."""
    async with using(url(proxy), deadline=20) as store:
        rows = [new() for _ in range(50)]
        assert all(await asyncio.gather(*map(store.create, rows)))
        proxy.hold_replies()
        loads = [asyncio.create_task(store.load(row.id, now=NOW)) for row in rows]
        await proxy.until(lambda proxy: proxy.held >= 1)
        proxy.cut()
        proxy.release()
        assert await asyncio.gather(*loads) == rows


async def test_a_write_is_never_repeated(proxy):
    """A write whose connection is cut is an error: it may have been applied, and is not again."""
    async with using(url(proxy), deadline=20) as store:
        row = new()
        assert await store.create(row)
        assert Outcome.APPLIED is await store.replace(row, version=1, now=NOW)  # script and all
        proxy.hold_replies()
        write = asyncio.create_task(store.replace(new(id=row.id, version=2), version=1, now=NOW))
        await proxy.until(lambda proxy: proxy.held >= 1)
        proxy.cut()
        proxy.release()
        with pytest.raises(StoreUnavailableError, match="cannot be reached"):
            await write
        assert (await store.load(row.id, now=NOW)).version == 2


async def test_what_was_not_sent_is_never_sent(proxy):
    """Who gave up before the command went out can be sure that it never does."""
    async with using(url(proxy), deadline=20, db=1) as store:
        row = new()
        proxy.hold_replies()  # the connection's first word, which is SELECT, gets no answer
        create = asyncio.create_task(store.create(row))
        await proxy.until(lambda proxy: proxy.held >= 1)
        create.cancel()
        await asyncio.wait([create])
        proxy.release()
        assert await store.load(row.id, now=NOW) is None


async def test_closing_while_connecting(proxy):
    """Closing waits for no server that has not said a word, if nobody else does."""
    async with using(url(proxy), deadline=20, db=1) as store:
        proxy.hold_replies()  # the first one is to SELECT
        load = asyncio.create_task(store.load(new().id, now=NOW))
        await proxy.until(lambda proxy: proxy.held >= 1)
        load.cancel()
        await asyncio.wait([load])
        async with asyncio.timeout(20):
            await store.aclose()


async def test_closing_waits_for_replies(proxy):
    """Closing waits for what is under way, sent or not."""
    store = open_store(f"{url(proxy)}?deadline=20", None)
    row = new()
    assert await store.create(row)
    proxy.hold_replies()
    loads = [asyncio.create_task(store.load(row.id, now=NOW)) for _ in range(3)]
    await proxy.until(lambda proxy: proxy.held >= 1)
    closing = asyncio.create_task(store.aclose())
    await asyncio.sleep(0)
    assert not closing.done()
    proxy.release()
    assert [row] * 3 == await asyncio.gather(*loads)
    await closing


async def test_black_hole(proxy):
    """A server that never answers is an error within the deadline; then it is used again."""
    row = new()
    async with using(url(proxy), deadline=20) as patient, using(url(proxy), deadline=0.2) as store:
        assert await patient.create(row)
        proxy.black_hole()
        async with asyncio.timeout(20):
            for _ in range(2):  # on the first connection, and on a new one
                with pytest.raises(StoreUnavailableError, match="within the deadline"):
                    await store.load(row.id, now=NOW)
        proxy.heal()
        assert await patient.load(row.id, now=NOW) == row


async def test_refused(proxy):
    """A server that is down is an error at once, and is used again when it is back."""
    async with using(url(proxy), deadline=20) as store:
        row = new()
        assert await store.create(row)
        proxy.refuse()
        with pytest.raises(StoreUnavailableError, match="cannot be reached"):
            await store.load(row.id, now=NOW)
        proxy.heal()
        assert await store.load(row.id, now=NOW) == row


async def test_few_connections(proxy):
    """However many requests there are, they share one connection."""
    async with using(url(proxy), deadline=20) as store:
        rows = [new(owner="user:1") for _ in range(300)]
        assert all(await asyncio.gather(*map(store.create, rows)))
        assert await asyncio.gather(*(store.load(row.id, now=NOW) for row in rows)) == rows
        assert (proxy.connections, proxy.accepted) == (1, 1)


@pytest.mark.parametrize("name", ["load", "replace"])
async def test_cancelled_at_every_await(proxy, name):
    """Wherever a call is cancelled under load, the others get their own answers."""
    async with using(url(proxy), deadline=20) as store:
        rows = [new(payload=bytes([number])) for number in range(20)]
        assert all(await asyncio.gather(*map(store.create, rows)))
        steps, is_over = 0, False
        while not is_over:
            calls = [asyncio.create_task(CALLS[name](store, row)) for row in rows]
            for _ in range(steps):
                await asyncio.sleep(0)
            is_over = all(call.done() for call in calls)
            for call in calls[::2]:
                call.cancel()
            found = await asyncio.gather(*calls, return_exceptions=True)
            right = rows if name == "load" else [Outcome.APPLIED] * len(rows)
            assert found[1::2] == right[1::2]
            steps += 1
        assert await asyncio.gather(*(store.load(row.id, now=NOW) for row in rows)) == rows
        assert proxy.accepted == 1
