"""Promises 5 and 24: cookies are read byte by byte, and a token has one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn._cookies import MAX_CANDIDATES, read
from sojourn._token import Token, parse, spell

NAME = b"__Host-session"
pieces = st.sampled_from([NAME, b"=", b";", b" ", b"\t", b'"', b"\\", b"%48", b"x", b"\xff", b"\0"])
headers = st.lists(st.lists(pieces | st.binary(max_size=4)).map(b"".join), max_size=3)
tokens = st.builds(
    Token, st.binary(min_size=16, max_size=16).map(bytes.hex), st.binary(min_size=32, max_size=32)
)


def _naive(lines: list[bytes]) -> list[bytes]:
    found: dict[bytes, None] = {}
    for line in lines:
        for pair in line.split(b";"):
            if b"=" in pair:
                at = pair.index(b"=")
                if pair[:at].strip(b" \t") == NAME:
                    found[pair[at + 1 :].strip(b" \t")] = None
    return list(found)


@given(headers)
def test_promise_24_the_parser_agrees_with_a_naive_one(lines: list[bytes]) -> None:
    """Over arbitrary bytes, the parser finds what five naive lines find."""
    expected = _naive(lines)
    assert expected[: MAX_CANDIDATES + 1] == read(lines, NAME)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b'a="x; __Host-session=real; y"', [b"real"]),
        (b"__%48ost-session=x", []),
        (b"=__Host-session=x", []),
        (b"__host-session=x", []),
        (b"\xc2\xa0__Host-session=x", []),
        (b'__Host-session="x"', [b'"x"']),
        (b"\xff=1; __Host-session=x; \x00", [b"x"]),
        (b"__Host-session=a=b; __Host-session=c", [b"a=b", b"c"]),
        (b"__Host-session=a\x0b; __Host-session=\x0cc\t", [b"a\x0b", b"\x0cc"]),
    ],
)
def test_promise_24_named_vectors(line: bytes, found: list[bytes]) -> None:
    """Only the literal name matches, and nothing hides or forges it."""
    assert found == read([line], NAME)


@given(tokens, st.integers(0, 63), st.integers(0, 255))
def test_every_other_spelling_is_another_token(token: Token, at: int, byte: int) -> None:
    """A token has one spelling: a changed byte is refused or is another token."""
    text = spell(token).encode()
    assert token == parse(text)
    changed = text[:at] + bytes([byte]) + text[at + 1 :]
    found = parse(changed)
    assert (found == token) == (changed == text)
    assert found is None or spell(found).encode() == changed
    assert parse(text[:at]) is None
    assert parse(text + b"=") is None


@given(st.binary(max_size=80))
def test_promise_05_parsing_never_raises(junk: bytes) -> None:
    """Any bytes are a token in its one spelling, or nothing."""
    found = parse(junk)
    assert found is None or spell(found).encode() == junk
