"""The suite that every store has to pass, on real servers of each kind."""

import anyio.to_thread
import pytest

from sojourn.testing import StoreTests
from sojourn.testing._machine import run_visits
from sojourn_redis import open_store


class OnServers(StoreTests):
    """Supply ``servers``: what has a ``url`` and can ``spoil`` a row."""

    shares_rows = True

    @pytest.fixture
    def anyio_backend(self):
        """redis-py runs on asyncio only."""
        return "asyncio"

    @pytest.fixture
    def make_store(self, servers, prefix):
        """Stores over this test's keys."""
        joint = "&" if "?" in servers.url else "?"
        return lambda: open_store(f"{servers.url}{joint}prefix={prefix}&deadline=20", None)

    @pytest.fixture
    def corrupt(self, servers, prefix):
        """Spoils a row, but not its header."""

        async def corrupt(id):
            servers.spoil(f"{prefix}{id}")

        return corrupt


class TestRedis(OnServers):
    @pytest.fixture
    def servers(self, server):
        """One Redis server."""
        return server


class Briefly(OnServers):
    """The same suite with fewer walks of the machine, whose subject is not the server."""

    async def test_any_sequence_of_visits(self, make_store):
        """Whatever browsers, owners, time and the sweeper do, the store agrees with the model."""
        await anyio.to_thread.run_sync(lambda: run_visits(make_store, examples=5))

    @pytest.mark.soak
    async def test_long_sequences_of_visits(self, make_store):
        """The same for as many walks as the suite makes."""
        await anyio.to_thread.run_sync(lambda: run_visits(make_store))


class TestValkey(Briefly):
    @pytest.fixture
    def servers(self, valkey):
        """One Valkey server."""
        return valkey


class TestOldest(Briefly):
    @pytest.fixture
    def servers(self, oldest):
        """One server of the oldest release."""
        return oldest


class TestCluster(Briefly):
    @pytest.fixture
    def servers(self, cluster):
        """Three servers, each with a part of the keys."""
        return cluster


class TestSentinel(Briefly):
    @pytest.fixture
    def servers(self, sentinels):
        """A primary, found by its Sentinels."""
        return sentinels
