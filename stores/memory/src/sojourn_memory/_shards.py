"""A dict in many small parts: Python rebuilds a growing dict at once, which takes 50 ms at 10**6.

Split into 256 parts, the longest rebuild is that of one part.
"""

from __future__ import annotations

from typing import Any

SHARDS = 256
MASK = SHARDS - 1


def shards() -> tuple[dict[Any, bytes], ...]:
    """Empty parts; a key belongs to the one that ``hash(key) & MASK`` names."""
    return tuple({} for _ in range(SHARDS))
