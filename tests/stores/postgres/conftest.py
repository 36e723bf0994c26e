"""A real server on a socket in a folder of its own, stopped at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_SETTINGS = "-c listen_addresses='' -c fsync=off -c max_connections=60"


class PostgresServer:
    """A cluster of databases that can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # PostgreSQL refuses to run as root.
        self.user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self.user:
            shutil.chown(folder, "postgres")
        self._run(tool("initdb"), "-A", "trust", "-U", "sojourn", "--no-sync", "-D", self.data)

    @property
    def data(self) -> str:
        """Where it keeps its files."""
        return str(self.folder / "data")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"postgresql://sojourn@/postgres?host={self.folder}"

    def start(self) -> None:
        """Run it, and wait until it answers."""
        settings = f"{_SETTINGS} -k {self.folder}"
        log = str(self.folder / "log")
        self._run(tool("pg_ctl"), "-D", self.data, "-w", "-o", settings, "-l", log, "start")

    def stop(self) -> None:
        """Stop it at once, as a power cut would."""
        self._run(tool("pg_ctl"), "-D", self.data, "-m", "immediate", "stop")

    def _run(self, *command: str) -> None:
        subprocess.run([*self.user, *command], check=True, stdout=subprocess.DEVNULL)


def tool(name: str) -> str:
    """One of PostgreSQL's programs; skips, or fails where everything has to run, without it."""
    for place in _PLACES:
        if (place / name).exists():
            return str(place / name)
    reason = "no PostgreSQL server here: apt-get install postgresql"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    """One server for all tests."""
    # Not pytest's folder, which only its own user may enter.
    folder = Path(tempfile.mkdtemp(prefix="sojourn-"))
    running = PostgresServer(folder)
    running.start()
    yield running
    running.stop()
    shutil.rmtree(folder)


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that the test may stop and start."""
    folder = Path(tempfile.mkdtemp(prefix="sojourn-"))
    running = PostgresServer(folder)
    running.start()
    yield running
    running.stop()
    shutil.rmtree(folder)


@pytest.fixture
def anyio_backend() -> str:
    """Asyncpg runs on asyncio only."""
    return "asyncio"
