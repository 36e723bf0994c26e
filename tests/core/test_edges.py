"""The edges that random examples seldom hit; each was a mutant that nobody had noticed."""

from __future__ import annotations

import base64
from types import MappingProxyType
from typing import Any

import pytest
from msgspec import Raw, msgpack

from sojourn import (
    Bind,
    Clear,
    ConfigurationError,
    CookieOptions,
    KeyRing,
    Modify,
    Policy,
    Put,
    Rotate,
    SessionState,
    SessionValueError,
    Timeouts,
    Touch,
    Transition,
    Unsealed,
    apply,
    apply_headers,
    compact,
    joined,
)
from sojourn._codec import PLAIN, checked_key, same_bytes
from sojourn._cookies import MAX_CANDIDATES, read
from sojourn._token import is_id, same_hash

NONE = Raw(msgpack.encode(None))


def state(**data: Any) -> SessionState:
    """A stored session with these values."""
    values = MappingProxyType({key: Raw(msgpack.encode(value)) for key, value in data.items()})
    return SessionState("0" * 32, 1, 0.0, 0.0, 1000.0, data=values)


# Timeouts


def test_a_renewal_is_due_at_the_very_second() -> None:
    """At ``rotate_after`` the secret is old, and a moment before it is not."""
    policy = Policy.of(Timeouts(rotate_after=600))
    assert [False, True] == [policy.renewal_due(0, now) for now in (599.9, 600)]


def test_no_grace_is_none() -> None:
    """A grace of 0 seconds is not replaced by another one."""
    assert 0 == Policy.of(Timeouts(grace=0)).grace


@pytest.mark.parametrize(
    ("option", "value", "bound"),
    [("idle", 0, "above 0"), ("grace", -1, "0 or more"), ("extend_after", "x", "0 or more")],
)
def test_the_message_names_the_bound(option: str, value: Any, bound: str) -> None:
    """What is refused is refused with the bound that holds for it."""
    with pytest.raises(ConfigurationError, match=rf"{option}=.*, {bound}$"):
        Timeouts(**{option: value})


# Transitions


@pytest.mark.parametrize(
    "transition", [Touch(1000.0), Modify("a", lambda a: a), Put("a", Raw(msgpack.encode(1)))]
)
def test_the_same_again_is_no_change(transition: Transition) -> None:
    """The deadline, the result and the value that are there already give the very same state."""
    before = state(a=1)
    assert apply(before, transition, 5.0) is before


def test_clearing_nothing_is_no_change() -> None:
    """A session without values is the very same after ``Clear``."""
    assert apply(before := state(), Clear(), 5.0) is before


def test_compact_leaves_one_clear_and_all_before_it_that_counts() -> None:
    """Of two Clears the later one stays, with what no Clear makes pointless."""
    patch = [Rotate(), Put("a", NONE), Clear(), Put("a", NONE), Clear(), Bind("ann")]
    assert (Rotate(), Clear(), Bind("ann")) == compact(patch)


class Naming:
    """A codec that wants to know for which key it works, as a model's does."""

    def encode(self, key: str, value: object) -> Raw:
        """See ``ValueCodec``."""
        assert key == "count"
        return PLAIN.encode(key, value)

    def decode(self, key: str, raw: Raw) -> Any:
        """See ``ValueCodec``."""
        assert key == "count"
        return PLAIN.decode(key, raw)


@pytest.mark.parametrize("before", [state(), state(count=[1])], ids=["default", "value"])
def test_modify_asks_the_codec_by_key(before: SessionState) -> None:
    """Value and default go through the codec of their key, and the default stays as it was."""
    default: list[int] = [1]

    def grow(found: list[int]) -> list[int]:
        found.append(2)
        return found

    after = apply(before, Modify("count", grow, default, Naming()), 5.0)
    assert [1, 2] == msgpack.decode(after.data["count"])
    assert [1] == default


# Values


def test_refusals_name_the_type() -> None:
    """A key or value of a wrong type is told its type, and not its value."""
    with pytest.raises(SessionValueError, match=r"keys are str, not int$"):
        checked_key(1)
    with pytest.raises(SessionValueError, match=r"session\['a'\] = <complex>: "):
        PLAIN.encode("a", 1j)


def test_a_key_may_be_any_text() -> None:
    """A key beyond ASCII is a key."""
    assert "größe" == checked_key("größe")


def test_what_cannot_be_encoded_any_more_has_changed() -> None:
    """A value that somebody spoilt after it was read counts as changed, so that it is refused."""
    assert not same_bytes([object()], NONE)
    assert same_bytes(None, NONE)


# Keys and tokens

BYTES = bytes(range(0xE0, 0x100))  # spelt with both "-" and "_"
TEXT = base64.urlsafe_b64encode(BYTES).decode().rstrip("=")


def test_both_alphabets_spell_the_same_key() -> None:
    """A key's text in either alphabet of base64 is the key."""
    assert "-" in TEXT
    assert "_" in TEXT
    sealed = KeyRing(BYTES).box("a").seal(b"hello", nonce=bytes(24))
    for spelling in (TEXT, base64.b64encode(BYTES).decode()):
        assert Unsealed(b"hello", stale=False) == KeyRing(spelling).box("a").open(sealed)


@pytest.mark.parametrize("junk", [" ", "\n", "*", "****", "=A"])
def test_a_key_with_anything_between_is_none(junk: str) -> None:
    """Whatever is no character of base64 makes a key none, wherever it stands."""
    with pytest.raises(ConfigurationError, match="a key is 32 random bytes"):
        KeyRing(f"{TEXT[:20]}{junk}{TEXT[20:]}")


def test_how_few_bytes_cannot_be_random() -> None:
    """Eight different bytes may be chance, seven are a pattern."""
    KeyRing(bytes(range(8)) * 4)
    with pytest.raises(ConfigurationError, match="cannot be random"):
        KeyRing(bytes([*range(7), 0]) * 4)


@pytest.mark.parametrize("text", ["", "abc", "0" * 31, "0" * 33, "A" * 32, "X" * 32, "g" * 32])
def test_an_id_is_32_digits(text: str) -> None:
    """What has another length or other digits is no id."""
    assert not is_id(text)
    assert is_id("0123456789abcdef" * 2)


def test_hashes_are_the_same_or_not() -> None:
    """A hash equals itself, no other one, and not one that is missing."""
    assert [True, False, False] == [same_hash(b"a", other) for other in (b"a", b"b", None)]


# Cookies and headers


@pytest.mark.parametrize(
    "asked",
    [
        {"http_only": False},
        {"name": "__Http-id"},
        {"name": "__Host-Http-id"},
        {"name": "__Secure-id", "path": "/a", "domain": "example.org"},
        {"secure": False, "same_site": "strict"},
        {"same_site": "none", "partitioned": True},
    ],
    ids=str,
)
def test_what_a_browser_keeps_is_accepted(asked: dict[str, Any]) -> None:
    """No rule refuses more than what a browser would drop."""
    options = CookieOptions(**asked)
    assert asked == {name: getattr(options, name) for name in asked}


def test_other_blanks_belong_to_the_value() -> None:
    """Only SP and HTAB are trimmed from a value."""
    assert [b"\x0b1\x0c"] == read([b"a= \x0b1\x0c\t"], b"a")


@pytest.mark.parametrize("header", [b"b=2; c=3; a=1", b";a=1", b";;a=1", b"a=1;", b"ab=1;ba;a=1"])
def test_a_pair_is_found_wherever_it_stands(header: bytes) -> None:
    """Pairs before and after ours, and empty ones, do not hide it."""
    assert [b"1"] == read([header], b"a")


@pytest.mark.parametrize("header", [b"\x0ba=1", b"a\x0c=1", b"b;c\x0ba=1", b"\xa0a=1"])
def test_other_blanks_make_another_name(header: bytes) -> None:
    """Only SP and HTAB are trimmed from a name."""
    assert [] == read([header], b"a")


def test_one_candidate_too_many_is_seen() -> None:
    """Reading stops at the first candidate beyond what browsers send, and not before it."""
    header = b"; ".join(b"a=%d" % n for n in range(MAX_CANDIDATES + 3))
    assert MAX_CANDIDATES + 1 == len(read([header], b"a"))


def test_headers_without_the_name_hide_no_later_one() -> None:
    """Each header and each pair is looked at, whatever the ones before it hold."""
    assert [b"1"] == read([b"b=2", b"xa=3; a", b"c; a=1"], b"a")


def test_members_are_told_apart_by_commas() -> None:
    """A member with a blank in it is one member."""
    assert "X Cookie, Cookie" == joined("X Cookie", "Cookie")


def test_what_follows_a_cookie_is_applied_too() -> None:
    """Each of our headers reaches the container, whatever its place."""
    done: list[tuple[str, str]] = []
    apply_headers(
        (("Set-Cookie", "a=1"), ("Vary", "Cookie")),
        existing=lambda _: (),
        replace=lambda *header: done.append(header),
        add=lambda *header: done.append(header),
    )
    assert [("Set-Cookie", "a=1"), ("Vary", "Cookie")] == done
