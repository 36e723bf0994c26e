"""Writes the ceilings anew, or shows one path: ``python -m tests.guard.record [--show PATH]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from ._ceilings import FILE, write
from ._count import calls, counts
from ._paths import PATHS


def main() -> int:
    """Count every path, and write what was found into the table; or show one path's calls."""
    parser = argparse.ArgumentParser(prog="python -m tests.guard.record", description=__doc__)
    parser.add_argument("--show", metavar="PATH", choices=PATHS, help="show this path's calls")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.show:
            shown = calls(options.show, Path(folder))
            sys.stdout.writelines(f"{'  ' * call.depth}{call.name}\n" for call in shown)
            return 0
        found = {}
        for number, path in enumerate(PATHS):
            place = Path(folder) / str(number)
            place.mkdir()
            found[path] = counts(path, place)
    write(found)
    sys.stdout.write(f"{FILE.name}: {len(found)} paths\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
