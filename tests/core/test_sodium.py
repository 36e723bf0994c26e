"""The direct way to libsodium and PyNaCl's public binding are one cipher."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn import _sodium

# draft-irtf-cfrg-xchacha-03, appendix A.3.1
MESSAGE = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    b"sunscreen would be it."
)
AAD = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
KEY = bytes(range(0x80, 0xA0))
NONCE = bytes(range(0x40, 0x58))
SEALED = bytes.fromhex(
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
    "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
    "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
    "21f9664c97637da9768812f615c68b13b52e"
    "c0875924c1c7987947deafd8780acf49"
)

WAYS = {
    "chosen": (_sodium.encrypt, _sodium.decrypt),
    "public": (_sodium.encrypt_checked, _sodium.decrypt_checked),
}
ways = pytest.mark.parametrize("way", WAYS)


def test_the_direct_way_is_taken():
    """With the PyNaCl that is tested here, the direct calls are what is used."""
    assert _sodium.encrypt is not _sodium.encrypt_checked
    assert _sodium.decrypt is not _sodium.decrypt_checked


@ways
def test_the_draft_s_own_vector(way):
    """The cipher is the one of the draft: its message seals to its bytes, and opens."""
    encrypt, decrypt = WAYS[way]
    assert encrypt(MESSAGE, AAD, NONCE, KEY) == SEALED
    assert decrypt(SEALED, AAD, NONCE, KEY) == MESSAGE


@given(
    st.binary(max_size=300),
    st.binary(max_size=40),
    st.binary(min_size=24, max_size=24),
    st.binary(min_size=32, max_size=32),
)
def test_both_ways_give_the_same_bytes(message, aad, nonce, key):
    """What one way seals, the other one seals alike and opens."""
    sealed = _sodium.encrypt(message, aad, nonce, key)
    assert sealed == _sodium.encrypt_checked(message, aad, nonce, key)
    assert type(sealed) is bytes
    assert len(sealed) == len(message) + _sodium.TAG_BYTES
    for decrypt in (_sodium.decrypt, _sodium.decrypt_checked):
        assert decrypt(sealed, aad, nonce, key) == message


@ways
def test_every_changed_bit_is_noticed(way):
    """One changed bit in message, tag, additional data, nonce or key opens nothing."""
    _, decrypt = WAYS[way]
    parts = [SEALED, AAD, NONCE, KEY]
    for index, part in enumerate(parts):
        for bit in range(8 * len(part)):
            spoilt = bytearray(part)
            spoilt[bit // 8] ^= 1 << bit % 8
            changed = [*parts[:index], bytes(spoilt), *parts[index + 1 :]]
            assert decrypt(*changed) is None


@ways
@pytest.mark.parametrize("size", [*range(_sodium.TAG_BYTES + 2)])
def test_what_is_too_short_opens_nothing(way, size):
    """Fewer bytes than a tag has are refused before libsodium sees them."""
    _, decrypt = WAYS[way]
    assert decrypt(SEALED[:size], AAD, NONCE, KEY) is None


@ways
@pytest.mark.parametrize(
    ("nonce", "key"), [(23, 32), (25, 32), (0, 32), (24, 31), (24, 33), (24, 0)]
)
def test_wrong_lengths_never_reach_the_library(way, nonce, key):
    """A nonce or key of another length is refused: C would read beyond its end."""
    encrypt, decrypt = WAYS[way]
    with pytest.raises((ValueError, TypeError)):
        encrypt(MESSAGE, AAD, bytes(nonce), bytes(key))
    assert decrypt(SEALED, AAD, bytes(nonce), bytes(key)) is None


class Broken:
    """Stands in for a PyNaCl whose private module is another one."""

    def __init__(self, result):
        self.result = result

    def __getattr__(self, name):
        if isinstance(self.result, Exception):
            raise self.result
        return lambda *_: self.result


@pytest.mark.parametrize("result", [AttributeError("gone"), 0, 1, -1])
def test_another_pynacl_means_the_public_way(monkeypatch, result):
    """Where the private module is missing, renamed or answers otherwise, the public one works."""
    broken = type(sys)("nacl._sodium")
    vars(broken).update(ffi=sys.modules["nacl._sodium"].ffi, lib=Broken(result))
    monkeypatch.setitem(sys.modules, "nacl._sodium", broken)
    assert _sodium.choose() == (_sodium.encrypt_checked, _sodium.decrypt_checked)


def test_no_private_module_means_the_public_way(monkeypatch):
    """Without the private module the public binding works."""
    monkeypatch.setitem(sys.modules, "nacl._sodium", None)
    assert _sodium.choose() == (_sodium.encrypt_checked, _sodium.decrypt_checked)
