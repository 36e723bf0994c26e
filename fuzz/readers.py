"""The same things done again, as plainly as the specifications say them, to compare with."""

import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable
from typing import Any

import msgspec

BLANKS = (0x20, 0x09)


def cookies(headers: Iterable[bytes], name: bytes) -> list[bytes]:
    """The values of this cookie, each once, read byte by byte (RFC 6265bis 4.2.1)."""
    found: list[bytes] = []
    for header in headers:
        key, value, in_value = bytearray(), bytearray(), False
        for byte in header + b";":
            if byte == ord(";"):
                if in_value and trimmed(key) == name and trimmed(value) not in found:
                    found.append(trimmed(value))
                key, value, in_value = bytearray(), bytearray(), False
            elif byte == ord("=") and not in_value:
                in_value = True
            else:
                (value if in_value else key).append(byte)
    return found


def trimmed(text: bytearray) -> bytes:
    """Without the blanks around it."""
    start, end = 0, len(text)
    while start < end and text[start] in BLANKS:
        start += 1
    while end > start and text[end - 1] in BLANKS:
        end -= 1
    return bytes(text[start:end])


def token(value: bytes) -> tuple[str, bytes] | None:
    """Id and secret of a token: 64 characters of one alphabet, and nothing else."""
    if not re.fullmatch(rb"[A-Za-z0-9_-]{64}", value):
        return None
    raw = urlsafe_b64decode(value)
    return raw[:16].hex(), raw[16:]


def is_payload(data: bytes) -> bool | None:
    """Whether these bytes are a payload; None where a reader without types cannot tell."""
    try:
        whole: Any = msgspec.msgpack.decode(data)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        return None
    if not isinstance(whole, list) or len(whole) < 5:
        return False
    version, renewed_at, authenticated_at, flash, values = whole[:5]
    return (
        is_number(version)
        and version == 1
        and is_number(renewed_at)
        and (authenticated_at is None or is_number(authenticated_at))
        and isinstance(flash, list)
        and all(isinstance(key, str) for key in flash)
        and isinstance(values, dict)
        and all(isinstance(key, str) for key in values)
    )


def is_number(value: object) -> bool:
    """Whether this is a number and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def set_cookie(line: str) -> tuple[str, str, dict[str, str]] | None:
    """Name, value and attributes as a browser takes them (RFC 6265bis 5.6); None: it drops them."""
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", line):
        return None
    pair, *rest = line.split(";")
    name, equals, value = pair.partition("=")
    attributes: dict[str, str] = {}
    for part in rest:
        key, _, said = part.partition("=")
        attributes[key.strip(" \t").lower()] = said.strip(" \t")
    return (name.strip(" \t"), value.strip(" \t"), attributes) if equals else None
