"""How many instructions of Python's a request takes: the work behind the times.

Counted by the interpreter's own tracer, in code that has run before. What C does is not among them,
nor what Node does. They say why a goal is missed where no function stands out: there is room for so
many instructions in it, and so many are used.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from ._rounds import Run
from ._sites import Entry, framework_of, is_bare

CASES = ("none", "read", "write", "create")
_WARM, _COUNTED = 40, 20

Steps = dict[str, dict[str, float]]
"""Case, then candidate, then instructions of a request beyond the bare framework's."""


class _Tracer:
    """Counts instructions; CPython calls it for each."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> _Tracer:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.count += event == "opcode"
        return self


async def steps_of(run: Run) -> float:
    """Instructions per operation."""
    await run(_WARM)
    tracer, before = _Tracer(), sys.gettrace()
    sys.settrace(tracer)
    try:
        await run(_COUNTED)
    finally:
        sys.settrace(before)
    return tracer.count / _COUNTED


async def steps_beyond(entries: dict[str, Entry]) -> Steps:
    """The table for these sites, but for Node's."""
    ours = {name: entry for name, entry in entries.items() if framework_of(name) != "hono"}
    found: Steps = {}
    for case in CASES:
        cookie = "none" if case == "create" else "own"
        whole = {n: await steps_of(e.for_case(case, cookie, 1)) for n, e in ours.items()}
        found[case] = {n: whole[n] - whole[framework_of(n)] for n in whole if not is_bare(n)}
    return found
