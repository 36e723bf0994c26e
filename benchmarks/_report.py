"""The tables, the page and the JSON, all from one run."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ._cases import CASES, Measured
from ._goals import overhead
from ._rounds import Samples, quiet, spread
from ._scale import Scale
from ._sites import framework_of, is_bare
from ._verdict import Verdict

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
RESULTS = ROOT / "benchmarks" / "results.json"


class Results:
    """Everything that one run has found."""

    def __init__(
        self, measured: Measured, scales: list[Scale], imports: Samples, verdicts: list[Verdict]
    ) -> None:
        self.measured, self.scales = measured, scales
        self.imports, self.verdicts = imports, verdicts


def page(results: Results, *, how: str, profile: str) -> str:
    """The page for the docs. ``profile``: what explains the goals that are not met, or ""."""
    machine = f"CPython {platform.python_version()}, {platform.system()} {platform.machine()}"
    parts = [
        f"# Benchmarks\n\nMade by `nox -s bench{how}` on {machine}. {_HOW}",
        "![What a session adds to a request, in microseconds](benchmarks.svg)",
        "## Goals\n\n" + _goal_table(results.verdicts),
        *(f"## {_TITLES[c.name]}\n\n{_case_table(results.measured, c.name)}" for c in CASES),
    ]
    parts += [
        "## Very many sessions in memory\n\n" + _scale_table(results.scales),
        "## Bytes of the cookie's value\n\n" + _bytes_table(results.measured),
        "## Import time\n\nMilliseconds beyond what the framework has imported already.\n\n"
        + _import_table(results.imports),
    ]
    parts.append("## Instructions\n\n" + _STEPS + _steps_tables(results.measured))
    if profile:
        parts.append(f"## Where the time goes, where a goal is missed\n\n{profile}")
    return "\n\n".join(parts) + "\n"


_HOW = """All candidates of a case take turns in one process (Node's in a
second one, which takes turns as well), in a new order each round; ratios and differences are taken
within a round, and the median of all rounds is shown with the middle half beside it. *Overhead* is
a request's time beyond that of the same page of the same framework without sessions. Times are the
processor's, so that other work on the machine counts little. Each request comes with another
session, unless it says *again*. *Limit* is a few lines without a library around the same
primitives. [How it is measured](../benchmarks/README.md)."""

_STEPS = """How many of Python's instructions a request takes beyond those of the bare framework,
counted by the interpreter's tracer. A call into C is one of them, whatever it does. Where a goal is
missed, no function stands out in the profiles below: it is the sum of these, and the limit shows
how few the raw primitives need.

"""

_TITLES = {
    "none": "Untouched: a session arrives, nobody looks at it",
    "read": "Read: one value",
    "write": "Write: one value is read and changed",
    "read again": "Read again: the same cookie as before",
    "write again": "Write again: the same cookie as before",
    "create": "Create: seven values for a new visitor",
    "anonymous": "Anonymous: no cookie, nobody looks",
    "forged": "Forged cookie of 3.8 KB, nobody looks",
    "forged, read": "Forged cookie of 3.8 KB, and a value is asked for",
    "read, 64 at once": "Read, 64 requests in flight",
    "write, 64 at once": "Write, 64 requests in flight",
    "read, 1,500 B": "Read, 1,500 B of data",
    "write, 1,500 B": "Write, 1,500 B of data",
}


def _goal_table(verdicts: list[Verdict]) -> str:
    rows = [(v.title, v.goal, v.measured, "yes" if v.met else "**no**", v.limit) for v in verdicts]
    return _table(("goal", "wanted", "measured", "met", "the limit reaches"), rows)


def _case_table(measured: Measured, case: str) -> str:
    samples = measured.samples[case]
    rows = []
    for name in _in_order(samples):
        whole = spread(samples[name])
        beyond = "" if is_bare(name) else str(overhead(measured, case, name))
        rows.append((name, f"{whole.median:.1f}", beyond))
    return _table(("site", "µs per request", "overhead, µs"), rows)


def _in_order(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (framework_of(name), not is_bare(name), name))


def _scale_table(scales: list[Scale]) -> str:
    rows = [
        (
            scale.store,
            f"{scale.sessions:,}",
            f"{scale.bytes_each:.0f}",
            f"{scale.lookup_us:.1f}",
            f"{scale.collect_ms:.0f}",
            "never" if scale.clean_up_s is None else f"{scale.clean_up_s:.2f}",
            "" if scale.gap_ms is None else f"{scale.gap_ms:.1f}",
        )
        for scale in scales
    ]
    head = (
        "store",
        "sessions",
        "bytes each",
        "look-up, µs",
        "full collection, ms",
        "clean-up of half, s",
        "longest wait of a look-up in it, ms",
    )
    return _table(head, rows)


def _bytes_table(measured: Measured) -> str:
    rows = [
        (name, *(str(sizes[size]) for size in sorted(sizes)))
        for name in _in_order(measured.cookie_bytes)
        if not is_bare(name) and (sizes := measured.cookie_bytes[name])
    ]
    sizes = sorted(next(iter(measured.cookie_bytes.values())))
    return _table(("site", *(f"{size:,} B of data" for size in sizes)), rows)


def _steps_tables(measured: Measured) -> str:
    core = measured.steps["core"]
    lines = [(f"core alone: {name}", f"{count:.0f}") for name, count in core.items()]
    cases = [case for case in measured.steps if case != "core"]
    names = _in_order(measured.steps[cases[0]])
    rows = [(n, *(f"{measured.steps[case][n]:.0f}" for case in cases)) for n in names]
    whole = _table(("site", *cases), rows)
    return _table(("cookie read", "instructions"), lines) + "\n\n" + whole


def _import_table(imports: Samples) -> str:
    return _table(("import", "ms"), [(name, str(spread(v))) for name, v in imports.items()])


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_json(results: Results) -> str:
    """Everything that was measured: microseconds, milliseconds for imports."""
    measured = results.measured
    whole: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "goals": [verdict._asdict() for verdict in results.verdicts],
        "microseconds": {
            case: {name: _summary(samples[name]) for name in samples}
            for case, samples in measured.samples.items()
        },
        "overhead": {
            case: {
                name: overhead(measured, case, name)._asdict()
                for name in samples
                if not is_bare(name)
            }
            for case, samples in measured.samples.items()
            if case != "core"
        },
        "cookie_bytes": measured.cookie_bytes,
        "instructions": measured.steps,
        "scale": [scale._asdict() for scale in results.scales],
        "import_milliseconds": {
            name: spread(values)._asdict() for name, values in results.imports.items()
        },
    }
    return json.dumps(_rounded(whole), indent=1) + "\n"


def _summary(values: list[float]) -> dict[str, float]:
    return spread(values)._asdict() | {"quickest_tenth": quiet(values), "rounds": len(values)}


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value
