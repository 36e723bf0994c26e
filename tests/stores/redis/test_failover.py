"""Another server takes over: what is kept, what can be undone, and what ``replicas=`` does."""

import asyncio
import random
from functools import partial
from itertools import count

import pytest
from tests.stores._proxy import Proxy

from sojourn import Outcome, StoreUnavailableError, SupportsDeadline
from sojourn.testing import HistoryStore, Wrapper, check_history
from sojourn.testing._workload import visit_rows

from ._groups import ClusterOfThree, SentinelTrio
from ._rows import NOW, new, using
from ._servers import RedisServer, free_ports, running, until

pytestmark = pytest.mark.anyio


async def again(call):
    """The call's result, once the system is there again."""
    while True:
        try:
            return await call()
        except StoreUnavailableError:
            await asyncio.sleep(0)


class Pair:
    """A primary and its replica with a proxy in between, and one between them and the store."""

    def __init__(self, folder):
        (port,) = free_ports(1)
        self.primary = RedisServer(folder / "1", port=port)
        self.stream = Proxy(("127.0.0.1", port))
        self.front = Proxy(self.primary.socket, listen=folder / "front")
        self.folder = folder

    def start(self):
        """Run all of it, until the replica is up to date."""
        self.primary.start()
        self.stream.__enter__()
        self.front.__enter__()
        target = f"127.0.0.1 {self.stream.port}"
        self.replica = RedisServer(self.folder / "2", "--replicaof", target).start()
        until(lambda: b"state=online" in self.primary.ask("INFO replication"))

    def stop(self):
        """Kill all of it."""
        self.replica.stop()
        self.primary.stop()
        self.front.__exit__(None, None, None)
        self.stream.__exit__(None, None, None)

    @property
    def url(self):
        """Where the store finds whoever is the primary."""
        return f"unix://{self.front.address}"

    def fail_over(self):
        """The primary is lost; the replica, as far as it is, takes over."""
        self.primary.stop()
        self.replica.ask("REPLICAOF NO ONE")
        self.front.point_to(self.replica.socket)


@pytest.fixture
def pair(tmp_path):
    """Two servers of this test's own."""
    with running(Pair(tmp_path)) as pair:
        yield pair


async def test_what_a_failover_undoes(pair):
    """Without ``replicas=`` a failover undoes what the replica did not get: a logout, here."""
    async with using(pair.url, deadline=20) as store:
        row = new()
        assert await store.create(row)
        until(lambda: pair.replica.ask(f"EXISTS sojourn:{row.id}") == b":1\r\n")
        pair.stream.hold_replies()
        assert await store.delete(row.id)
        assert await store.load(row.id, now=NOW) is None
        pair.fail_over()
        assert row == await again(lambda: store.load(row.id, now=NOW))


async def test_what_no_replica_has_is_not_acknowledged(pair):
    """With ``replicas=1`` a write that the replica did not get is an error; reads go on."""
    rows = [new() for _ in range(2)]
    async with using(pair.url, deadline=20, replicas=1) as store:
        assert all([await store.create(row) for row in rows])
    pair.stream.hold_replies()
    async with using(pair.url, deadline=4, replicas=1) as store:
        writes = asyncio.gather(
            store.create(new()),
            store.replace(new(id=rows[0].id, version=2), version=1, now=NOW),
            store.delete(rows[1].id),
            return_exceptions=True,
        )
        while not writes.done():
            assert await again(lambda: store.load(rows[0].id, now=NOW)) is not None
        assert {StoreUnavailableError} == {type(one) for one in writes.result()}
        assert all("too few of its replicas" in str(one) for one in writes.result())
        pair.fail_over()
        assert rows == [await again(partial(store.load, row.id, now=NOW)) for row in rows]


async def test_touching_waits_for_nobody(pair):
    """Moving a deadline needs no replica: to lose it costs a visitor some time, and no safety."""
    async with using(pair.url, deadline=20, replicas=1) as store:
        row = new()
        assert await store.create(row)
        pair.stream.hold_replies()
        done = await store.touch(row.id, version=1, expires_at=NOW + 2000, now=NOW)
        assert done is Outcome.APPLIED


async def test_acknowledged_is_kept(pair):
    """With ``replicas=1`` a failover under load undoes nothing that was acknowledged."""
    sure = {}  # what was acknowledged of each row, and what was asked for last

    async def work(store, id):
        row = new(id=id)
        sure[id] = [None, None]
        for version in count(1):
            before, row = row, new(id=id, version=version)
            sure[id][1] = None if version % 5 == 0 else row
            if version % 5 == 1:
                assert await store.create(row)
            elif version % 5 == 0:
                assert await store.delete(id)
            else:
                done = await store.replace(row, version=before.version, now=NOW)
                assert done is Outcome.APPLIED
            sure[id][0] = sure[id][1]
            counts[id] += 1

    ids = [new().id for _ in range(10)]
    counts = dict.fromkeys(ids, 0)
    async with using(pair.url, deadline=20, replicas=1) as store:
        tasks = [asyncio.create_task(work(store, id)) for id in ids]
        while min(counts.values()) < 20:  # noqa: ASYNC110 - they know no event
            await asyncio.sleep(0)
        await asyncio.to_thread(pair.fail_over)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    async with using(pair.url, deadline=20) as store:
        for id in ids:
            assert await again(partial(store.load, id, now=NOW)) in sure[id]


class Gate(Wrapper):
    """Lets calls through while the server is up."""

    abilities = (SupportsDeadline,)

    def __init__(self, inner):
        super().__init__(inner)
        self.is_up = asyncio.Event()
        self.is_up.set()

    async def around(self, name, arguments, call):
        """See ``Wrapper``."""
        await self.is_up.wait()
        return await call()


async def test_kill_and_restart_under_load(tmp_path):
    """A server that keeps a log, killed and started again under load, breaks no promise."""
    log = ("--appendonly", "yes", "--appendfsync", "always")
    ids = [new().id for _ in range(6)]

    async def work(seed):
        chances = [random.Random(f"{seed} {task}") for task in range(5)]  # noqa: S311 - reproducible
        await asyncio.gather(*(visit_rows(history, ids, 20, chance) for chance in chances))

    with running(RedisServer(tmp_path / "own", *log)) as server:
        async with using(server.url, deadline=20) as store:
            gate = Gate(store)
            history = HistoryStore(gate)
            for seed in range(3):
                under_way = asyncio.create_task(work(seed))
                wanted = len(history.operations) + 40
                while len(history.operations) < wanted:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(0)
                gate.is_up.clear()
                await asyncio.to_thread(server.stop)
                await asyncio.to_thread(server.start)
                gate.is_up.set()
                await under_way
    assert check_history(history.operations) == len(ids)


async def test_sentinels_choose_another(tmp_path):
    """When the primary is killed, the store follows the Sentinels to the new one by itself."""
    row = new(owner="user:1")
    with running(SentinelTrio(tmp_path)) as trio:
        async with using(trio.url, deadline=20, replicas=1) as store:
            assert await store.create(row)
        async with using(trio.url, deadline=2) as store:
            assert row == await again(lambda: store.load(row.id, now=NOW))
            await asyncio.to_thread(trio.primary.stop)
            with pytest.raises(StoreUnavailableError):
                await store.create(new())
            assert row == await again(lambda: store.load(row.id, now=NOW))
            assert b"role:master" in trio.replica.ask("INFO replication")
            assert [row] == await again(lambda: store.load_owner("user:1", now=NOW))
            await again(lambda: store.delete(row.id))
            assert await again(lambda: store.load(row.id, now=NOW)) is None


async def test_no_sentinel(sentinels):
    """Without any Sentinel there is an error within the deadline, and no password in it."""
    url = sentinels.url.replace("redis://", "redis://app:hunter2@")
    for port in sentinels.ports[:3]:
        url = url.replace(str(port), "1")
    async with using(url, deadline=20) as store:
        with pytest.raises(StoreUnavailableError, match="cannot be reached") as caught:
            await store.load(new().id, now=NOW)
    assert "hunter2" not in str(caught.value)


async def test_a_silent_sentinel(sentinels):
    """A Sentinel that does not answer leaves enough of the deadline for the others."""
    with Proxy(("127.0.0.1", sentinels.ports[0])) as proxy:
        proxy.black_hole()
        url = sentinels.url.replace(str(sentinels.ports[0]), str(proxy.port))
        async with using(url, deadline=4) as store:
            assert await store.load(new().id, now=NOW) is None
            assert 1 == proxy.accepted


@pytest.fixture(scope="module")
def own_cluster(tmp_path_factory):
    """A cluster that tests rearrange: its first primary has a replica."""
    folder = tmp_path_factory.mktemp("own")
    with running(ClusterOfThree(folder, has_replica=True)) as cluster:
        yield cluster


async def test_a_key_moves(own_cluster):
    """A key that is on its way to another server of a cluster is found, and so when it is there."""
    async with using(own_cluster.url, deadline=20) as store:
        row = new()
        key = f"sojourn:{row.id}"
        assert await store.create(row)
        source = own_cluster.node_of(key)
        target = next(node for node in own_cluster.primaries if node is not source)
        slot = int(source.ask(f"CLUSTER KEYSLOT {key}")[1:])
        ids = [node.ask("CLUSTER MYID").splitlines()[1].decode() for node in (source, target)]
        assert target.ask(f"CLUSTER SETSLOT {slot} IMPORTING {ids[0]}") == b"+OK\r\n"
        assert source.ask(f"CLUSTER SETSLOT {slot} MIGRATING {ids[1]}") == b"+OK\r\n"
        assert row == await store.load(row.id, now=NOW)
        assert source.ask(f"MIGRATE 127.0.0.1 {target.port} {key} 0 5000") == b"+OK\r\n"
        assert row == await store.load(row.id, now=NOW)
        done = await store.touch(row.id, version=1, expires_at=NOW + 2000, now=NOW)
        assert done is Outcome.APPLIED
        for node in (target, source):
            assert node.ask(f"CLUSTER SETSLOT {slot} NODE {ids[1]}") == b"+OK\r\n"
        assert 2 == (await store.load(row.id, now=NOW)).version
        assert await store.delete(row.id)


async def test_replicas_of_a_cluster(own_cluster):
    """On a cluster ``replicas=`` is about the replicas of the key's own server."""
    rows = [new() for _ in range(12)]
    async with using(own_cluster.url, deadline=4, replicas=1) as store:
        found = await asyncio.gather(*map(store.create, rows), return_exceptions=True)
    first = own_cluster.primaries[0]
    for row, done in zip(rows, found, strict=True):
        if own_cluster.node_of(f"sojourn:{row.id}") is first:
            assert done is True
        else:
            assert "too few of its replicas" in str(done)


async def test_a_cluster_fails_over(own_cluster):
    """When a primary of a cluster is killed, the store finds its replica; the others go on."""
    primary, (replica,) = own_cluster.primaries[0], own_cluster.replicas
    rows = [new(owner="user:1") for _ in range(30)]
    async with using(own_cluster.url, deadline=20) as store:
        assert all(await asyncio.gather(*map(store.create, rows)))
        lost = [row for row in rows if own_cluster.node_of(f"sojourn:{row.id}") is primary]
        left = [row for row in rows if row not in lost]
        await asyncio.to_thread(until, lambda: replica.ask("DBSIZE") == primary.ask("DBSIZE"))
        await asyncio.to_thread(primary.stop)
        assert left == await asyncio.gather(*(store.load(row.id, now=NOW) for row in left))
        with pytest.raises(StoreUnavailableError):
            await store.load(lost[0].id, now=NOW)
        assert replica.ask("CLUSTER FAILOVER TAKEOVER") == b"+OK\r\n"
        for row in rows:
            assert row == await again(lambda row=row: store.load(row.id, now=NOW))
