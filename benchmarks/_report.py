"""The table, the page and the picture, all from one run."""

from __future__ import annotations

import json
import platform
import statistics
from html import escape
from pathlib import Path
from typing import Any

from ._cases import Measured
from ._goals import Verdict
from ._rounds import over

ROOT = Path(__file__).parents[1]
_ROW, _LEFT, _WIDTH = 26, 250, 460

_BARS = {
    "Cookie sessions, read": ("read", "cookie"),
    "Cookie sessions, read and written": ("write", "cookie"),
    "Memory sessions, read": ("read", "memory"),
    "Memory sessions, read and written": ("write", "memory"),
}
_FRAMEWORK = {
    "cookie": {
        "sojourn cookie": "starlette",
        "starlette signed cookie": "starlette",
        "starsessions cookie": "starlette",
        "litestar own cookie": "litestar",
        "quart own cookie": "quart",
        "aiohttp-session NaCl": "aiohttp",
        "aiohttp-session Fernet": "aiohttp",
        "hono-sessions cookie": "hono",
    },
    "memory": {
        "sojourn memory": "starlette",
        "starsessions memory": "starlette",
        "litestar own memory": "litestar",
        "hono-sessions memory": "hono",
    },
}


def table(verdicts: list[Verdict]) -> str:
    """The goals as text."""
    width = max(len(verdict.title) for verdict in verdicts)
    lines = [f"{'':3}{'goal':<{width}}  {'wanted':<18}measured (middle half)"]
    lines += [
        f"{'yes' if v.met else 'NO':3} {v.title:<{width}} {v.goal:<18}{v.measured}"
        for v in verdicts
    ]
    return "\n".join(lines)


def page(verdicts: list[Verdict], measured: Measured, how: str) -> str:
    """The page for the docs."""
    goals = [
        f"| {v.title} | {v.goal} | {v.measured} | {'yes' if v.met else 'no'} |" for v in verdicts
    ]
    return "\n".join(
        [
            "# Benchmarks",
            "",
            f"Made by `nox -s bench`{how} on CPython {platform.python_version()}. Overheads:",
            "over the bare framework; ratios within a round, the middle half of them in brackets.",
            "",
            "![Overhead per request](benchmarks.svg)",
            "",
            "| case | goal | measured | met |",
            "|---|---|---|---|",
            *goals,
            "",
            "## Overhead per request",
            "",
            "Microseconds, median of the rounds, beyond the bare framework that is named.",
            "",
            "| sessions | over | none | read | write | create |",
            "|---|---|---|---|---|---|",
            *_overheads(measured),
            "",
        ]
    )


def _overheads(measured: Measured) -> list[str]:
    rows: list[str] = []
    frameworks = _FRAMEWORK["cookie"] | _FRAMEWORK["memory"]
    for bare in ("litestar", "quart", "aiohttp"):
        frameworks |= {f"{bare} sojourn {kind}": bare for kind in ("cookie", "memory")}
    for name, bare in sorted(frameworks.items(), key=lambda item: (item[1], item[0])):
        if name in measured.samples["read"]:
            cells = [
                f"{_median(measured, page, name, bare):.1f}"
                for page in ("none", "read", "write", "create")
            ]
            rows.append(f"| {name} | {bare} | {' | '.join(cells)} |")
    return rows


def _median(measured: Measured, case: str, name: str, bare: str) -> float:
    return statistics.median(over(measured.samples[case], name, bare))


def picture(measured: Measured) -> str:
    """An SVG of the overheads: one block per kind of session, logarithmic."""
    blocks, y = [], 12
    for title, (case, kind) in _BARS.items():
        names = [n for n in _FRAMEWORK[kind] if n in measured.samples[case]]
        values = {n: max(0.1, _median(measured, case, n, _FRAMEWORK[kind][n])) for n in names}
        blocks.append(_block(title, values, y))
        y += _ROW * (len(names) + 2)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + 110}" height="{y}" '
        'font-family="system-ui, sans-serif" font-size="13">'
    )
    style = (
        "<style>text{fill:#24292f}.t{font-weight:600}.o{fill:#1f7a5c}.p{fill:#b9c2cb}"
        "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.o{fill:#3fb68b}.p{fill:#57606a}}</style>"
    )
    return f"{head}{style}{''.join(blocks)}</svg>\n"


def _block(title: str, values: dict[str, float], y: int) -> str:
    parts = [
        f'<text class="t" x="0" y="{y + 12}">{escape(title)}: µs over the bare framework</text>'
    ]
    for line, (name, value) in enumerate(values.items(), 1):
        top = y + line * _ROW
        length = _length(value)
        kind = "o" if name.startswith("sojourn") else "p"
        parts += [
            f'<text x="{_LEFT - 8}" y="{top + 13}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{length:.0f}" height="18" rx="3"/>',
            f'<text x="{_LEFT + length + 6:.0f}" y="{top + 13}">{_label(value)}</text>',
        ]
    return "".join(parts)


def _length(value: float) -> float:
    """Linear, cut at the width: a logarithm would flatter those who take long."""
    return min(_WIDTH, value * 1.4)


def _label(value: float) -> str:
    return f"\N{RIGHTWARDS ARROW} {value:,.0f}" if value * 1.4 > _WIDTH else f"{value:.0f}"


def as_json(verdicts: list[Verdict], measured: Measured) -> str:
    """Everything that was measured."""
    whole: dict[str, Any] = {
        "python": platform.python_version(),
        "goals": [verdict._asdict() for verdict in verdicts],
        "cookie_bytes": measured.cookie_bytes,
        "microseconds": {
            case: {name: round(statistics.median(values), 2) for name, values in samples.items()}
            for case, samples in measured.samples.items()
        },
    }
    return json.dumps(whole, indent=1) + "\n"
