"""Several servers that belong together: a cluster, and a primary that Sentinels watch."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from ._servers import RedisServer, free_ports, until

_SLOTS = 16384


class ClusterOfThree:
    """Three primaries, and a replica of the first one if asked for."""

    def __init__(self, folder: Path, *, has_replica: bool = False) -> None:
        count = 4 if has_replica else 3
        ports = free_ports(2 * count)
        self.nodes = [
            RedisServer(
                folder / str(port),
                *("--cluster-enabled", "yes", "--cluster-port", str(bus)),
                *("--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no"),
                port=port,
            )
            for port, bus in zip(ports[:count], ports[count:], strict=True)
        ]
        self._buses = ports[count:]
        self.primaries, self.replicas = self.nodes[:3], self.nodes[3:]

    @property
    def url(self) -> str:
        """One node's address is enough."""
        return f"redis://127.0.0.1:{self.nodes[1].port}?cluster=true"

    def start(self) -> Self:
        """Run all, share out the slots, and wait until each knows the others."""
        for node in self.nodes:
            node.start()
        bounds = [_SLOTS * number // 3 for number in range(4)]
        for number, node in enumerate(self.primaries):
            first, last = bounds[number], bounds[number + 1] - 1
            assert node.ask(f"CLUSTER ADDSLOTSRANGE {first} {last}") == b"+OK\r\n"
            assert node.ask(f"CLUSTER SET-CONFIG-EPOCH {number + 1}") == b"+OK\r\n"
        for node, bus in zip(self.nodes[1:], self._buses[1:], strict=True):
            meet = f"CLUSTER MEET 127.0.0.1 {node.port} {bus}"
            assert self.nodes[0].ask(meet) == b"+OK\r\n"
        for node in self.replicas:
            self._replicate(node)
        until(self.is_whole)
        return self

    def _replicate(self, node: RedisServer) -> None:
        first = self.nodes[0].ask("CLUSTER MYID").splitlines()[1].decode()
        until(lambda: node.ask(f"CLUSTER REPLICATE {first}") == b"+OK\r\n")
        until(lambda: b"master_link_status:up" in node.ask("INFO replication"))

    def is_whole(self) -> bool:
        """Whether every node knows of all and of their slots."""
        return all(
            b"cluster_state:ok" in info
            and f"cluster_known_nodes:{len(self.nodes)}\r".encode() in info
            and b"cluster_slots_assigned:16384" in info
            for info in (node.ask("CLUSTER INFO") for node in self.nodes)
        )

    def node_of(self, key: str) -> RedisServer:
        """The primary that has this key."""
        slot = int(self.nodes[0].ask(f"CLUSTER KEYSLOT {key}")[1:])
        return self.primaries[slot * 3 // _SLOTS]

    def spoil(self, key: str) -> None:
        """Make a row unreadable, but not its header."""
        self.node_of(key).spoil(key)

    def stop(self) -> None:
        """Kill all."""
        for node in self.nodes:
            node.stop()


class Sentinel(RedisServer):
    """One process that watches ``primary``, another one's port.

    ``patience``: milliseconds until a silent primary is down. One whose is shorter than the others'
    stands for election first, so that no vote is split.
    """

    def __init__(self, folder: Path, *, port: int, primary: int, patience: int) -> None:
        super().__init__(folder, "--sentinel", port=port)
        watched = "sessions"
        lines = [
            f"sentinel monitor {watched} 127.0.0.1 {primary} 1",
            f"sentinel down-after-milliseconds {watched} {patience}",
            f"sentinel failover-timeout {watched} 1000",
        ]
        file = folder / "conf"  # which it keeps its own notes in
        file.write_text("\n".join(lines))
        self._command.insert(1, str(file))

    def _settings(self) -> list[str]:
        return ["--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket)]


# Its own periods are of seconds, which a test would spend waiting. Five pings have to take longer
# than a second: what it knows of a replica counts so long, and it asks so often.
_PERIODS = "INFO-PERIOD 100 PING-PERIOD 300 ASK-PERIOD 50 PUBLISH-PERIOD 50 ELECTION-TIMEOUT 500"


class SentinelTrio:
    """A primary, its replica, and three Sentinels that watch them."""

    def __init__(self, folder: Path) -> None:
        self.ports = free_ports(5)
        first, second = self.ports[3:]
        self.servers = [
            RedisServer(folder / "1", port=first),
            RedisServer(folder / "2", "--replicaof", f"127.0.0.1 {first}", port=second),
        ]
        self.primary, self.replica = self.servers
        self.sentinels = [
            Sentinel(folder / str(port), port=port, primary=first, patience=patience)
            for port, patience in zip(self.ports[:3], (500, 5000, 5000), strict=True)
        ]

    @property
    def url(self) -> str:
        """The Sentinels' addresses."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports[:3])
        return f"redis://{hosts}/0?sentinel=sessions"

    def start(self) -> Self:
        """Run all, and wait until the Sentinels know each other and the replica."""
        self.primary.start()
        self.replica.start()
        until(lambda: b"master_link_status:up" in self.replica.ask("INFO replication"))
        for sentinel in self.sentinels:
            sentinel.start()
            assert sentinel.ask(f"SENTINEL DEBUG {_PERIODS}") == b"+OK\r\n"
        until(
            lambda: all(b"slaves=1,sentinels=3" in s.ask("INFO sentinel") for s in self.sentinels)
        )
        return self

    def spoil(self, key: str) -> None:
        """Make a row unreadable, but not its header."""
        self.primary.spoil(key)

    def stop(self) -> None:
        """Kill all."""
        for server in (*self.sentinels, *self.servers):
            server.stop()
