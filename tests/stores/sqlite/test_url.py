import pytest

from sojourn import (
    ConfigurationError,
    CookieOptions,
    Policy,
    SessionManager,
    StoreContext,
    Timeouts,
)
from sojourn_sqlite import SQLiteStore, open_store


@pytest.fixture
def context():
    """What a manager with default settings gives a factory."""
    return StoreContext(CookieOptions(), None, Policy.of(Timeouts()), bytes)


def test_three_slashes_are_relative(context, tmp_path, monkeypatch):
    """A relative path counts from the working directory of the moment; nothing is opened."""
    monkeypatch.chdir(tmp_path)
    assert open_store("sqlite:///a%20b.db", context).path == tmp_path / "a b.db"
    assert list(tmp_path.iterdir()) == []


def test_four_slashes_are_absolute(context):
    """sqlite:////absolute.db is a path from the root."""
    assert str(open_store("sqlite:////srv/sessions.db", context).path) == "/srv/sessions.db"


def test_the_options_are_those_of_the_store(context):
    """reads=thread takes load_nowait away, so sessions are loaded before the handler."""
    assert hasattr(open_store("sqlite:///a.db", context), "load_nowait")
    assert not hasattr(
        open_store("sqlite:///a.db?durability=normal&reads=thread", context), "load_nowait"
    )


def test_the_url_makes_a_store_through_its_entry_point():
    """SessionManager("sqlite:///...") finds the store, which is for several processes."""
    assert not SessionManager("sqlite:///a.db", sweep_every=None).is_one_process


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("sqlite://", "sqlite:///relative.db"),
        ("sqlite:///", "sqlite:///relative.db"),
        ("sqlite://host/a.db", "without a host"),
        ("sqlite:///a.db#x", "relative.db"),
        ("sqlite:///a%00.db", "relative.db"),
        ("sqlite:///folder/", "relative.db"),
        ("sqlite:///:memory:", "memory://"),
        ("sqlite:///a.db?mode=ro", "mode="),
        ("sqlite:///a.db?durability=off", "durability"),
        ("sqlite:///a.db?durability=", "durability"),
        ("sqlite:///a.db?reads=inline&reads=thread", "reads"),
    ],
)
def test_what_the_url_does_not_mean_is_refused(url, named, context):
    """An option that does not exist, or a value that it cannot have, is named in the error."""
    with pytest.raises(ConfigurationError, match=named):
        open_store(url, context)


def test_an_error_hides_the_password_of_a_url(context):
    """No part of a URL but an option's name gets into a message."""
    with pytest.raises(ConfigurationError) as refused:
        open_store("sqlite://user:hunter2@host/hunter2?reads=hunter2", context)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [
        {"durability": "off"},
        {"reads": "loop"},
        {"deadline": 0},
        {"deadline": float("nan")},
        {"deadline": float("inf")},
    ],
)
def test_options_are_checked(options, tmp_path):
    """A value that an option cannot have is refused when the store is made."""
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        SQLiteStore(tmp_path / "a.db", **options)
