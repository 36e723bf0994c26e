"""No path gets dearer by accident. Counts and not seconds: a busy machine counts as a quiet one."""

from __future__ import annotations

from pathlib import Path

import pytest

from ._ceilings import read
from ._count import Counts, counts
from ._paths import PATHS

CEILINGS = read()


@pytest.mark.parametrize("path", PATHS)
def test_no_path_costs_more_than_it_did(path: str, tmp_path: Path) -> None:
    """A request costs at most what the table says: calls, store calls, seals, bytes, garbage."""
    found, most = counts(path, tmp_path), CEILINGS[path]
    grown = {
        name: f"{number}, at most {ceiling}"
        for name, number, ceiling in zip(Counts._fields, found, most, strict=True)
        if number > ceiling
    }
    assert {} == grown, (
        f"the path {path!r} got dearer. Its calls, now and before the change: "
        f"`uv run python -m tests.guard.record --show {path!r}`. "
        "If the gain is worth it: `uv run python -m tests.guard.record` writes the new table"
    )


def test_every_ceiling_belongs_to_a_path() -> None:
    """The table has a line for each path and no other."""
    assert list(PATHS) == list(CEILINGS)


@pytest.mark.parametrize("path", [path for path in PATHS if path.endswith(("none", "anonymous"))])
def test_nothing_for_nothing(path: str) -> None:
    """An untouched request is allowed no store call and no cryptography, whatever is recorded."""
    assert (0, 0) == (CEILINGS[path].store, CEILINGS[path].sealing)


@pytest.mark.parametrize(
    ("path", "store", "sealing"),
    [
        ("cookie read", 0, 1),
        ("cookie write", 0, 2),
        ("cookie create", 0, 1),
        ("memory read", 1, 0),
        ("memory write", 2, 0),
        ("memory create", 1, 0),
        ("sqlite read", 1, 0),
        ("sqlite write", 2, 0),
        ("sqlite create", 1, 0),
    ],
)
@pytest.mark.parametrize("way", ["core", "asgi"])
def test_io_and_cryptography_are_what_they_must_be(
    way: str, path: str, store: int, sealing: int
) -> None:
    """A read opens once, a write asks and writes once: no recorded ceiling may say more."""
    assert (store, sealing) == CEILINGS[f"{way} {path}"][2:4]
