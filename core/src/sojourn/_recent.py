"""``Recent``: a few things that were made lately, so that they need not be made again.

A browser asks for a page and then for what is on it, always with the same cookie. What a cookie
opens is a pure function of its bytes and the keys, and the result is immutable: it can be kept.
Whether it has expired, or was revoked, is asked each time.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The newest entries by key, between ``size`` and twice as many; 0: none at all.

    Two generations instead of an order of use: nothing has to be moved when an entry is found.
    """

    __slots__ = ("_former", "_newest", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._newest: dict[K, V] = {}
        self._former: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """What was put under this key lately, or None."""
        found = self._newest.get(key)
        if found is None and self._former:
            found = self._former.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Keep this for a while."""
        if len(self._newest) >= self._size:
            if not self._size:
                return
            self._former, self._newest = self._newest, {}
        self._newest[key] = value

    def forget(self, key: K) -> None:
        """Keep nothing of this key: what has ended need not stay in memory."""
        self._newest.pop(key, None)
        self._former.pop(key, None)

    def __len__(self) -> int:
        return len(self._newest) + len(self._former)

    def __repr__(self) -> str:
        return f"<Recent of {len(self)}>"
