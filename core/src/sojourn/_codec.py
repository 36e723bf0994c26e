"""Session values as msgpack, one by one: what goes in comes out equal, or is refused.

msgpack and not JSON, because JSON turns NaN into null and integer keys into text without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Raw

from ._errors import SessionValueError

# These exact types always come back equal, too; everything else is compared after a round trip.
IMMUTABLE = frozenset({str, int, bool, bytes, type(None)})

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode
_decode_raws = msgspec.msgpack.Decoder(dict[str, Raw]).decode

ENCODE_ERRORS = (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError)
DECODE_ERRORS = (msgspec.MsgspecError, ValueError, RecursionError)
"""What decoding corrupt bytes can raise; deep nesting is a RecursionError, not a DecodeError."""


class ValueCodec(Protocol):
    """How the value of a key becomes bytes and back."""

    def encode(self, key: str, value: object) -> Raw:
        """The value's bytes; raises SessionValueError if it would not come back equal."""
        ...

    def encode_all(self, values: dict[str, object]) -> dict[str, Raw]:
        """The bytes of each value; raises as ``encode`` does if one of them is refused."""
        ...

    def decode(self, key: str, raw: Raw) -> Any:
        """The value again; raises one of ``DECODE_ERRORS`` when the bytes are corrupt or misfit."""
        ...


def is_mutable(value: object) -> bool:
    """Whether somebody who holds this value could change it without telling us."""
    return type(value) not in IMMUTABLE and not isinstance(value, float)


def are_immutable(values: Mapping[str, object]) -> bool:
    """Whether each of these values is of an ``IMMUTABLE`` type."""
    return IMMUTABLE.issuperset(map(type, values.values()))


def checked_key(key: object) -> str:
    """The key, if it is text that can be stored."""
    if not isinstance(key, str):
        raise SessionValueError(f"session keys are str, not {type(key).__name__}")
    if not key.isascii() and not is_storable(key):
        raise SessionValueError("session keys hold no lone surrogates")
    return key


def is_storable(text: str) -> bool:
    """Whether this text has bytes: a lone surrogate has none."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


MAX_OWNER = 1024
"""Bytes of an owner's name: it is a key of the store's index, which has room for names only."""


def is_owner(name: object) -> bool:
    """Whether a session can belong to somebody of this name, on every store.

    Text of at most 1024 bytes that is not empty and holds no NUL, which SQL text cannot.
    """
    if not isinstance(name, str) or not name or "\0" in name or not is_storable(name):
        return False
    return len(name) * 4 <= MAX_OWNER or len(name.encode()) <= MAX_OWNER


def refused(key: str, value: object, reason: str) -> SessionValueError:
    """The error for a value that cannot be kept; shows its type and never the value."""
    return SessionValueError(
        f"session[{key!r}] = <{type(value).__name__}>: {reason}; store str, int, float, bool, "
        "None, bytes, aware datetime, or lists and dicts of them (or give the manager a model)"
    )


class PlainCodec:
    """Values without a model: what msgpack carries."""

    __slots__ = ()

    def encode(self, key: str, value: object) -> Raw:
        """See ``ValueCodec``; a tuple or a set would come back as a list, so it is refused."""
        try:
            encoded = _encode(value)
            same = type(value) in IMMUTABLE or bool(_decode(encoded) == value)
        except ENCODE_ERRORS as error:
            raise refused(key, value, f"cannot be stored ({type(error).__name__})") from None
        if not same:
            raise refused(key, value, "would not come back equal")
        return Raw(encoded)

    def encode_all(self, values: dict[str, object]) -> dict[str, Raw]:
        """See ``ValueCodec``."""
        try:
            encoded = _encode(values)
            if are_immutable(values) or _decode(encoded) == values:
                return _decode_raws(encoded)
        except ENCODE_ERRORS:
            pass  # one by one they tell which of them it is
        return {checked_key(key): self.encode(key, value) for key, value in values.items()}

    def decode(self, key: str, raw: Raw) -> Any:  # noqa: ARG002 - the protocol's parameter
        """See ``ValueCodec``."""
        return _decode(raw)


PLAIN: ValueCodec = PlainCodec()


def same_bytes(value: object, raw: Raw) -> bool:
    """Whether this value still has these bytes."""
    try:
        return Raw(_encode(value)) == raw
    except ENCODE_ERRORS:
        return False
