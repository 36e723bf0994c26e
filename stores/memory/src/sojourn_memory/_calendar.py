"""Which ids expire when: a calendar queue (R. Brown, CACM 31(10), 1988) in a few bytes per id.

A bucket holds the ids whose deadlines lie within one span of time before the bucket's end. The span
grows with the lifetime, so that there are a few thousand buckets whether sessions live for minutes
or for months; finding one id in its bucket, and emptying a bucket, are short work at any size.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator

from ._packed import ID_BYTES, each, position

_BUCKETS = 12
"""The logarithm of how many buckets one lifetime spans at least."""

_SMALLEST, _LARGEST = -3, 20
_SPANS = {power: 2.0**power for power in range(_SMALLEST, _LARGEST + 1)}
"""Seconds, from an eighth to twelve days; powers of two keep the arithmetic exact."""


def bucket_end(expires_at: float, created_at: float) -> float:
    """The end of the bucket for a row with these times: never before its deadline."""
    if expires_at == math.inf:
        return expires_at
    power = math.frexp(expires_at - created_at)[1] - _BUCKETS - 1
    return _rounded_up(expires_at, _SPANS[min(max(power, _SMALLEST), _LARGEST)])


def _rounded_up(time: float, span: float) -> float:
    return math.ceil(time / span) * span


class Calendar:
    """Ids by the end of their bucket, each id once."""

    __slots__ = ("_buckets", "_ends")

    def __init__(self) -> None:
        # An empty bucket stays until it comes first, so that each end is in the heap once.
        self._buckets: dict[float, bytearray] = {}
        self._ends: list[float] = []

    def add(self, id: bytes, end: float) -> None:
        """File the id."""
        bucket = self._buckets.get(end)
        if bucket is None:
            bucket = self._buckets[end] = bytearray()
            heapq.heappush(self._ends, end)
        bucket += id

    def remove(self, id: bytes, end: float) -> None:
        """Take the id out of its bucket. Raises ValueError if it is not there."""
        bucket = self._buckets[end]
        at = position(bucket, id)
        bucket[at : at + ID_BYTES] = bucket[-ID_BYTES:]
        del bucket[-ID_BYTES:]

    def pop(self, until: float = math.inf) -> bytes | None:
        """Take out one id from the first bucket, if that ended at ``until`` or before."""
        while self._ends:
            end = self._ends[0]
            bucket = self._buckets[end]
            if bucket:
                return _popped(bucket) if end <= until else None
            del self._buckets[heapq.heappop(self._ends)]
        return None

    def current(self, now: float) -> Iterator[bytes]:
        """The ids in the buckets that ``now`` falls into: some of them may have expired."""
        for end in {_rounded_up(now, span) for span in _SPANS.values()}:
            yield from each(self._buckets.get(end, b""))


def _popped(bucket: bytearray) -> bytes:
    id = bytes(bucket[-ID_BYTES:])
    del bucket[-ID_BYTES:]
    return id
