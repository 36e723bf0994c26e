"""Real servers, each on a socket in a folder of its own, stopped at the end."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.stores._proxy import Proxy

from ._server import PgBouncer, PostgresServer


@pytest.fixture(scope="session")
def folders() -> Iterator[Path]:
    """Where servers live. Not pytest's folder, which only its own user may enter."""
    # In memory if there is room: to delete thousands of files can take longer than the tests.
    memory = Path("/dev/shm")  # noqa: S108 - a new folder in it
    is_roomy = memory.is_dir() and shutil.disk_usage(memory).free > 2 << 30
    with tempfile.TemporaryDirectory(prefix="sojourn-", dir=memory if is_roomy else None) as folder:
        place = Path(folder)
        place.chmod(0o755)
        yield place


_numbers = itertools.count()


def new_folder(folders: Path) -> Path:
    """A place that no other server has. Short: a socket's name may have 107 bytes."""
    return folders / str(next(_numbers))


@pytest.fixture(scope="session")
def template(folders: Path) -> PostgresServer:
    """A server that was never started, for copies: to make one takes a second or two."""
    return PostgresServer.made_in(folders / "t")


@pytest.fixture(scope="session")
def server(template: PostgresServer, folders: Path) -> Iterator[PostgresServer]:
    """One server for all tests that do not break it."""
    with template.copied_to(folders / "s") as running:
        yield running


@pytest.fixture
def own_server(template: PostgresServer, folders: Path) -> Iterator[PostgresServer]:
    """A server that the test may stop and start."""
    folder = new_folder(folders)
    with template.copied_to(folder) as running:
        yield running
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def pgbouncer(server: PostgresServer, folders: Path) -> Iterator[PgBouncer]:
    """PgBouncer in transaction mode in front of the server."""
    with PgBouncer(folders / "b", server) as running:
        yield running


@pytest.fixture
def proxy(server: PostgresServer) -> Iterator[Proxy]:
    """What stands between a test's store and the server."""
    with Proxy(server.socket) as proxy:
        yield proxy


@pytest.fixture
def anyio_backend() -> str:
    """Asyncpg runs on asyncio only."""
    return "asyncio"
