"""The picture: what a session adds to a request, as SVG that is readable on light and on dark."""

from __future__ import annotations

import math
from html import escape
from typing import NamedTuple

from ._cases import Measured
from ._goals import overhead

WIDTH = 860
_LEFT, _RIGHT, _ROW, _TOP = 250, 190, 25, 96
_PANEL_GAP, _PANEL_HEAD, _FOOT = 20, 30, 46
_FEWEST, _MOST = 1.0, 3_000.0
"""Microseconds at both ends of the scale, which is logarithmic: points, because bars would lie."""


class Row(NamedTuple):
    """A candidate as readers know it."""

    label: str
    name: str


PANELS: tuple[tuple[str, tuple[Row, ...]], ...] = (
    (
        "Sessions in the cookie",
        (
            Row("Sojourn on Starlette", "starlette + sojourn cookie"),
            Row("Starlette (signed only)", "starlette + signed cookie"),
            Row("starsessions (signed only)", "starlette + starsessions cookie"),
            Row("Sojourn on Litestar", "litestar + sojourn cookie"),
            Row("Litestar", "litestar + own cookie"),
            Row("Sojourn on Quart", "quart + sojourn cookie"),
            Row("Quart (signed only)", "quart + own cookie"),
            Row("Sojourn on aiohttp", "aiohttp + sojourn cookie"),
            Row("aiohttp-session, NaCl", "aiohttp + aiohttp-session NaCl cookie"),
            Row("aiohttp-session, Fernet", "aiohttp + aiohttp-session Fernet cookie"),
            Row("hono-sessions on Node", "hono + hono-sessions cookie"),
        ),
    ),
    (
        "Sessions in memory",
        (
            Row("Sojourn on Starlette", "starlette + sojourn memory"),
            Row("starsessions", "starlette + starsessions memory"),
            Row("Sojourn on Litestar", "litestar + sojourn memory"),
            Row("Litestar", "litestar + own memory"),
            Row("hono-sessions on Node", "hono + hono-sessions memory"),
        ),
    ),
)

_STYLE = """
.card{fill:#ffffff;stroke:#d8dee4}.ink{fill:#1f2328}.soft{fill:#59636e}.grid{stroke:#e6eaef}
.ours{fill:#0b7a5b}.theirs{fill:#8c959f}.own{font-weight:600}
.ring{fill:#ffffff;stroke-width:2.4}.ring.ours{fill:#ffffff;stroke:#0b7a5b}
.ring.theirs{fill:#ffffff;stroke:#8c959f}.bar{stroke-width:3;stroke-linecap:round;opacity:.35}
.bar.ours{stroke:#0b7a5b}.bar.theirs{stroke:#8c959f}
@media(prefers-color-scheme:dark){
.card{fill:#0d1117;stroke:#30363d}.ink{fill:#e6edf3}.soft{fill:#9198a1}.grid{stroke:#21262d}
.ours{fill:#3fb68b}.theirs{fill:#7d8590}.ring.ours{fill:#0d1117;stroke:#3fb68b}
.ring.theirs{fill:#0d1117;stroke:#7d8590}.bar.ours{stroke:#3fb68b}.bar.theirs{stroke:#7d8590}}
"""


def picture(measured: Measured) -> str:
    """What a read and a write add to a request of the bare framework."""
    panels = [(title, _present(rows, measured)) for title, rows in PANELS]
    height = _TOP + sum(_panel_height(len(rows)) for _, rows in panels) + _FOOT
    parts = [
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="10"/>',
        _text(24, 34, "What a session adds to a request", "ink", size=18, bold=True),
        _text(24, 56, "microseconds beyond the same page of the same framework without", "soft"),
        *_legend(),
    ]
    y = _TOP
    for title, rows in panels:
        parts += _panel(title, rows, measured, y)
        y += _panel_height(len(rows))
    parts += _axis(y)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-size="13" role="img" '
        'aria-label="What a session adds to a request, in microseconds" '
        'font-family="system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif">'
    )
    return f"{head}<style>{_STYLE}</style>{''.join(parts)}</svg>\n"


def _present(rows: tuple[Row, ...], measured: Measured) -> list[Row]:
    return [row for row in rows if row.name in measured.samples["read"]]


def _panel_height(rows: int) -> int:
    return _PANEL_HEAD + rows * _ROW + _PANEL_GAP


def _panel(title: str, rows: list[Row], measured: Measured, y: int) -> list[str]:
    top, bottom = y + _PANEL_HEAD - 8, y + _PANEL_HEAD + len(rows) * _ROW
    parts = [_text(24, y + 14, title, "ink", bold=True)]
    parts += [
        f'<line class="grid" x1="{_x(tick):.1f}" x2="{_x(tick):.1f}" y1="{top}" y2="{bottom}"/>'
        for tick in _ticks()
    ]
    for number, row in enumerate(rows):
        parts += _row(row, measured, y + _PANEL_HEAD + number * _ROW + _ROW // 2)
    return parts


def _row(row: Row, measured: Measured, y: int) -> list[str]:
    read = overhead(measured, "read", row.name).median
    write = overhead(measured, "write", row.name).median
    kind = "ours" if "sojourn" in row.name else "theirs"
    label = "ink own" if kind == "ours" else "ink"
    near, far = sorted((_x(read), _x(write)))
    return [
        _text(_LEFT - 16, y + 4.5, row.label, label, anchor="end"),
        f'<line class="bar {kind}" x1="{near:.1f}" x2="{far:.1f}" y1="{y}" y2="{y}"/>',
        f'<circle class="ring {kind}" cx="{_x(write):.1f}" cy="{y}" r="4.6"/>',
        f'<circle class="{kind}" cx="{_x(read):.1f}" cy="{y}" r="5.6"/>',
        _text(WIDTH - 96, y + 4.5, _number(read), label, anchor="end"),
        _text(WIDTH - 28, y + 4.5, _number(write), label, anchor="end"),
    ]


def _legend() -> list[str]:
    return [
        f'<circle class="theirs" cx="{_LEFT}" cy="80" r="5.6"/>',
        _text(_LEFT + 12, 84.5, "one value read", "soft"),
        f'<circle class="ring theirs" cx="{_LEFT + 130}" cy="80" r="4.6"/>',
        _text(_LEFT + 142, 84.5, "read and written", "soft"),
        _text(WIDTH - 96, 84.5, "read", "soft", anchor="end"),
        _text(WIDTH - 28, 84.5, "write", "soft", anchor="end"),
    ]


def _axis(y: int) -> list[str]:
    labels = [_text(_x(tick), y + 2, f"{tick:,.0f}", "soft", anchor="middle") for tick in _ticks()]
    return [*labels, _text(24, y + 2, "microseconds, logarithmic", "soft")]


def _ticks() -> list[float]:
    return [1.0, 10.0, 100.0, 1000.0]


def _x(value: float) -> float:
    """Where this many microseconds lie; less than the scale begins with lies at its begin."""
    share = math.log(max(value, _FEWEST) / _FEWEST) / math.log(_MOST / _FEWEST)
    return _LEFT + min(share, 1.0) * (WIDTH - _LEFT - _RIGHT)


def _number(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _text(
    x: float,
    y: float,
    text: str,
    kind: str,
    *,
    anchor: str = "start",
    size: int = 0,
    bold: bool = False,
) -> str:
    more = f' font-size="{size}"' if size else ""
    more += ' font-weight="600"' if bold else ""
    more += f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{more}>{escape(text)}</text>'
