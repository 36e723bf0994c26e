"""The URL: what it is refused for, and that no message tells its password."""

import asyncio

import pytest
import trio

from sojourn import ConfigurationError, StoreUnavailableError
from sojourn_postgres import open_store

from ._rows import NOBODY, NOW, opened

pytestmark = pytest.mark.anyio


async def test_trio_is_refused():
    """On trio the store says at its opening that it runs on asyncio."""
    store = open_store("postgresql://u@127.0.0.1:1/x?deadline=1", None)
    with pytest.raises(ConfigurationError, match="runs on asyncio"):
        await asyncio.to_thread(trio.run, store.aopen)


async def test_passwords(server):
    """A wrong password is an error that says so, without it; the right one works."""
    server.sql("DROP ROLE IF EXISTS app; CREATE ROLE app LOGIN PASSWORD 'right'")
    server.sql("GRANT ALL ON SCHEMA public TO app")
    url = server.url.replace("sojourn@", "app:{}@")
    store = open_store(url.format("hunter2"), None)
    with pytest.raises(StoreUnavailableError, match="refused our user or password") as caught:
        await store.aopen()
    assert "hunter2" not in str(caught.value)
    async with opened(url.format("right")) as store:
        assert await store.load(NOBODY, now=NOW) is None


URLS = (
    "postgresql://u:hunter2@127.0.0.1:1/x",
    "postgresql://u:hunter2@127.0.0.1:1,[::1]:1/x",
    "postgresql://u:hunter2@/x?host=/no/where,/nor/here",
    "postgresql://u:hunter2,@host:1@x:1/x",
    "postgresql://u:/hunter2@127.0.0.1:1/x",
    "postgresql://u:[hunter2@127.0.0.1:1/x",
    "postgresql://u:hunter2@127.0.0.1:port/x",
    "postgresql://u:hunter2@127.0.0.1:1/x?target_session_attrs=hunter2",
    "postgresql://u:hunter2@127.0.0.1:1/x?deadline=hunter2",
    "postgresql://u:hunter2@127.0.0.1:1/x?table=hunter2'",
    "postgresql://u:hunter2@127.0.0.1:1/x?sslmode=hunter2",
)


@pytest.mark.parametrize("url", URLS)
async def test_no_password(url):
    """Whatever is wrong with a URL, no message holds its password."""
    with pytest.raises((ConfigurationError, StoreUnavailableError)) as caught:
        await open_store(url, None).aopen()
    assert "hunter2" not in str(caught.value)
    assert isinstance(caught.value, StoreUnavailableError) or caught.value.__cause__ is None


@pytest.mark.parametrize("option", ["deadline=0", "deadline=nan", "deadline=inf", "deadline=-1"])
def test_senseless_deadlines(option):
    """A deadline that is none is refused."""
    with pytest.raises(ConfigurationError, match="above 0"):
        open_store(f"postgresql://u@a/x?{option}", None)


@pytest.mark.parametrize(
    "option",
    ["max_connections=0", "max_connections=many", "create=yes", "prepare=1", "deadline=soon"],
)
def test_senseless_options(option):
    """An option of ours with another value than it can have is refused, by its name."""
    with pytest.raises(ConfigurationError, match=option.partition("=")[0]):
        open_store(f"postgresql://u@a/x?{option}", None)


async def test_an_option_that_nobody_knows(server):
    """A misspelt option is told as what it is."""
    store = open_store(f"{server.url}&tabel=x", None)
    with pytest.raises(StoreUnavailableError, match="does not know an option"):
        await store.aopen()


async def test_options_for_the_server(server):
    """What is not ours goes to the driver and the server."""
    async with opened(f"{server.url}&application_name=our%20shop") as store:
        ((name,),) = await store._fetch("SHOW application_name")
        assert "our shop" == name
