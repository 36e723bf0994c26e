"""Each kind of server runs once a session, and only for tests that ask for it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from ._groups import ClusterOfThree, SentinelTrio
from ._servers import RedisServer, running

_PREFIXES = itertools.count()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests that do not break it."""
    with running(RedisServer(tmp_path_factory.mktemp("redis"))) as started:
        yield started


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The same, of Valkey."""
    with running(RedisServer(tmp_path_factory.mktemp("valkey"), kind="valkey")) as started:
        yield started


@pytest.fixture(scope="session")
def oldest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The same, of the oldest release that the store admits."""
    with running(RedisServer(tmp_path_factory.mktemp("oldest"), kind="redis-6.2")) as started:
        yield started


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterOfThree]:
    """One cluster for all tests that do not break it."""
    with running(ClusterOfThree(tmp_path_factory.mktemp("cluster"))) as started:
        yield started


@pytest.fixture(scope="session")
def sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelTrio]:
    """A primary and its Sentinels, for all tests that do not break them."""
    with running(SentinelTrio(tmp_path_factory.mktemp("sentinels"))) as started:
        yield started


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that the test may stop and start."""
    with running(RedisServer(tmp_path / "own")) as started:
        yield started


@pytest.fixture
def prefix() -> str:
    """Keys of this test's own."""
    return f"t{next(_PREFIXES)}:"


@pytest.fixture
def anyio_backend() -> str:
    """redis-py runs on asyncio only."""
    return "asyncio"
