"""Security, D1 to D10 and D15: what was changed, cut, moved or made elsewhere opens nothing."""

import base64
import json
import secrets
import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn import KeyRing, Opened, Policy, Rejection, Timeouts
from sojourn_cookie import CookieBackend

from ._sessions import NOW, TYPICAL, opened, state, token
from .conftest import KEY

ALPHABET = (string.ascii_letters + string.digits + "+/").encode()


@pytest.fixture(scope="module")
def shared():
    """One backend and one token of it for the tests that try thousands of changes."""
    backend = _backend()
    return backend, token(backend, state(TYPICAL))


def is_refused(backend, text):
    """Whether a cookie's value opens nothing."""
    return not isinstance(opened(backend, text), Opened)


def test_every_change_of_a_character_is_refused(shared):
    """Each of the 255 other bytes at each position of a token opens nothing."""
    backend, good = shared
    assert not is_refused(backend, good)
    for at in range(len(good)):
        for other in range(256):
            if other != good[at]:
                assert is_refused(backend, good[:at] + bytes([other]) + good[at + 1 :])


def test_every_truncation_is_refused(shared):
    """A token that lacks characters at either end opens nothing."""
    backend, good = shared
    for at in range(len(good)):
        assert is_refused(backend, good[:at])
        assert is_refused(backend, good[at + 1 :])


def test_every_extension_is_refused(shared):
    """Characters before, after or inside a token, padding and blanks included, open nothing."""
    backend, good = shared
    more = [bytes([n]) for n in range(256)] + [b"=" * n for n in range(2, 5)]
    more += [bytes([n]) * 4 for n in ALPHABET] + [b"\\u0041", b"\\/", b"\r\n", good]
    for extension in more:
        assert is_refused(backend, good + extension)
        assert is_refused(backend, extension + good)
        assert is_refused(backend, good[:100] + extension + good[100:])


def test_one_token_has_one_spelling(shared):
    """The text of what was read is the text that was sent, for whatever is read."""
    backend, good = shared
    assert backend.spell(backend.parse(good)).encode() == good
    escaped = good.replace(b"/", b"\\/")
    assert backend.parse(escaped) is None or escaped == good
    assert backend.parse(good.translate(bytes.maketrans(b"+/", b"-_"))) is None or not (
        set(good) & set(b"+/")
    )


@given(st.binary(max_size=120) | st.binary(min_size=48, max_size=60).map(lambda b: b * 3))
def test_junk_raises_nothing(junk):
    """Any bytes, as they are and in base64, open nothing and raise nothing."""
    backend = _backend()
    assert is_refused(backend, junk)
    assert is_refused(backend, base64.b64encode(junk))


def _backend():
    policy, entropy = Policy.of(Timeouts()), secrets.token_bytes
    return CookieBackend(KeyRing(KEY), cookie="session", policy=policy, entropy=entropy)


class Counting:
    """Counts the calls of the cipher."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *args):
        """The function, counted."""
        self.calls += 1
        return self.function(*args)


@pytest.fixture
def counted(make_backend):
    """A backend, and the count of its decryptions."""
    backend = make_backend()
    backend._box._decrypt = cipher = Counting(backend._box._decrypt)
    return backend, cipher


@pytest.mark.parametrize(
    ("spoil", "expected", "decryptions"),
    [
        (lambda raw: raw[:57], None, 0),
        (lambda raw: b"", None, 0),
        (lambda raw: raw * 16, None, 0),
        (lambda raw: b"\x02" + raw[1:], Rejection.UNKNOWN_KEY, 0),
        (lambda raw: b"\x00" + raw[1:], Rejection.UNKNOWN_KEY, 0),
        (lambda raw: raw[:1] + b"key" + raw[4:], Rejection.UNKNOWN_KEY, 0),
        (lambda raw: raw[:4] + bytes(24) + raw[28:], Rejection.FORGED, 1),
        (lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), Rejection.FORGED, 1),
    ],
)
def test_cheap_checks_come_first(counted, spoil, expected, decryptions):
    """Length, alphabet, version and key id are looked at before any cryptography."""
    backend, cipher = counted
    raw = base64.b64decode(token(backend, state(TYPICAL)))
    assert opened(backend, base64.b64encode(spoil(raw))) is expected
    assert cipher.calls == decryptions


def test_an_oversized_cookie_is_not_even_decoded(counted):
    """A value that no browser would keep is refused by its length."""
    backend, cipher = counted
    assert backend.parse(b"A" * 4084) is None
    assert backend.parse(b"A" * 10_000_000) is None
    assert cipher.calls == 0


@pytest.mark.parametrize(
    ("mine", "other"),
    [("session", "session2"), ("a", "abc"), ("__Host-session", "session"), ("a/b", "a")],
)
def test_a_token_is_bound_to_its_cookie(make_backend, mine, other):
    """What was sealed for one cookie's name opens under no other name."""
    text = token(make_backend(cookie=mine), state(TYPICAL))
    assert isinstance(opened(make_backend(cookie=mine), text), Opened)
    assert opened(make_backend(cookie=other), text) is Rejection.UNKNOWN_KEY


def test_no_other_purpose_opens_as_a_session(make_backend):
    """What the same key sealed for anything else is no session (next-auth CVE-2023-48309)."""
    backend = make_backend()
    ring = KeyRing(KEY)
    message = base64.b64decode(token(backend, state(TYPICAL)))
    for purpose in ("sojourn/rows", "csrf", "sojourn/cookie/1/", "sojourn/cookie/2/__Host-session"):
        box = ring.box(purpose)
        text = base64.b64encode(box.seal(message + b"\0\0", nonce=bytes(24)))
        assert opened(backend, text) in (Rejection.UNKNOWN_KEY, None)


def test_there_is_no_fallback_reader(make_backend):
    """The same data as JSON, msgpack or plain base64 opens nothing (CVE-2026-39324)."""
    backend = make_backend()
    for plain in (json.dumps(TYPICAL).encode(), msgspec.msgpack.encode(TYPICAL)):
        for text in (plain, base64.b64encode(plain), base64.urlsafe_b64encode(plain)):
            assert opened(backend, text) in (None, Rejection.UNKNOWN_KEY)


def test_each_seal_has_another_nonce(shared):
    """Ten thousand seals of one state are ten thousand tokens with as many nonces."""
    backend, _ = shared
    raw = [base64.b64decode(token(backend, state({"k": 1}))) for _ in range(10_000)]
    assert len({each[4:28] for each in raw}) == len(raw)


def test_what_is_inside_does_not_show(make_backend):
    """Neither data nor owner nor id can be read from a token without the key."""
    backend = make_backend()
    after = state({"password": "correct horse"}, owner="ada@example.org")
    raw = base64.b64decode(token(backend, after, NOW))
    for secret in (b"password", b"horse", b"ada@", b"example"):
        assert secret not in raw
