"""The table of ceilings, ``ceilings.txt``: a line for each path, as ``record`` writes it."""

from __future__ import annotations

import math
from pathlib import Path

from ._count import Counts

FILE = Path(__file__).with_name("ceilings.txt")

_HEAD = """\
# What a request costs at most, on each path. Counted on CPython 3.11, which makes the most calls of
# those we support: from 3.12 on, comprehensions are no calls (PEP 709).
# Written by `uv run python -m tests.guard.record`. A smaller number is an improvement to keep, a
# greater one wants a reason in the commit that brings it.
"""
_MARGIN, _STEP = 1.1, 128
"""Of bytes only: dicts grow now and then, and versions of Python differ by a little."""


def read() -> dict[str, Counts]:
    """The ceilings by path."""
    lines = [line for line in FILE.read_text().splitlines() if not line.startswith("#")]
    rows = (line.split("|") for line in lines[1:])
    return {row[0].strip(): Counts(*(int(cell) for cell in row[1].split())) for row in rows}


def write(found: dict[str, Counts]) -> None:
    """Make these the ceilings."""
    head = f"{'path':<24} |" + "".join(f"{name:>9}" for name in Counts._fields)
    rows = [
        f"{path:<24} |" + "".join(f"{number:>9}" for number in _rounded(counts))
        for path, counts in found.items()
    ]
    FILE.write_text(_HEAD + "\n".join([head, *rows]) + "\n")


def _rounded(counts: Counts) -> Counts:
    return counts._replace(bytes=math.ceil(counts.bytes * _MARGIN / _STEP) * _STEP)
