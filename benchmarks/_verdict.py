"""A goal beside what was measured."""

from __future__ import annotations

from typing import NamedTuple

from ._rounds import Spread


class Verdict(NamedTuple):
    """One line of the report.

    ``limit``: what the raw primitives reach in our place, in the same run, where that is measured.
    """

    title: str
    goal: str
    measured: str
    met: bool
    limit: str = ""


def at_most(title: str, found: Spread, most: float, limit: Spread | None = None) -> Verdict:
    """A ratio that is not to be greater."""
    return Verdict(title, f"at most {most:g}", str(found), found.median <= most, _short(limit))


def at_least(title: str, found: Spread, least: float, limit: Spread | None = None) -> Verdict:
    """A ratio that is not to be smaller."""
    met = found.median >= least
    return Verdict(title, f"at least {least:g}", str(found), met, _short(limit))


def times_less(title: str, found: Spread, least: float, limit: Spread | None = None) -> Verdict:
    """A peer's cost over ours."""
    met = found.median >= least
    return Verdict(title, f"{least:g} times less", str(found), met, _short(limit))


def _short(limit: Spread | None) -> str:
    return "" if limit is None else f"{limit.median:.2f}"


def table(verdicts: list[Verdict]) -> str:
    """The goals as text for a terminal."""
    width = max(len(verdict.title) for verdict in verdicts)
    met = sum(verdict.met for verdict in verdicts)
    head = f"{'':4}{'goal':<{width}}  {'wanted':<16}  {'measured (middle half)':<24}  limit"
    lines = [
        f"{'yes' if v.met else 'NO':4}{v.title:<{width}}  {v.goal:<16}  {v.measured:<24}  {v.limit}"
        for v in verdicts
    ]
    return "\n".join([head, *lines, f"{met} of {len(verdicts)} goals are met"])
