"""Which ids belong to an owner: packed, because most owners have one session."""

from __future__ import annotations

from collections.abc import Iterator

from ._packed import ID_BYTES, each, position
from ._shards import MASK, shards


class OwnerIndex:
    """Ids by owner, each id once."""

    __slots__ = ("_shards",)

    def __init__(self) -> None:
        self._shards = shards()

    def add(self, owner: str, id: bytes) -> None:
        """The id belongs to this owner now."""
        shard = self._shards[hash(owner) & MASK]
        shard[owner] = shard.get(owner, b"") + id

    def remove(self, owner: str, id: bytes) -> None:
        """The id belongs to this owner no more. Raises ValueError if it did not."""
        shard = self._shards[hash(owner) & MASK]
        ids = shard[owner]
        at = position(ids, id)
        rest = ids[:at] + ids[at + ID_BYTES :]
        if rest:
            shard[owner] = rest
        else:
            del shard[owner]

    def ids(self, owner: str) -> Iterator[bytes]:
        """The owner's ids as they are now."""
        return each(self._shards[hash(owner) & MASK].get(owner, b""))
