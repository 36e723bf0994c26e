"""What seldom happens, and must be right when it does."""

from __future__ import annotations

import pytest

from sojourn import (
    ConfigurationError,
    SessionManager,
    SessionValueError,
    StoreUnavailableError,
    Timeouts,
)
from sojourn._refreshing import load
from sojourn._token import Token, parse, spell

from ._rows import NowaitRows, Rows
from ._site import Site

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("on_store_error", "anonymus"),
        ("on_invalid_value", "ignore"),
        ("deadline", 0),
        ("max_bytes", -1),
        ("sweep_every", "60"),
        ("deadline", None),
        ("max_bytes", None),
        ("cache_control", "no-store\r\nSet-Cookie: a=b"),
        ("cache_control", "\u00e9"),
        ("cache_control", ""),
        ("cache_control", True),
        ("timeouts", 1800),
        ("timeouts", Timeouts),
        ("cookie", {"secure": False}),
        ("cookie", "session"),
        ("keys", 7),
        ("keys", [None]),
        ("keys", [32]),
        ("clock", 1_800_000_000.0),
        ("entropy", None),
        ("on_event", "log"),
    ],
)
def test_an_option_that_would_fail_later_is_refused(option: str, value: object) -> None:
    """A wrong type, a typo or a senseless number is refused at start-up, by the option's name."""
    with pytest.raises(ConfigurationError, match=rf"(?i){option[:3]}"):
        SessionManager(NowaitRows(), **{option: value})  # type: ignore[arg-type]


def test_padding_is_no_token() -> None:
    """64 characters that hold padding are fewer bytes than a token has."""
    assert parse(b"A" * 62 + b"==") is None


def test_access_by_id_has_no_cookie() -> None:
    """A session that was reached by its public id spells no cookie value."""
    assert spell(Token("0" * 32, None)) == ""


def test_an_owner_is_text_that_can_be_stored() -> None:
    """A lone surrogate in an owner is refused at once, not by a store later."""
    session = Site(NowaitRows()).manager.open([])
    with pytest.raises(SessionValueError):
        session.bind("ann\ud800")
    session.bind("J\u00fcrgen")
    assert session.owner == "J\u00fcrgen"


def test_a_default_that_cannot_be_stored_reaches_the_function() -> None:
    """``modify`` hands out a default that no store could keep; only the result has to be kept."""
    session = Site(NowaitRows()).manager.open([])
    assert session.modify("n", len, default={1, 2}) == 2


async def test_a_store_at_hand_that_is_down_gives_an_empty_session() -> None:
    """With on_store_error="anonymous", a store that fails at the first touch looks empty."""
    site = Site(NowaitRows(), on_store_error="anonymous")
    browser = await site.visitor(n=1)
    site.store.failing["load"] = StoreUnavailableError("down")
    session = site.manager.open(browser.headers)
    assert dict(session.items()) == {}
    with pytest.raises(StoreUnavailableError):
        session["n"] = 2


async def test_the_luckier_of_two_loads_wins() -> None:
    """If one of two loads of a request fails after the other succeeded, the session stays."""
    site = Site(Rows(), on_store_error="anonymous")
    browser = await site.visitor(n=1)
    session = site.manager.open(browser.headers)

    async def another() -> None:
        await load(session._draft)
        site.store.failing["load"] = StoreUnavailableError("down")

    site.store.meanwhile["load"] = another
    await session.load()
    assert session["n"] == 1


async def test_a_load_without_a_look_writes_nothing() -> None:
    """``load`` is no look: an explicit commit after it neither extends nor writes."""
    site = Site(NowaitRows())
    browser = await site.visitor(n=1)
    before = site.row
    site.clock.now += 600
    session = site.manager.open(browser.headers)
    await session.load()
    await session.commit()
    assert site.row is before
