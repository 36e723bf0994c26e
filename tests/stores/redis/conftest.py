"""Real servers, each on a socket in a folder of its own, stopped at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE = 10.0
"""Seconds until a server must answer."""


class RedisServer:
    """A redis-server (or valkey-server) that can be stopped and started again."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.program = shutil.which("valkey-server") or shutil.which("redis-server")
        if self.program is None:
            missing()
        self.folder = folder
        self.options = options
        self.socket = folder / "s"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Run it, and wait until it answers."""
        command = [str(self.program), "--port", "0", "--unixsocket", str(self.socket)]
        files = ["--dir", str(self.folder), "--save", "", "--appendonly", "no"]
        with (self.folder / "log").open("ab") as log:
            everything = [*command, *files, *self.options]
            self.process = subprocess.Popen(everything, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE
        while b"+PONG" not in self.ask(b"PING\r\n"):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0)

    def ask(self, command: bytes) -> bytes:
        """What it answers, "" if nobody is there."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            try:
                connection.connect(str(self.socket))
                connection.sendall(command)
                return connection.recv(1 << 16)
            except OSError:
                return b""

    def stop(self) -> None:
        """Kill it, as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.socket.unlink(missing_ok=True)


def missing() -> None:
    """No server is installed: skip, or fail where everything has to run."""
    reason = "no redis-server here: apt-get install redis-server"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests that do not break it."""
    running = RedisServer(tmp_path_factory.mktemp("redis"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that the test may stop and start."""
    running = RedisServer(tmp_path)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def anyio_backend() -> str:
    """redis-py runs on asyncio only."""
    return "asyncio"
