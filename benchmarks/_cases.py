"""What is measured together, so that it can be compared: the cases, as one table."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from time import thread_time
from typing import Any, NamedTuple

from sojourn import KeyRing

from . import _aiohttp, _core, _litestar, _node, _quart, _starlette
from ._data import session_data
from ._rounds import Run, Samples, take_turns
from ._sites import Entry, Site, entered
from ._steps import Steps, steps_beyond, steps_of

Say = Callable[[str], None]


class Case(NamedTuple):
    """Requests for one page.

    ``cookie``: "own" (another session each time), "same" (one session again and again), "none", or
    "forged". ``share``: of the rounds.
    """

    name: str
    page: str
    cookie: str = "own"
    size: int = 250
    at_once: int = 1
    share: float = 1.0


CASES = (
    Case("none", "none"),
    Case("read", "read", share=2),
    Case("write", "write", share=2),
    Case("read again", "read", "same"),
    Case("write again", "write", "same", share=0.5),
    Case("create", "create", "none", share=0.5),
    Case("anonymous", "none", "none", share=0.5),
    Case("forged", "none", "forged"),
    Case("forged, read", "read", "forged", share=0.5),
    Case("read, 64 at once", "read", at_once=64, share=0.5),
    Case("write, 64 at once", "write", at_once=64, share=0.5),
    Case("read, 1,500 B", "read", size=1500, share=0.5),
    Case("write, 1,500 B", "write", size=1500, share=0.5),
)

_EACH = 10
"""Requests of one sample."""


class Measured:
    """All samples of a run: case, then candidate, then microseconds per round."""

    def __init__(self) -> None:
        self.samples: dict[str, Samples] = {}
        self.cookie_bytes: dict[str, dict[int, int]] = {}
        self.steps: Steps = {}


async def run_all(*, rounds: int, say: Say) -> Measured:
    """Measure every case."""
    measured = Measured()
    keys = KeyRing.generate()
    say(f"core: {rounds} rounds")
    core = await _core.candidates(session_data(250), keys)
    measured.samples["core"] = await _turns(core, rounds, _EACH * 2)
    core_steps = {name: await steps_of(run) for name, run in core.items()}
    for size in sorted({case.size for case in CASES}):
        with contextlib.ExitStack() as stack:
            say(f"{size} B: sites and sessions")
            entries = await _entries(session_data(size), keys, stack, say)
            for name, entry in entries.items():
                value = len(entry.cookies[0].partition(b"=")[2])
                measured.cookie_bytes.setdefault(name, {})[size] = value
            for case in (case for case in CASES if case.size == size):
                turns = max(5, round(rounds * case.share))
                say(f"{case.name}: {turns} rounds of {len(entries)} sites")
                runs = {
                    name: entry.for_case(case.page, case.cookie, case.at_once)
                    for name, entry in entries.items()
                }
                each = max(_EACH, case.at_once)
                measured.samples[case.name] = await _turns(runs, turns, each)
            if not measured.steps:
                say("instructions")
                measured.steps = {"core": core_steps, **await steps_beyond(entries)}
    return measured


async def _turns(candidates: dict[str, Run], rounds: int, each: int) -> Samples:
    # Nothing here waits for anything, so the processor's time is all there is.
    return await take_turns(candidates, rounds=rounds, each=each, clock=thread_time)


async def _entries(
    data: dict[str, Any], keys: str, stack: contextlib.ExitStack, say: Say
) -> dict[str, Entry]:
    sites: dict[str, Site] = {}
    for module in (_starlette, _litestar, _quart, _aiohttp):
        sites |= module.sites(data, keys)
    try:
        node = _node.Node(data)
    except (RuntimeError, OSError) as error:
        say(f"without hono-sessions: {error}")
    else:
        stack.callback(node.close)
        sites |= _node.sites(node)
    return {name: await entered(name, site) for name, site in sites.items()}
