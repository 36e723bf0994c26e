"""``python -m benchmarks [--quick]``: every goal beside its measured ratio."""

from __future__ import annotations

import argparse
import asyncio
import sys
from time import monotonic

from . import _report, _scale
from ._cases import run_all
from ._data import SMALL
from ._goals import verdicts


def main() -> int:
    """Measure, print, and write the page; the exit status is 0 whatever was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: under two minutes")
    parser.add_argument("--keep", action="store_true", help="write docs/benchmarks.md and .svg")
    options = parser.parse_args()
    started = monotonic()

    def say(what: str) -> None:
        sys.stderr.write(f"[{monotonic() - started:5.0f} s] {what}\n")

    rounds, each, sessions = (9, 100, 100_000) if options.quick else (41, 200, 1_000_000)
    measured = asyncio.run(run_all(SMALL, rounds=rounds, each=each, say=say))
    say(f"memory store with {sessions:,} sessions")
    lines = verdicts(measured, _scale.measure(sessions))
    print(_report.table(lines))
    if options.keep or not options.quick:
        how = " -- --quick" if options.quick else ""
        docs = _report.ROOT / "docs"
        (docs / "benchmarks.md").write_text(_report.page(lines, measured, how))
        (docs / "benchmarks.svg").write_text(_report.picture(measured))
        (_report.ROOT / "benchmarks" / "results.json").write_text(_report.as_json(lines, measured))
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
