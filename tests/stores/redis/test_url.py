"""The forms of a URL: what they mean, and what they refuse."""

import subprocess

import pytest

from sojourn import ConfigurationError, StoreUnavailableError
from sojourn_redis import RedisStore, open_store

from ._rows import NOW, new, using
from ._servers import RedisServer, free_ports, running

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "url",
    [
        "redis://user:hunter2@host:port/0",
        "redis://user:hunter2@host/0?cluster=true&no_such_option=1",
        "redis://user:hunter2@host/0?no_such_option=1",
        "redis://user:hunter2@one,two/0?sentinel=sessions&no_such_option=1",
        "redis://user:hunter2@host/0?deadline=soon",
        "redis://user:hunter2@host/0?replicas=some",
        "redis://user:hunter2@host/0?replicas=-1",
        "redis://user:hunter2@host/0?deadline=0",
        "redis://user:hunter2@one,two:port/0?sentinel=sessions",
        "redis://user:hunter2@host/0?decode_responses=true",
    ],
)
def test_refused(url):
    """What a URL cannot mean is refused at once, without its password in the message."""
    with pytest.raises(ConfigurationError) as caught:
        open_store(url, None)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("hosts", ["one", "one:1,two", "[::1]:1,[::2]:2", "one,[::1]:26380"])
def test_sentinels(hosts):
    """Any number of Sentinels may be named, by name or by address."""
    assert isinstance(open_store(f"redis://u:p@{hosts}/0?sentinel=sessions", None), RedisStore)


@pytest.mark.parametrize("scheme", ["redis", "valkey"])
async def test_password_and_database(tmp_path, scheme):
    """User, password and database of a URL are used; Valkey's schemes mean the same."""
    (port,) = free_ports(1)
    with running(RedisServer(tmp_path / "own", port=port)) as server:
        server.ask("ACL SETUSER app on >p%40ss ~* +@all".replace("%40", "@"))
        row = new()
        async with using(f"{scheme}://app:p%40ss@127.0.0.1:{port}/3", deadline=20) as store:
            assert await store.create(row)
        assert b"db3:keys=1" in server.ask("INFO keyspace")
        server.ask("CONFIG SET requirepass secret")
        async with using(f"{scheme}://:secret@127.0.0.1:{port}/3", deadline=20) as store:
            assert row == await store.load(row.id, now=NOW)
        async with using(f"{scheme}://127.0.0.1:{port}/3", deadline=20) as store:
            with pytest.raises(StoreUnavailableError, match="password"):
                await store.load(row.id, now=NOW)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that only itself vouches for, beside its key."""
    folder = tmp_path_factory.mktemp("tls")
    made = folder / "certificate"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    files = ["-nodes", "-days", "1", "-keyout", str(folder / "key"), "-out", str(made)]
    subprocess.run([*make, *files, *subject], check=True, capture_output=True)
    return made


@pytest.mark.parametrize("scheme", ["rediss", "valkeys"])
async def test_tls(tmp_path, certificate, scheme):
    """TLS is checked: a certificate that nobody vouches for is an error."""
    (port,) = free_ports(1)
    options = ["--tls-port", str(port), "--tls-cert-file", str(certificate)]
    options += ["--tls-key-file", str(certificate.with_name("key")), "--tls-auth-clients", "no"]
    with running(RedisServer(tmp_path / "own", *options)):
        url = f"{scheme}://127.0.0.1:{port}/0"
        async with using(url, deadline=20, ssl_ca_certs=certificate) as store:
            assert await store.create(new())
        async with using(url, deadline=20) as store:
            with pytest.raises(StoreUnavailableError, match="cannot be reached"):
                await store.create(new())


async def test_options_of_sentinels(sentinels):
    """What remains of a Sentinel's URL is used for the connection to the primary."""
    url = sentinels.url.replace("/0?", "/5?")
    row = new()
    async with using(url, deadline=20, prefix="five:") as store:
        assert await store.create(row)
    assert b"db5:keys=" in sentinels.primary.ask("INFO keyspace")


async def test_own_client(server, prefix):
    """A client of the application's own says how to connect, and is not closed with the store."""
    from redis.asyncio import Redis

    async with Redis(unix_socket_path=str(server.socket)) as client:
        store = RedisStore(client, prefix=prefix, deadline=20)
        row = new()
        assert await store.create(row)
        await store.aclose()
        assert await client.exists(f"{prefix}{row.id}") == 1
