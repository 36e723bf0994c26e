import logging

import pytest

import sojourn_memory._store as module
from sojourn import (
    ConfigurationError,
    CookieOptions,
    Policy,
    Record,
    SessionManager,
    StoreContext,
    Timeouts,
)
from sojourn_memory import MemoryStore, open_store


@pytest.fixture
def context():
    """What a manager with default settings gives a factory."""
    return StoreContext(CookieOptions(), None, Policy.of(Timeouts()), bytes)


def test_the_url_makes_a_store_through_its_entry_point():
    """SessionManager("memory://") finds the store by its scheme, and it loads without waiting."""
    manager = SessionManager("memory://?max_sessions=7", sweep_every=None)
    assert manager._settings.backend.lazy
    assert manager.is_one_process


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_the_bound_is_an_option_of_the_url(anyio_backend, context):
    """max_sessions in the URL bounds the store."""
    store = open_store("memory://?max_sessions=2", context)
    for n in range(5):
        assert await store.create(Record(f"{n:032x}", b"h" * 32, b"", 1, 0.0, 100.0))
    assert len(store) == 2


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("memory://?max_session=5", "max_session="),
        ("memory://?max_sessions=5&ttl=1", "ttl="),
        ("memory://?max_sessions=many", "max_sessions"),
        ("memory://?max_sessions=", "max_sessions"),
        ("memory://?max_sessions=-5", "max_sessions"),
        ("memory://?max_sessions=5&max_sessions=6", "max_sessions"),
        ("memory://?max_sessions=0", "max_sessions"),
        ("memory://localhost", "no host"),
        ("memory:///sessions", "no path"),
        ("memory://#x", "memory://"),
    ],
)
def test_what_the_url_does_not_mean_is_refused(url, named):
    """An option that does not exist, or a value that it cannot have, is named in the error."""
    with pytest.raises(ConfigurationError, match=named):
        SessionManager(url)


def test_an_error_hides_the_password_of_a_url(context):
    """No part of a URL but an option's name gets into a message."""
    with pytest.raises(ConfigurationError) as refused:
        open_store("memory://user:hunter2@host/?max_sessions=hunter2", context)
    assert "hunter2" not in str(refused.value)


def test_a_store_shows_no_row():
    """Its repr tells the number of rows and nothing of them."""
    assert repr(MemoryStore()) == "<MemoryStore of 0 rows>"


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_one_warning_per_process(anyio_backend, caplog, monkeypatch):
    """The first opening in a process warns that rows stay in it; later ones are silent."""
    monkeypatch.setattr(module, "_said", [])
    for _ in range(2):
        async with SessionManager("memory://", sweep_every=None):
            pass
    told = [record for record in caplog.records if "in this process" in record.getMessage()]
    assert [(record.name, record.levelno) for record in told] == [("sojourn", logging.WARNING)]


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_rows_outlive_the_lifespan(anyio_backend):
    """A test client that starts and stops the application finds the same sessions."""
    manager = SessionManager(MemoryStore(), sweep_every=None)
    async with manager:
        session = manager.open([])
        session.bind("user:1")
        await manager.commit(session)
    async with manager:
        assert [info.id for info in await manager.sessions_of("user:1")] == [session.id]
