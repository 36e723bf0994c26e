import base64
import copy
import json
import pickle
import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import pwhash

from sojourn import ConfigurationError, KeyRing, Rejection, SealingBox, Unsealed

NEW, OLD, ELSE = (bytes((n * 7 + step) % 256 for step in range(32)) for n in (1, 2, 3))
NONCE = bytes(range(24))


def text(key):
    """A key as its users write it."""
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def sealed(message=b"hello", *keys, purpose="test"):
    """A message, sealed by a ring of these keys."""
    return KeyRing(*(keys or [NEW])).box(purpose).seal(message, nonce=NONCE)


def test_a_new_key_is_32_random_bytes_as_43_characters():
    """Generated keys are base64url without padding, each another one, and good for a ring."""
    keys = {KeyRing.generate() for _ in range(1000)}
    assert len(keys) == 1000
    for key in keys:
        assert len(key) == 43
        assert set(key) <= set(string.ascii_letters + string.digits + "-_")
        KeyRing(key)


@pytest.mark.parametrize(
    "written",
    [NEW, text(NEW), text(NEW) + "=", base64.b64encode(NEW).decode()],
    ids=["bytes", "text", "padded", "standard"],
)
def test_all_spellings_of_a_key_are_one_key(written):
    """A key as bytes, as text and as padded text opens the same seals."""
    assert KeyRing(written).box("test").open(sealed()) == Unsealed(b"hello", stale=False)


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        "",
        NEW[:31],
        NEW + b"\0",
        bytes(32),
        b"\xff" * 32,
        b"ab" * 16,
        "correct horse battery staple",
        "a" * 43,
        text(NEW)[:-1],
        text(NEW) + "A",
        " " + text(NEW)[1:],
        text(NEW)[:-1] + "!",
        "ü" * 43,
        NEW.hex(),
    ],
)
def test_wrong_keys_are_refused(wrong):
    """A key of another length or alphabet, or one that cannot be random, is no key."""
    with pytest.raises(ConfigurationError, match="python -m sojourn key") as refused:
        KeyRing(wrong)
    assert not wrong or str(wrong) not in str(refused.value)


def test_no_key_is_no_ring():
    """An empty ring, an empty list and text of commas only are refused."""
    for make in (
        KeyRing,
        lambda: KeyRing.of([]),
        lambda: KeyRing.of(" , ,"),
        lambda: KeyRing.of(""),
    ):
        with pytest.raises(ConfigurationError, match="at least one key"):
            make()


def test_a_key_given_twice_is_refused():
    """The same key twice, in whatever spelling, is a mistake of rotation."""
    with pytest.raises(ConfigurationError, match="twice"):
        KeyRing(NEW, OLD, text(NEW))


def test_keys_are_taken_as_users_have_them():
    """A ring, one key, several, and the text of an environment variable all make a ring."""
    ring = KeyRing(NEW, OLD)
    assert KeyRing.of(ring) is ring
    for given_keys in (
        [NEW, OLD],
        (text(NEW), OLD),
        f"{text(NEW)},{text(OLD)}",
        f" {text(NEW)} ,\n{text(OLD)}=,",
    ):
        of = KeyRing.of(given_keys)
        assert len(of) == 2
        assert of.box("test").open(sealed()) == Unsealed(b"hello", stale=False)
        assert of.box("test").open(sealed(b"hello", OLD)) == Unsealed(b"hello", stale=True)
    assert len(KeyRing.of(NEW)) == 1


def test_the_first_key_seals_and_all_open():
    """The newest key, which stands first, seals; what an older one sealed opens as stale."""
    box = KeyRing(NEW, OLD).box("test")
    by_first = box.seal(b"hello", nonce=NONCE)
    assert by_first == sealed(b"hello", NEW)
    assert box.open(by_first) == Unsealed(b"hello", stale=False)
    assert box.open(sealed(b"hello", OLD)) == Unsealed(b"hello", stale=True)
    assert box.open(sealed(b"hello", ELSE)) is Rejection.UNKNOWN_KEY


def test_a_known_answer():
    """Key, purpose and nonce determine the seal; its layout is version, key id, nonce, rest."""
    known = KeyRing(bytes(range(32))).box("known").seal(b"message", nonce=NONCE)
    assert known[:1] == b"\x01"
    assert known[4:28] == NONCE
    assert len(known) == 44 + len(b"message")
    assert known.hex() == KNOWN


KNOWN = (
    "017a58d3000102030405060708090a0b0c0d0e0f1011121314151617"
    "5708b635fb1df45ad7ad849b31bada45c80c10a348e6ca"
)


@given(st.binary(max_size=200), st.text(max_size=20), st.binary(min_size=24, max_size=24))
def test_what_is_sealed_opens(message, purpose, nonce):
    """Any message opens again, for its purpose."""
    box = KeyRing(NEW).box(purpose)
    assert box.open(box.seal(message, nonce=nonce)) == Unsealed(message, stale=False)


@given(st.text(max_size=10), st.text(max_size=10))
def test_purposes_are_separate(one, other):
    """What was sealed for one purpose opens for no other, and shares no byte that tells it."""
    if one != other:
        assert KeyRing(NEW).box(other).open(sealed(purpose=one)) is Rejection.UNKNOWN_KEY


def test_every_changed_byte_is_noticed():
    """A change in version or key id names no key; any other one is a forgery."""
    box, good = KeyRing(NEW).box("test"), sealed()
    for at in range(len(good)):
        for value in range(256):
            if value != good[at]:
                found = box.open(good[:at] + bytes([value]) + good[at + 1 :])
                assert found is (Rejection.UNKNOWN_KEY if at < 4 else Rejection.FORGED)


@given(st.binary(max_size=100), st.integers(0, 60))
def test_junk_opens_nothing(junk, cut):
    """Any bytes, with and without a good beginning, open nothing and raise nothing."""
    box = KeyRing(NEW).box("test")
    assert box.open(junk) is Rejection.UNKNOWN_KEY or junk[:4] == sealed()[:4]
    shortened = sealed()[:cut]
    assert isinstance(box.open(shortened), Unsealed) is (shortened == sealed())


def test_a_nonce_has_24_bytes():
    """A nonce of another length is refused, not padded."""
    with pytest.raises(ValueError, match="nonce"):
        KeyRing(NEW).box("test").seal(b"", nonce=bytes(12))


def test_a_passphrase_is_stretched_once():
    """The same passphrase and salt give the same key for ever, another salt another one."""
    salt = bytes(range(16))
    # Argon2id with 3 passes and 256 MiB: with any other numbers, everybody would be logged out.
    key = pwhash.argon2id.kdf(32, b"correct horse battery staple", salt, 3, 268_435_456)
    ring = KeyRing.from_passphrase("correct horse battery staple", salt=salt)
    token = ring.box("test").seal(b"hello", nonce=NONCE)
    assert KeyRing(key).box("test").open(token) == Unsealed(b"hello", stale=False)
    again = KeyRing.from_passphrase("correct horse battery staple", salt=salt)
    assert again.box("test").open(token) == Unsealed(b"hello", stale=False)
    other = KeyRing.from_passphrase("correct horse battery staple", salt=salt[::-1])
    assert other.box("test").open(token) is Rejection.UNKNOWN_KEY


@pytest.mark.parametrize("salt", [b"", b"short", bytes(17)])
def test_a_salt_has_16_bytes(salt):
    """A salt of another length is refused, and the passphrase is not shown."""
    with pytest.raises(ConfigurationError, match="salt") as refused:
        KeyRing.from_passphrase("hunter2", salt=salt)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("make", [lambda: KeyRing(NEW), lambda: KeyRing(NEW).box("test")])
def test_secrets_are_never_shown(make):
    """Neither repr, str nor format shows a key, and neither pickle, copy nor msgspec takes one."""
    holder = make()
    for shown in (repr(holder), str(holder), f"{holder}", f"{holder!r}"):
        for secret in (NEW.hex(), text(NEW), repr(NEW)):
            assert secret not in shown
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(holder, protocol)
    for leak in (copy.copy, copy.deepcopy, msgspec.to_builtins, msgspec.json.encode, json.dumps):
        with pytest.raises(TypeError):
            leak(holder)
    assert not hasattr(holder, "__dict__")


def test_two_keys_of_one_id_are_refused(monkeypatch):
    """Keys whose ids collide could hide each other, so a ring with both does not start."""
    monkeypatch.setattr("sojourn._keyring._key_id", lambda _key: b"abc")
    with pytest.raises(ConfigurationError, match="share an id"):
        SealingBox([NEW, OLD], "test")
