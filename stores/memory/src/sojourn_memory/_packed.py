"""Many ids in one run of bytes: 16 bytes each, which neither pointers nor objects could match.

Bytes also hold nothing that the garbage collector would have to visit.
"""

from __future__ import annotations

from collections.abc import Iterator

ID_BYTES = 16


def position(ids: bytes | bytearray, id: bytes) -> int:
    """Where this id starts. Raises ValueError if it is not among them."""
    found = ids.index(id)
    while found % ID_BYTES:  # it spans two neighbours, by chance or because a test chose them so
        found = ids.index(id, found + 1)
    return found


def each(ids: bytes | bytearray) -> Iterator[bytes]:
    """The ids, one by one, as they are now."""
    snapshot = bytes(ids)
    return (snapshot[at : at + ID_BYTES] for at in range(0, len(snapshot), ID_BYTES))
