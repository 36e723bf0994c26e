"""``python -m benchmarks [--quick] [--keep]``: every goal beside its measured ratio."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from time import monotonic
from typing import Any

from . import _imports, _plot, _report, _scale, postgres, profile, redis, sqlite
from ._cases import Say, run_all
from ._goals import missed, verdicts
from ._verdict import Verdict, table

_STORES: dict[str, Any] = {"SQLite": sqlite, "Redis": redis, "PostgreSQL": postgres}


def main() -> int:
    """Measure, print, and write the page; the exit status is 0 whatever was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: under two minutes")
    parser.add_argument("--keep", action="store_true", help="write the page, also after --quick")
    options = parser.parse_args()
    started = monotonic()
    # A server has its log set up; without it, each warning of a peer's would go to the terminal.
    logging.basicConfig(handlers=[logging.NullHandler()])

    def say(what: str) -> None:
        sys.stderr.write(f"[{monotonic() - started:5.0f} s] {what}\n")

    results = _measured(quick=options.quick, say=say)
    print(table(results.verdicts))
    if options.keep or not options.quick:
        how = " -- --quick --keep" if options.quick else ""
        page = _report.page(results, how=how, profile=_explained(results, say))
        (_report.DOCS / "benchmarks.md").write_text(page)
        (_report.DOCS / "benchmarks.svg").write_text(_plot.picture(results.measured))
        _report.RESULTS.write_text(_report.as_json(results))
    say("done")
    return 0


def _explained(results: _report.Results, say: Say) -> str:
    """The profiles of what misses a goal, as Markdown."""
    parts = []
    for site, case in missed(results.measured):
        say(f"profile of {site}, {case}")
        try:
            parts.append(profile.explain(site, case, seconds=4))
        except OSError as error:
            say(f"without profiles: {error}")
            break
    return "\n\n".join(parts)


def _measured(*, quick: bool, say: Say) -> _report.Results:
    rounds, counts, imports = (24, (100_000,), 3) if quick else (400, (100_000, 1_000_000), 15)
    measured = asyncio.run(run_all(rounds=rounds, say=say))
    scales = []
    for sessions in counts:
        for store in _scale.STORES:
            say(f"{sessions:,} sessions in memory: {store}")
            scales.append(_scale.measure(store, sessions))
    say("imports")
    imported = _imports.measure(imports)
    lines = [*verdicts(measured, scales), *_stores(quick=quick, say=say)]
    return _report.Results(measured, scales, imported, lines)


def _stores(*, quick: bool, say: Say) -> list[Verdict]:
    """The goals of the stores with files and servers, each measured by its own module."""
    lines: list[Verdict] = []
    for name, module in _STORES.items():
        say(name)
        try:
            lines += module.measure(quick=quick)
        except OSError as error:
            say(f"without {name}: {error}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
