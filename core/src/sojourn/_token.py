"""The cookie's content on stores with rows: a public id and a secret, 64 base64url characters.

48 bytes make 64 characters without padding and without spare bits, so every token has exactly one
spelling. The id is the row's key; only the secret's hash ever leaves the core, so neither a stolen
backup nor the timing of an index tells a usable token (CVE-2019-16782).
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from collections.abc import Callable

from msgspec import Struct

ID_BYTES = 16
SECRET_BYTES = 32  # 256 bits; OWASP ASVS 5.0 7.2.3 asks for 128
TOKEN_LENGTH = 64

Entropy = Callable[[int], bytes]
"""So many random bytes from the operating system; ``os.urandom`` outside tests."""

_TO_URLSAFE = bytes.maketrans(b"+/", b"-_")
# "+" and "/" become a character that strict decoding refuses: one alphabet, one spelling.
_FROM_URLSAFE = bytes.maketrans(b"-_+/", b"+/!!")


class Token(Struct, frozen=True, gc=False):
    """A parsed token. ``secret`` is None for access by public id, which no cookie can ask for."""

    id: str
    secret: bytes | None

    def __repr__(self) -> str:
        return f"Token(id={self.id!r})"


def new_id(entropy: Entropy) -> str:
    """A session id: 32 lower-case hexadecimal digits."""
    return entropy(ID_BYTES).hex()


def new_secret(entropy: Entropy) -> bytes:
    """A session secret."""
    return entropy(SECRET_BYTES)


def is_id(text: str) -> bool:
    """Whether this could be a session id."""
    return len(text) == 2 * ID_BYTES and all(c in "0123456789abcdef" for c in text)


def parse(value: bytes) -> Token | None:
    """The token that this cookie value spells, or None. Constant work; never raises."""
    if len(value) != TOKEN_LENGTH:
        return None
    try:
        raw = binascii.a2b_base64(value.translate(_FROM_URLSAFE), strict_mode=True)
    except binascii.Error:
        return None
    if len(raw) != ID_BYTES + SECRET_BYTES:
        return None
    return Token(raw[:ID_BYTES].hex(), raw[ID_BYTES:])


def spell(ticket: Token) -> str:
    """The cookie value of a ticket."""
    if ticket.secret is None:
        return ""
    raw = bytes.fromhex(ticket.id) + ticket.secret
    return binascii.b2a_base64(raw, newline=False).translate(_TO_URLSAFE).decode("ascii")


def hash_secret(secret: bytes) -> bytes:
    """What a store may keep of a secret: 32 bytes of SHA-256. 256 random bits need no salt."""
    return hashlib.sha256(secret).digest()


def same_hash(first: bytes, second: bytes | None) -> bool:
    """Constant-time comparison."""
    return second is not None and hmac.compare_digest(first, second)
