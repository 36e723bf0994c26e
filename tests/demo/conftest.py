"""The login demos as processes of their own, in front of real stores."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import pytest
from tests.stores.postgres._server import PostgresServer, missing

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE = 30.0


class Demo:
    """A server process: its address, and the process to kill."""

    def __init__(self, framework: str, store: str, keys: str, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        settings = {"HOST": "127.0.0.1", "PORT": str(port)}
        settings |= {"SOJOURN_STORE": store, "SOJOURN_KEYS": keys}
        with (folder / f"{framework}.txt").open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, EXAMPLES / f"login_{framework}.py"],
                cwd=folder,
                env=os.environ | settings,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._port, self._output = port, Path(output.name)

    def wait(self) -> None:
        """Wait until it answers."""
        wait_for_port(self.process, self._port, self._output)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for_port(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    """Wait until somebody listens there; fails with the output if the process ends before."""
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    pytest.fail(f"it does not answer:\n{output.read_text()}")


# Stores: each gives a URL that any process on this machine can use.


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    """A file."""
    yield f"sqlite:///{folder}/sessions.db"


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis server of our own."""
    program = shutil.which("redis-server") or missing("Redis server", "redis-server")
    port, output = free_port(), folder / "redis.txt"
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    with output.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for_port(process, port, output)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


@contextmanager
def postgres(_folder: Path) -> Iterator[str]:
    """A PostgreSQL server of our own; not in pytest's folder, which only its user may enter."""
    with tempfile.TemporaryDirectory(prefix="sojourn-") as folder:
        Path(folder).chmod(0o755)
        with PostgresServer.made_in(Path(folder) / "p") as server:
            yield f"{server.url}&create=true"


Pair = Callable[[], tuple[Demo, Demo]]

PAIRS = {
    "sqlite": (sqlite, "asgi", "quart"),
    "redis": (redis, "litestar", "aiohttp"),
    "postgresql": (postgres, "sanic", "litestar"),
}
"""Each store with two demos, which differ, because the cookie is one and the same."""


@pytest.fixture(scope="module", params=PAIRS)
def demos(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Demo, Demo]]:
    """Two server processes on one store."""
    store, *frameworks = PAIRS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    keys = urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    with ExitStack() as stack:
        url = stack.enter_context(store(folder))
        one, two = (
            stack.enter_context(Demo(framework, url, keys, folder)) for framework in frameworks
        )
        one.wait()
        two.wait()
        yield one, two
