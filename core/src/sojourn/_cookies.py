"""Reading cookies: bytes in, candidates out. Never raises, never decodes, linear in its input.

RFC 6265bis' grammar and nothing more: ``;`` splits, SP and HTAB are trimmed, names are compared
byte by byte, values are taken literally. No unquoting and no percent-decoding, because those let
``a="x; __Host-session=..."`` hide a cookie (cookie sandwich) or ``__%48ost-`` forge a prefix
(CVE-2020-8184, CVE-2020-7070).
"""

from __future__ import annotations

from collections.abc import Sequence

_BLANKS = b" \t"


def read(headers: Sequence[bytes], name: bytes) -> list[bytes]:
    """The values of all cookies of this name, each once, in the order they came.

    ``headers`` are the raw values of the ``Cookie`` headers; there may be several (RFC 9113 8.2.3).
    """
    if len(headers) == 1 and headers[0].count(name) == 1:
        before, equals, after = headers[0].partition(name + b"=")
        # One cookie of this name, written as browsers do: nearly every request.
        if equals and (not before or before.endswith(b"; ")):
            return [after.partition(b";")[0].strip(_BLANKS)]
    found: list[bytes] = []
    for header in headers:
        at = header.find(name)
        while at >= 0:
            # Only pairs that the name occurs in are looked at: a long header costs one search.
            end = header.find(b";", at)
            pair = header[header.rfind(b";", 0, at) + 1 : end if end >= 0 else None]
            key, equals, value = pair.partition(b"=")
            if equals and key.strip(_BLANKS) == name:
                value = value.strip(_BLANKS)
                if value not in found:
                    found.append(value)
                    if len(found) > MAX_CANDIDATES:
                        return found
            at = header.find(name, end) if end >= 0 else -1
    return found


MAX_CANDIDATES = 4
"""A browser sends one cookie of a name per path, domain and partition; more is an attack."""
