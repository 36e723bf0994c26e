"""What is measured together, so that it can be compared: one group of candidates per case."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from sojourn import KeyRing

from . import _aiohttp, _litestar, _node, _primitives, _quart, _starlette
from ._rounds import Run, Samples, take_turns
from ._sites import PAGES, Entry, Site, entered

BARE = {"starlette", "litestar", "quart", "aiohttp", "hono"}
FORGED = b"__Host-session=" + b"A" * 3800

Say = Callable[[str], None]


class Measured:
    """All samples of a run: case, then candidate, then microseconds per round."""

    def __init__(self) -> None:
        self.samples: dict[str, Samples] = {}
        self.cookie_bytes: dict[str, int] = {}


async def run_all(data: dict[str, Any], *, rounds: int, each: int, say: Say) -> Measured:
    """Measure every case."""
    measured = Measured()
    keys = KeyRing.generate()
    with contextlib.ExitStack() as stack:
        entries = await _entries(data, keys, stack, say)
        measured.cookie_bytes = {n: len(e.cookie.partition(b"=")[2]) for n, e in entries.items()}
        for page in PAGES:
            say(f"{page}: {len(entries)} sites, {rounds} rounds")
            # The bare framework has no session to read: its plain page is what others add to.
            pages = {name: "none" if name in BARE else page for name in entries}
            candidates = {name: entry.run(pages[name]) for name, entry in entries.items()}
            measured.samples[page] = await take_turns(candidates, rounds=rounds, each=each)
        for case, make in _SPECIAL.items():
            say(f"{case}: {rounds} rounds")
            candidates = await make(data, keys)
            samples = await take_turns(candidates, rounds=rounds, each=each * 4)
            measured.samples[case] = samples
    return measured


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
    return {name: await entered(site, has_session=name not in BARE) for name, site in sites.items()}


async def _forged(data: dict[str, Any], keys: str) -> dict[str, Run]:
    sites = _starlette.sites(data, keys)
    names = ("starlette", "sojourn cookie", "sojourn memory")
    return {name: Entry(sites[name], FORGED).run("none") for name in names}


async def _core(data: dict[str, Any], _keys: str) -> dict[str, Run]:
    return await _primitives.candidates(data)


_SPECIAL: dict[str, Callable[[dict[str, Any], str], Awaitable[dict[str, Run]]]] = {
    "core": _core,
    "forged": _forged,
}
