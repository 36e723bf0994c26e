"""Keys with ids: the first seals, all open. What is sealed for one purpose opens for no other.

Format 1 of a sealed text: version (1 byte), key id (3), nonce (24), ciphertext, tag (16), by
XChaCha20-Poly1305 from libsodium. Its nonces are long enough to be random. The version and the key
id are authenticated; the purpose (a cookie's name, say) is part of the key's derivation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable
from typing import Literal, cast

from msgspec import Struct

from ._errors import ConfigurationError
from ._events import Rejection

VERSION = b"\x01"
KEY_BYTES = 32
_KEY_ID_BYTES = 3
NONCE_BYTES = 24
_TAG_BYTES = 16
HEADER_BYTES = 1 + _KEY_ID_BYTES
_BODY = HEADER_BYTES + NONCE_BYTES
OVERHEAD = HEADER_BYTES + NONCE_BYTES + _TAG_BYTES
"""Bytes that sealing adds."""


class Unsealed(Struct, frozen=True, gc=False):
    """What a sealed text held; ``stale`` if another key than the first had sealed it."""

    message: bytes
    stale: bool

    def __repr__(self) -> str:
        return f"Unsealed({len(self.message)} bytes, stale={self.stale})"


class KeyRing:
    """Secret keys, the newest first.

    A key is 32 random bytes, or the same as base64url text (43 characters, padding tolerated);
    ``KeyRing.generate()`` makes one. To rotate, put a new key in front, and drop the last one
    when everything that it sealed has expired.

    Raises ConfigurationError for keys of another length, for keys that cannot be random, and for
    the same key twice.
    """

    __slots__ = ("_keys",)

    def __init__(self, *keys: str | bytes) -> None:
        if not keys:
            raise ConfigurationError("KeyRing: at least one key is needed; " + _HOW)
        self._keys = tuple(_key(key) for key in keys)
        if len(set(self._keys)) != len(self._keys):
            raise ConfigurationError("KeyRing: the same key twice; remove one of them")

    @staticmethod
    def generate() -> str:
        """A new key as text, for an environment variable or a secret store."""
        return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode("ascii").rstrip("=")

    @classmethod
    def of(cls, keys: KeyRing | str | bytes | Iterable[str | bytes]) -> KeyRing:
        """A ring from what a user may give: a ring, one key, several, or text with commas."""
        if isinstance(keys, KeyRing):
            return keys
        if isinstance(keys, str):
            return cls(*(part.strip() for part in keys.split(",") if part.strip()))
        if isinstance(keys, bytes | bytearray):
            return cls(bytes(keys))
        if not isinstance(cast("object", keys), Iterable):
            raise ConfigurationError(f"keys: {_TEXT}, not {type(keys).__name__}; {_HOW}")
        return cls(*keys)

    @classmethod
    def from_passphrase(cls, passphrase: str, *, salt: bytes) -> KeyRing:
        """A ring of one key that is derived from a passphrase by Argon2id.

        Takes about a second and 256 MiB, so call it once, at start-up. ``salt``: 16 random bytes
        that stay the same. Prefer ``generate()``: nobody needs to remember a session key.
        """
        from nacl import pwhash  # noqa: PLC0415 - most programs never derive a key

        if len(salt) != pwhash.argon2id.SALTBYTES:
            raise ConfigurationError("KeyRing.from_passphrase: salt must be 16 random bytes")
        ops, memory = pwhash.argon2id.OPSLIMIT_MODERATE, pwhash.argon2id.MEMLIMIT_MODERATE
        key = pwhash.argon2id.kdf(KEY_BYTES, passphrase.encode(), salt, ops, memory)
        return cls(key)

    def box(self, purpose: str) -> SealingBox:
        """What seals and opens for this purpose; make it once and keep it."""
        return SealingBox(self._keys, purpose)

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<KeyRing of {len(self._keys)}>"

    def __reduce__(self) -> str:
        raise TypeError("a KeyRing is not pickled: it would write secrets down")


class SealingBox:
    """The keys of one purpose, derived once."""

    __slots__ = ("_decrypt", "_encrypt", "_first", "_keys", "_sealer")

    def __init__(self, keys: Iterable[bytes], purpose: str) -> None:
        from ._sodium import decrypt, encrypt  # noqa: PLC0415 - libsodium loads when first needed

        self._encrypt, self._decrypt = encrypt, decrypt
        derived = [_derive(key, purpose) for key in keys]
        self._keys = {VERSION + _key_id(key): key for key in derived}
        if len(self._keys) != len(derived):
            raise ConfigurationError("KeyRing: two keys share an id; replace one of them")
        self._first = VERSION + _key_id(derived[0])
        self._sealer = derived[0]

    def seal(self, message: bytes, *, nonce: bytes) -> bytes:
        """The sealed message; ``nonce`` is 24 random bytes that are used once."""
        box = self._encrypt(message, self._first, nonce, self._sealer)
        return b"".join((self._first, nonce, box))

    def open(self, sealed: bytes) -> Unsealed | Literal[Rejection.UNKNOWN_KEY, Rejection.FORGED]:
        """What was sealed, or the reason why it does not open. Never raises, never guesses."""
        header = sealed[:HEADER_BYTES]
        key = self._keys.get(header)
        if key is None:
            return Rejection.UNKNOWN_KEY
        message = self._decrypt(sealed[_BODY:], header, sealed[HEADER_BYTES:_BODY], key)
        return Rejection.FORGED if message is None else Unsealed(message, header != self._first)

    def __repr__(self) -> str:
        return f"<SealingBox of {len(self._keys)}>"

    def __reduce__(self) -> str:
        raise TypeError("a SealingBox is not pickled: it would write secrets down")


_HOW = "make one with `python -m sojourn key`"
_TEXT = "give a KeyRing, or keys as text"


def _key(key: str | bytes) -> bytes:
    if not isinstance(cast("object", key), str | bytes):
        raise ConfigurationError(f"KeyRing: a key is text or bytes, not {type(key).__name__}")
    raw = _decoded(key) if isinstance(key, str) else key
    if len(raw) != KEY_BYTES:
        raise ConfigurationError("KeyRing: a key is 32 random bytes (43 characters); " + _HOW)
    if len(set(raw)) < KEY_BYTES // 4:  # 32 random bytes: the chance is below 2**-150
        raise ConfigurationError("KeyRing: this key cannot be random; " + _HOW)
    return raw


def _decoded(text: str) -> bytes:
    try:
        padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        return binascii.a2b_base64(padded.translate({45: 43, 95: 47}), strict_mode=True)
    except ValueError:
        return b""


def _derive(key: bytes, purpose: str) -> bytes:
    return hashlib.blake2b(
        purpose.encode(), digest_size=KEY_BYTES, key=key, person=b"sojourn/seal/1"
    ).digest()


def _key_id(key: bytes) -> bytes:
    return hashlib.blake2b(key=key, digest_size=_KEY_ID_BYTES, person=b"sojourn/key-id").digest()
