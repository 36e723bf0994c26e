import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_cookie import _format

from ._sessions import NOW, TYPICAL, opened, sealed, state, token

keys = st.text(max_size=6)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False)
    | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
times = st.floats(0, 2**33) | st.sampled_from([0.0, 0.05, 1.13, NOW + 0.005, 2.0**40])
ids = st.binary(min_size=9, max_size=9).map(lambda raw: raw.hex() + "0" * 14)


def as_sealed(before):
    """The state as it will be read again."""
    return _format.pack(before, around=0)[0]


def packed(before, *, around):
    """The state as bytes."""
    return _format.pack(before, around=around)[1]


@st.composite
def states(draw):
    """Any state that a cookie may hold."""
    data, born = draw(st.dictionaries(keys, values, max_size=4)), draw(times)
    return state(
        data,
        id=draw(ids | st.binary(min_size=4, max_size=4).map(lambda raw: _format.new_id(born, raw))),
        created_at=born,
        renewed_at=draw(times),
        expires_at=draw(times | st.just(math.inf)),
        owner=draw(st.none() | st.text(max_size=8)),
        authenticated_at=draw(st.none() | times),
        flash=frozenset(draw(st.lists(st.sampled_from([*data, "gone"]), max_size=2))),
    )


@given(states(), st.integers(0, 100))
def test_what_is_packed_comes_back_equal(before, around):
    """A state comes back as it was sealed, and fills whole groups of three bytes."""
    before = as_sealed(before)
    message = packed(before, around=around)
    assert _format.unpack(message) == before
    assert (len(message) + around) % 3 == 0
    assert len(message) >= _format.SMALLEST


@given(states())
def test_sealing_again_moves_no_time(before):
    """Rounding happens once, by a hundredth of a second or a millionth, and never to later."""
    once = as_sealed(before)
    assert as_sealed(once) == once
    for moved, exact in (
        (once.created_at, before.created_at),
        (once.renewed_at, before.renewed_at),
    ):
        assert exact - 0.0101 < moved <= exact + 1e-5 or exact > 2**33
    lifetime = before.expires_at - once.created_at
    if 0 < lifetime < 3e8 and before.expires_at < 2**33:
        lost = before.expires_at - once.expires_at
        assert -1e-5 <= lost <= 0.0101 + lifetime / 2**19


@given(states(), st.data())
def test_a_cut_message_is_no_session(before, data):
    """A message that lacks bytes, or is of a newer format, opens as None and raises nothing."""
    message = packed(before, around=0)
    assert _format.unpack(bytes([message[0] | 0x80]) + message[1:]) is None
    padding = message[0] & 3
    assert _format.unpack(message[: data.draw(st.integers(0, len(message) - padding - 1))]) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_session_or_none(message):
    """Bytes that a newer version may have sealed raise nothing."""
    found = _format.unpack(message)
    assert found is None or msgspec.structs.asdict(found)["version"] == 1


def test_deep_nesting_is_no_error():
    """Values are not looked into, so that their depth costs nothing before they are used."""
    deep = packed(state({}, id="0" * 32), around=0)[:13]
    nested = b"\x81\xa1k" + b"\x91" * 100_000 + b"\xc0"
    found = _format.unpack(bytes([deep[0] & ~3]) + deep[1:] + nested)
    assert found is None or set(found.data) == {"k"}


def test_a_typical_session_is_small(make_backend):
    """A session of 250 bytes of JSON in seven keys takes at most 370 bytes of cookie."""
    assert (len(TYPICAL), len(msgspec.json.encode(TYPICAL))) == (7, 250)
    assert len(token(make_backend(), state(TYPICAL))) <= 370


@pytest.mark.parametrize(
    ("changes", "extra"),
    [
        ({}, 0),
        ({"authenticated_at": NOW}, 0),
        ({"authenticated_at": NOW + 1}, 5),
        ({"renewed_at": NOW + 1}, 5),
        ({"owner": "user:42"}, 1 + 8 + 1),
        ({"flash": frozenset({"theme"})}, 1 + 1 + 1 + 6),
    ],
    ids=str,
)
def test_what_is_absent_takes_no_bytes(changes, extra):
    """Owner, flash and further times take bytes only in sessions that have them."""
    plain = state(TYPICAL, id="0" * 32)
    sizes = [
        len(packed(each, around=1)) for each in (plain, state(
            TYPICAL, id="0" * 32, **changes))
    ]  # fmt: skip
    assert sizes[1] - sizes[0] in range(extra - 2, extra + 3)


@given(st.integers(0, 300))
def test_the_length_tells_the_size_only(size):
    """Nothing is compressed: the length depends on how much there is, not on what (CRIME)."""
    lengths = {
        len(packed(state({"k": text}, id="0" * 32), around=44))
        for text in ("a" * size, "ab" * (size // 2) + "c" * (size % 2))
    }
    assert len(lengths) == 1


def test_the_written_session_is_what_loads(make_backend):
    """The session that a write hands back equals the one that its cookie opens."""
    backend = make_backend()
    written = sealed(backend, state(TYPICAL, owner="user:42", flash=frozenset({"theme"})))
    assert opened(backend, backend.spell(written.ticket).encode(), NOW) == written
