"""Sealed bytes as cookie text and back: standard base64, exactly one spelling for each token.

The sealed length is a multiple of three, so there is neither padding nor a spare bit that somebody
could change without a trace (RFC 4648 3.5). All 64 characters are cookie-octets (RFC 6265 4.1.1).
msgspec's decoder for bytes in JSON is the fastest strict one at hand; what is special in JSON is
refused before it looks.
"""

from __future__ import annotations

import msgspec

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(bytes).decode
_BACKSLASH = ord("\\")


def spell(sealed: bytes) -> str:
    """The text of bytes whose length is a multiple of three."""
    return _encode(sealed)[1:-1].decode("ascii")


def parse(text: bytes) -> bytes | None:
    """The bytes that this text spells, or None. Never raises."""
    if _BACKSLASH in text:
        return None
    try:
        sealed = _decode(b'"%b"' % text)
    except (msgspec.MsgspecError, ValueError):
        return None
    # With padding there would be fewer bytes than that; a quote ends the text too early for JSON.
    return sealed if len(sealed) * 4 == len(text) * 3 else None
