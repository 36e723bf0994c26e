"""Each store that processes can share, running by itself: its URL, and all that lies in it."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.stores.postgres._server import PostgresServer, missing

PATIENCE = 30.0
"""Seconds until a process must listen."""


class Running(NamedTuple):
    """A store's URL, and what a thief of its file or of a dump would have.

    ``part``: what to append to the URL for rows of one's own; ``{}`` stands for their name.
    """

    url: str
    dump: Callable[[], bytes]
    part: str


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


@contextmanager
def sqlite(folder: Path) -> Iterator[Running]:
    """A file for each name."""

    def dump() -> bytes:
        return b"".join(path.read_bytes() for path in sorted(folder.glob("*.db*")))

    yield Running(f"sqlite:///{folder}/sessions", dump, "{}.db")


@contextmanager
def redis(folder: Path) -> Iterator[Running]:
    """A Redis server."""
    program = shutil.which("redis-server") or missing("Redis server", "redis-server")
    port, output = free_port(), folder / "redis.txt"
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--rdbcompression", "no"]
    with output.open("wb") as log:
        command = [program, *options, "--dir", folder]
        process = subprocess.Popen(command, stdout=log, stderr=log)

    def dump() -> bytes:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            client.sendall(b"SAVE\r\n")
            client.recv(100)
        return (folder / "dump.rdb").read_bytes()

    try:
        wait_for_port(process, port, output)
        yield Running(f"redis://127.0.0.1:{port}/0", dump, "?prefix={}:")
    finally:
        process.kill()
        process.wait()


@contextmanager
def postgres(_folder: Path) -> Iterator[Running]:
    """A PostgreSQL server; not in pytest's folder, which only its own user may enter."""
    with tempfile.TemporaryDirectory(prefix="sojourn-") as folder:
        Path(folder).chmod(0o755)
        with PostgresServer.made_in(Path(folder) / "p") as server:

            def dump() -> bytes:
                text = server.dump()
                values = re.findall(r"\\x([0-9a-f]+)", text)
                return text.encode() + b"\n".join(bytes.fromhex(value) for value in values)

            yield Running(f"{server.url}&create=true", dump, "&table={}")


SHARED = {"sqlite": sqlite, "redis": redis, "postgresql": postgres}
"""By the name in the URL."""
