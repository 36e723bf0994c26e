"""The goals, as one table, and what a run says about each."""

from __future__ import annotations

from typing import NamedTuple

from ._cases import Measured
from ._rounds import Ratio, over, ratio
from ._scale import Scale


class Goal(NamedTuple):
    """A peer's overhead over ours, which should be at least so many times as much."""

    title: str
    case: str
    peer: str
    bare_of_peer: str
    ours: str
    bare: str
    at_least: float


class Verdict(NamedTuple):
    """One line of the report."""

    title: str
    goal: str
    measured: str
    met: bool


_COOKIE, _MEMORY = "sojourn cookie", "sojourn memory"
_S, _L, _Q, _A, _H = "starlette", "litestar", "quart", "aiohttp", "hono"
_L_COOKIE, _L_MEMORY = "litestar own cookie", "litestar own memory"
_STAR = "starsessions memory"
_H_COOKIE, _H_MEMORY = "hono-sessions cookie", "hono-sessions memory"

OVERHEADS = (
    Goal("cookie read vs Starlette's", "read", "starlette signed cookie", _S, _COOKIE, _S, 4),
    Goal("cookie write vs Starlette's", "write", "starlette signed cookie", _S, _COOKIE, _S, 3),
    Goal("cookie read vs Litestar's", "read", _L_COOKIE, _L, "litestar sojourn cookie", _L, 8),
    Goal("cookie write vs Litestar's", "write", _L_COOKIE, _L, "litestar sojourn cookie", _L, 8),
    Goal("cookie read vs Quart's", "read", "quart own cookie", _Q, "quart sojourn cookie", _Q, 5),
    Goal("cookie write vs Quart's", "write", "quart own cookie", _Q, "quart sojourn cookie", _Q, 5),
    Goal("cookie read vs aiohttp-session NaCl", "read", "aiohttp-session NaCl", _A,
         "aiohttp sojourn cookie", _A, 5),
    Goal("cookie write vs aiohttp-session NaCl", "write", "aiohttp-session NaCl", _A,
         "aiohttp sojourn cookie", _A, 5),
    Goal("cookie read vs hono-sessions", "read", _H_COOKIE, _H, _COOKIE, _S, 100),
    Goal("cookie write vs hono-sessions", "write", _H_COOKIE, _H, _COOKIE, _S, 60),
    Goal("memory read vs starsessions", "read", _STAR, _S, _MEMORY, _S, 6),
    Goal("memory read vs Litestar's", "read", _L_MEMORY, _L, "litestar sojourn memory", _L, 20),
    Goal("memory read vs hono-sessions", "read", _H_MEMORY, _H, _MEMORY, _S, 10),
    Goal("memory write vs starsessions", "write", _STAR, _S, _MEMORY, _S, 3.5),
    Goal("memory write vs Litestar's", "write", _L_MEMORY, _L, "litestar sojourn memory", _L, 10),
    Goal("memory write vs hono-sessions", "write", _H_MEMORY, _H, _MEMORY, _S, 6),
)  # fmt: skip

# case, candidate, baseline, at most
TIMES = (
    ("core cookie read / its raw primitives", "core", "core cookie read", "raw cookie read", 1.5),
    ("untouched request / bare Starlette", "none", _COOKIE, _S, 1.15),
    ("forged 3.8 KB cookie, untouched / bare", "forged", _COOKIE, _S, 1.08),
)


def verdicts(measured: Measured, scale: Scale | None) -> list[Verdict]:
    """Every goal beside what was measured."""
    lines = [_time(measured, line) for line in TIMES]
    lines += [_overhead(measured, goal) for goal in OVERHEADS if _is_there(measured, goal)]
    size = measured.cookie_bytes[_COOKIE]
    lines.append(Verdict("cookie of a 250 B session", "at most 370 B", f"{size} B", size <= 370))
    return lines + ([] if scale is None else _scale(scale))


def _is_there(measured: Measured, goal: Goal) -> bool:
    return goal.peer in measured.samples[goal.case]


def _time(measured: Measured, line: tuple[str, str, str, str, float]) -> Verdict:
    title, case, ours, bare, most = line
    samples = measured.samples[case]
    found = ratio(samples[ours], samples[bare])
    return Verdict(title, f"at most {most:g}", str(found), found.median <= most)


def overhead(measured: Measured, goal: Goal) -> Ratio:
    """How many times our overhead the peer's is."""
    samples = measured.samples[goal.case]
    theirs = over(samples, goal.peer, goal.bare_of_peer)
    return ratio(theirs, over(samples, goal.ours, goal.bare))


def _overhead(measured: Measured, goal: Goal) -> Verdict:
    found = overhead(measured, goal)
    met = found.median >= goal.at_least
    return Verdict(goal.title, f"{goal.at_least:g} times less", str(found), met)


def _scale(scale: Scale) -> list[Verdict]:
    count = f"memory store, {scale.sessions:,} sessions:"
    lines = (
        (
            "bytes per session",
            "at most 330 B",
            f"{scale.bytes_each:.0f} B",
            scale.bytes_each <= 330,
        ),
        ("longest gap in a clean-up", "at most 3 ms", f"{scale.gap_ms:.1f} ms", scale.gap_ms <= 3),
        ("full collection", "at most 30 ms", f"{scale.collect_ms:.0f} ms", scale.collect_ms <= 30),
    )
    return [Verdict(f"{count} {title}", *rest) for title, *rest in lines]
