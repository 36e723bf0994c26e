"""Promise 38: what goes in comes out equal, or is refused with the key's name; corrupt rows."""

from __future__ import annotations

import copy
import datetime as dt
import math
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace

from sojourn import (
    CookieRejected,
    Rejection,
    SessionSealedError,
    SessionValueError,
    ValueDropped,
)
from sojourn._codec import DECODE_ERRORS, PLAIN
from sojourn._handle import draft_of
from sojourn._record import pack, unpack

from ._rows import NowaitRows
from ._site import Site, drive
from ._strategies import any_values, plain_values, states


@given(plain_values)
def test_promise_38_what_is_promised_comes_back(value: Any) -> None:
    """Every value of the promised types comes back equal."""
    assert value == PLAIN.decode("k", PLAIN.encode("k", value))


@given(any_values)
def test_promise_38_equal_or_refused(value: Any) -> None:
    """Any value whatever comes back equal, or is refused with the key's name."""
    try:
        raw = PLAIN.encode("the key", value)
    except SessionValueError as error:
        assert "'the key'" in str(error)  # noqa: PT017 - both ways are right
    else:
        assert value == PLAIN.decode("the key", raw)


def _deep() -> Any:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    return value


def _cyclic() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


REFUSED = {
    "tuple": (1, 2),
    "nested tuple": [(1, 2)],
    "set": {1},
    "nan": math.nan,
    "nested nan": [math.nan],
    "big": 2**64,
    "small": -(2**63) - 1,
    "surrogate": "\ud800",
    "nested surrogate key": {"\ud800": 1},
    "naive": dt.datetime(2026, 1, 1),  # noqa: DTZ001 - that is the point
    "object": object(),
    "cyclic": _cyclic(),
}


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED.keys())
def test_promise_38_refused_by_name(value: Any) -> None:
    """What would not come back equal is refused at once, by name and without the value."""
    session = Site(NowaitRows()).manager.open([])
    for change in (session.set, session.flash, lambda k, v: session.modify(k, lambda _: v)):
        with pytest.raises(SessionValueError, match="'the key'"):
            change("the key", value)
    assert not session


def test_deep_nesting_is_refused() -> None:
    """A value that is nested too deep is refused, not a crash."""
    with pytest.raises(SessionValueError, match="'deep'"):
        PLAIN.encode("deep", _deep())


@pytest.mark.parametrize("key", [1, None, b"k", ("k",), "\ud800"])
def test_a_key_that_cannot_be_stored_is_refused(key: Any) -> None:
    """A key that is no text, or no text that can be stored, is refused at once."""
    session = Site(NowaitRows()).manager.open([])
    for change in (session.set, session.flash, session.__setitem__):
        with pytest.raises(SessionValueError, match="keys"):
            change(key, 1)
    with pytest.raises(SessionValueError, match="keys"):
        session.modify(key, lambda _: 1)


@pytest.mark.parametrize("owner", ["", None, 42, "\ud800", "ann\0", "x" * 1025, "\U0001f600" * 257])
def test_an_owner_that_cannot_be_stored_is_refused(owner: Any) -> None:
    """An owner is a text that every store can keep and index (Symfony CVE-2016-4423)."""
    session = Site(NowaitRows()).manager.open([])
    with pytest.raises(SessionValueError, match="owner"):
        session.bind(owner)


@pytest.mark.parametrize("owner", ["x" * 1024, "\U0001f600" * 256])
def test_an_owner_may_have_1024_bytes(owner: str) -> None:
    """The bound is one of bytes, and is itself allowed."""
    session = Site(NowaitRows()).manager.open([])
    session.bind(owner)
    assert owner == session.owner


@given(st.binary(max_size=60))
def test_decoding_any_bytes_raises_what_is_expected(data: bytes) -> None:
    """Bytes that are no value raise one of DECODE_ERRORS."""
    with suppress(*DECODE_ERRORS):
        PLAIN.decode("k", Raw(data))


def test_a_length_bomb_and_a_deep_bomb_are_decode_errors() -> None:
    """Declared lengths and nesting of a corrupt row cost nothing."""
    for bomb in (b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\x91" * 200_000):
        with pytest.raises(DECODE_ERRORS):
            PLAIN.decode("k", Raw(bomb))


@given(states())
def test_a_record_holds_the_whole_state(state: Any) -> None:
    """What is packed is unpacked equal."""
    site = Site(NowaitRows())
    drive(site.visitor(a=1))
    record = replace(
        site.row,
        id=state.id,
        version=state.version,
        created_at=state.created_at,
        expires_at=state.expires_at,
        owner=state.owner,
    )
    assert state == unpack(record, pack(state))


def test_a_newer_format_is_absent() -> None:
    """A payload of a newer version counts as absent and stays in its row."""
    site = Site(NowaitRows())
    browser = drive(site.visitor(a=1))
    fields = msgspec.msgpack.decode(site.row.payload)
    newer = replace(site.row, payload=msgspec.msgpack.encode([2, *fields[1:]]))
    site.store.rows[newer.id] = newer
    assert {} == drive(browser.sees())
    assert newer is site.row
    assert [CookieRejected(reason=Rejection.UNREADABLE)] == site.events


def _work(site: Site, browser: Any) -> None:
    """A request that does everything with its session."""
    session = drive(browser.load())
    dict(session.items())
    for key in list(session):
        session.get(key)
    session.keep()
    session["list"] = [1]
    session.modify("count", lambda value: value if isinstance(value, int) else 0, 0)
    session.forget("text")
    drive(browser.commit(session))


def _visited() -> tuple[Site, Any]:
    site = Site(NowaitRows())
    browser = drive(site.visitor(count=1, text="häß", list=[{"a": [1.5, None]}], when=WHEN))
    session = drive(browser.load())
    session.flash("note", "hello")
    drive(browser.commit(session))
    return site, browser


WHEN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def test_promise_34_a_corrupt_row_at_every_byte() -> None:
    """A row that is cut or changed at any byte gives an absent session or drops a value."""
    site, browser = _visited()
    good = site.row
    damaged = [good.payload[:at] for at in range(len(good.payload))]
    for at, byte in enumerate(good.payload):
        before, after = good.payload[:at], good.payload[at + 1 :]
        damaged += [before + bytes([byte ^ flip]) + after for flip in (0x01, 0x40, 0x80, 0xFF)]
    for payload in damaged:
        site.store.rows = {good.id: replace(good, payload=payload)}
        _work(site, browser.copy())


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=80))
def test_promise_34_any_bytes_as_a_value(data: bytes) -> None:
    """Whatever lies in a row under a key, a handler never sees an exception."""
    site, browser = _visited()
    fields = msgspec.msgpack.decode(site.row.payload)
    payload = msgspec.msgpack.encode([*fields[:4], Raw(b"\x81\xa5count" + data)])
    site.store.rows[site.row.id] = replace(site.row, payload=payload)
    _work(site, browser)


def test_promise_34_a_dropped_value_is_told_once_and_counts_as_missing() -> None:
    """A value that cannot be read is missing for get, [] and modify; an event names it."""
    site, browser = _visited()
    fields = msgspec.msgpack.decode(site.row.payload)
    payload = msgspec.msgpack.encode([*fields[:3], [], {"count": Raw(b"\xa1\xff")}])
    site.store.rows[site.row.id] = replace(site.row, payload=payload)
    site.events.clear()
    session = drive(browser.load())
    assert "fallback" == session.get("count", "fallback")
    assert [ValueDropped(id=site.row.id, key="count")] == site.events
    assert 8 == session.modify("count", lambda value: value + 1, 7)
    drive(browser.commit(session))
    assert {"count": 8} == drive(browser.sees())


_few = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2) | st.lists(st.integers(0, 2)))


@given(_few, st.lists(st.sampled_from("abc")), _few, st.booleans())
def test_update_is_setting_one_by_one(
    before: dict[str, Any], looked_at: list[str], values: dict[str, Any], is_flash: bool
) -> None:
    """``update`` does what setting each key does, whatever was handed out or changed before."""
    seen: list[dict[str, Any]] = []
    for one_by_one in (True, False):
        session = Site(NowaitRows()).manager.open([])
        for key, value in copy.deepcopy(before).items():
            (session.flash if is_flash else session.set)(key, value)
        lists = [v for key in looked_at if isinstance(v := session.peek(key), list)]
        fresh = copy.deepcopy(values)
        if one_by_one:
            for key, value in fresh.items():
                session[key] = value
        else:
            session.update(fresh)
        for value in [*lists, *fresh.values()]:
            if isinstance(value, list):
                value.append("later")
        state = draft_of(session).state()
        draft_of(session).flush()
        seen.append({k: (session.peek(k), k in state.flash) for k in session})
    assert seen[0] == seen[1]


def test_update_sets_all_or_none() -> None:
    """If one of the values is refused, no key is set; a sealed handle takes none."""
    manager = Site(NowaitRows()).manager
    session = manager.open([])
    with pytest.raises(SessionValueError, match="bad"):
        session.update(good=1, bad=object())
    with pytest.raises(SessionValueError, match="bad"):
        session.update(good=1, bad=(1, 2))
    with pytest.raises(SessionValueError, match="keys"):
        session.update({"good": 1, 2: "bad"})
    assert {} == dict(session)
    drive(manager.commit(session))
    with pytest.raises(SessionSealedError):
        session.update(good=1)
