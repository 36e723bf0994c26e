"""The goals, as tables, and what a run says about each."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ._cases import Measured
from ._rounds import Spread, over, ratio, spread
from ._scale import Scale
from ._sites import framework_of
from ._verdict import Verdict, at_most, times_less


class Less(NamedTuple):
    """A peer's overhead over its framework, which is to be so many times as much as ours."""

    title: str
    case: str
    peer: str
    ours: str
    at_least: float


class Most(NamedTuple):
    """A time that is to be at most so many times another one."""

    title: str
    case: str
    ours: str
    other: str
    at_most: float


_COOKIE, _MEMORY = "starlette + sojourn cookie", "starlette + sojourn memory"
_SIGNED, _STAR = "starlette + signed cookie", "starlette + starsessions memory"
_L_COOKIE, _L_MEMORY = "litestar + sojourn cookie", "litestar + sojourn memory"
_LITESTAR_COOKIE, _LITESTAR_MEMORY = "litestar + own cookie", "litestar + own memory"
_Q_COOKIE, _QUART = "quart + sojourn cookie", "quart + own cookie"
_A_COOKIE, _NACL = "aiohttp + sojourn cookie", "aiohttp + aiohttp-session NaCl cookie"
_FERNET = "aiohttp + aiohttp-session Fernet cookie"
_HONO_COOKIE = "hono + hono-sessions cookie"
_HONO_MEMORY = "hono + hono-sessions memory"

MOST = (
    Most("core cookie read / its raw primitives", "core", "core", "raw", 1.5),
    Most("untouched request / bare Starlette, cookie", "none", _COOKIE, "starlette", 1.15),
    Most("untouched request / bare Starlette, memory", "none", _MEMORY, "starlette", 1.15),
    Most("untouched request / bare Litestar", "none", _L_COOKIE, "litestar", 1.15),
    Most("untouched request / bare Quart", "none", _Q_COOKIE, "quart", 1.15),
    Most("untouched request / bare aiohttp", "none", _A_COOKIE, "aiohttp", 1.15),
    Most("forged 3.8 KB cookie, untouched / bare", "forged", _COOKIE, "starlette", 1.08),
)

LESS = (
    Less("cookie read vs Starlette's signed one", "read", _SIGNED, _COOKIE, 4),
    Less("cookie write vs Starlette's signed one", "write", _SIGNED, _COOKIE, 3),
    Less("cookie read vs Litestar's", "read", _LITESTAR_COOKIE, _L_COOKIE, 8),
    Less("cookie write vs Litestar's", "write", _LITESTAR_COOKIE, _L_COOKIE, 8),
    Less("cookie read vs Quart's signed one", "read", _QUART, _Q_COOKIE, 5),
    Less("cookie write vs Quart's signed one", "write", _QUART, _Q_COOKIE, 5),
    Less("cookie read vs aiohttp-session, NaCl", "read", _NACL, _A_COOKIE, 5),
    Less("cookie write vs aiohttp-session, NaCl", "write", _NACL, _A_COOKIE, 5),
    Less("cookie read vs aiohttp-session, Fernet", "read", _FERNET, _A_COOKIE, 5),
    Less("cookie write vs aiohttp-session, Fernet", "write", _FERNET, _A_COOKIE, 5),
    Less("cookie read vs hono-sessions", "read", _HONO_COOKIE, _COOKIE, 100),
    Less("cookie write vs hono-sessions", "write", _HONO_COOKIE, _COOKIE, 60),
    Less("memory read vs starsessions", "read", _STAR, _MEMORY, 6),
    Less("memory read vs Litestar's", "read", _LITESTAR_MEMORY, _L_MEMORY, 20),
    Less("memory read vs hono-sessions", "read", _HONO_MEMORY, _MEMORY, 10),
    Less("memory write vs starsessions", "write", _STAR, _MEMORY, 3.5),
    Less("memory write vs Litestar's", "write", _LITESTAR_MEMORY, _L_MEMORY, 10),
    Less("memory write vs hono-sessions", "write", _HONO_MEMORY, _MEMORY, 6),
)

SCALE: tuple[tuple[str, str, Callable[[Scale], float], float], ...] = (
    ("bytes per session", "B", lambda scale: scale.bytes_each, 330),
    ("longest gap of look-ups in a clean-up", "ms", lambda scale: scale.gap_ms or 0, 3),
    ("full garbage collection", "ms", lambda scale: scale.collect_ms, 30),
)

COOKIE_BYTES = 370


def verdicts(measured: Measured, scales: list[Scale]) -> list[Verdict]:
    """Every goal beside what was measured."""
    lines = [_most(measured, goal) for goal in MOST]
    lines += [_less(measured, goal) for goal in LESS if _is_there(measured, goal)]
    size = measured.cookie_bytes[_COOKIE][250]
    lines.append(
        Verdict(
            "cookie of a 250 B session",
            f"at most {COOKIE_BYTES} B",
            f"{size} B",
            size <= COOKIE_BYTES,
        )
    )
    biggest = max((s for s in scales if s.store == "sojourn"), key=lambda s: s.sessions)
    return lines + [_scale(biggest, *goal) for goal in SCALE]


def _most(measured: Measured, goal: Most) -> Verdict:
    samples = measured.samples[goal.case]
    limit = limit_of(goal.ours)
    reached = ratio(samples[limit], samples[goal.other]) if limit in samples else None
    found = ratio(samples[goal.ours], samples[goal.other])
    return at_most(goal.title, found, goal.at_most, reached)


def _less(measured: Measured, goal: Less) -> Verdict:
    samples = measured.samples[goal.case]
    theirs = over(samples, goal.peer, framework_of(goal.peer))
    found = ratio(theirs, over(samples, goal.ours, framework_of(goal.ours)))
    limit = limit_of(goal.ours)
    reached = ratio(theirs, over(samples, limit, framework_of(limit))) if limit in samples else None
    return times_less(goal.title, found, goal.at_least, reached)


def limit_of(ours: str) -> str:
    """The site that does the same by the raw primitives."""
    return ours.replace("sojourn", "limit") if "sojourn" in ours else ""


def missed(measured: Measured) -> list[tuple[str, str]]:
    """The sites of ours, each with the case in which it misses a goal."""
    most = [(g.ours, g.case) for g in MOST if g.case != "core" and not _most(measured, g).met]
    less = [(g.ours, g.case) for g in LESS if _is_there(measured, g) and not _less(measured, g).met]
    return sorted({*most, *less})


def _is_there(measured: Measured, goal: Less) -> bool:
    return goal.peer in measured.samples[goal.case]


def _scale(
    scale: Scale, title: str, unit: str, value: Callable[[Scale], float], most: float
) -> Verdict:
    found = value(scale)
    what = f"{title}, {scale.sessions:,} sessions in memory"
    return Verdict(what, f"at most {most:g} {unit}", f"{found:.1f} {unit}", found <= most)


def overhead(measured: Measured, case: str, name: str) -> Spread:
    """Microseconds beyond the bare framework."""
    return spread(over(measured.samples[case], name, framework_of(name)))
