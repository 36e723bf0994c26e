"""Where one site's time goes: ``python -m benchmarks.profile "litestar + sojourn cookie" read``.

py-spy looks at the process from outside, a thousand times a second. Nothing is slowed down more
than anything else, as it would be by a profiler that is called at each call. Shares of samples are
turned into microseconds by the processor's time per request.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import monotonic, process_time
from typing import Any, NamedTuple

from sojourn import KeyRing

from . import _aiohttp, _litestar, _quart, _starlette
from ._cases import CASES
from ._data import session_data
from ._sites import Site, entered, framework_of

_RATE = 1000
_LAYERS = (
    ("core: sealing", "sojourn/_(sodium|keyring)"),
    ("core: the handle and its draft", "sojourn/_(handle|draft|typed_view|model)"),
    ("core: loading, cookies in", "sojourn/_(loading|cookies|backend|recent|token)"),
    ("core: deciding", "sojourn/_(plan|transitions|timeouts|state|codec)"),
    ("core: committing, cookies out", "sojourn/_(committing|set_cookie|headers|manager|events)"),
    ("core: rows", "sojourn/_(serverside|record|border|store|vault)"),
    ("core: the rest", "sojourn/"),
    ("cookie store", "sojourn_cookie/"),
    ("memory store", "sojourn_memory/"),
    ("adapter", "sojourn_"),
    ("the benchmark's client and pages", "benchmarks/"),
    ("framework and peers", "site-packages/"),
    ("Python's library", ""),
)


class Profile(NamedTuple):
    """Microseconds of a request by function, (file, name), and in all."""

    functions: Counter[tuple[str, str]]
    total: float


def main() -> int:
    """Profile one site and its bare framework, and print what makes the difference."""
    options = _options()
    if options.inside:
        asyncio.run(_serve(options.site, options.case, options.seconds))
        return 0
    print(explain(options.site, options.case, seconds=options.seconds))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("site", help='"starlette + sojourn cookie", as benchmarks.md names it')
    parser.add_argument("case", choices=[case.name for case in CASES], help="what is asked for")
    parser.add_argument("--seconds", type=float, default=10, help="how long to look; 10")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def explain(site: str, case: str, *, seconds: float, most: int = 24) -> str:
    """A table per layer, and the functions of this project that cost most, as Markdown."""
    whole, bare = record(site, case, seconds), record(framework_of(site), case, seconds)
    layers, before = _by_layer(whole), _by_layer(bare)
    lines = [
        f"**{site}, {case}**: {whole.total:.1f} µs of a processor, bare {bare.total:.1f} µs.",
        "",
        "| layer | µs | of the bare framework |",
        "| --- | --- | --- |",
    ]
    lines += [
        f"| {layer} | {layers[layer]:.1f} | {before[layer]:.1f} |"
        for layer, _ in _LAYERS
        if layers[layer] or before[layer]
    ]
    lines += ["", "| function | file | µs |", "| --- | --- | --- |"]
    ours = [(key, us) for key, us in whole.functions.most_common() if "sojourn" in key[0]]
    lines += [f"| {name} | {file} | {us:.2f} |" for (file, name), us in ours[:most]]
    return "\n".join(lines)


def record(site: str, case: str, seconds: float) -> Profile:
    """Look at a process that serves the same request again and again."""
    inside = [sys.executable, "-m", "benchmarks.profile", "--inside", f"--seconds={seconds}"]
    with tempfile.TemporaryDirectory() as folder:
        stacks = Path(folder) / "stacks.json"
        options = [
            "--format=speedscope",
            f"--rate={_RATE}",
            f"--output={stacks}",
            "--full-filenames",
            "--nonblocking",
        ]
        command = [_py_spy(), "record", *options, "--", *inside, site, case]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found = re.search(r"us per request: ([\d.]+)", done.stdout)
        if done.returncode or found is None:
            raise SystemExit(f"py-spy: {done.stderr[-400:]}")
        return _profile(stacks.read_text(), float(found[1]))


def _py_spy() -> str:
    """The program: beside this Python, or wherever the shell finds it. FileNotFoundError if not."""
    beside = shutil.which("py-spy", path=str(Path(sys.executable).parent))
    found = beside or shutil.which("py-spy")
    if found is None:
        raise FileNotFoundError("py-spy, of the dependency group bench")
    return found


def _profile(recorded: str, total: float) -> Profile:
    """What a speedscope file says about the time after the mark."""
    whole = json.loads(recorded)
    frames = whole["shared"]["frames"]
    counts: Counter[tuple[str, str]] = Counter()
    for thread in whole["profiles"]:
        stacks = [stack for stack in thread["samples"] if stack]
        marks = [n for n, stack in enumerate(stacks) if _is_mark(stack, frames)]
        for stack, seen in itertools.groupby(stacks[marks[-1] + 1 :] if marks else ()):
            own = frames[stack[-1]]
            # Seen again and again at one place: the process was waiting for a processor.
            counts[_short(own["file"]), own["name"]] += min(len(list(seen)), 2)
    share = total / max(1, counts.total())
    return Profile(Counter({key: n * share for key, n in counts.items()}), total)


def _is_mark(stack: list[int], frames: list[dict[str, Any]]) -> bool:
    return bool(frames[stack[-1]]["name"] == _mark.__name__)


def _mark() -> None:
    """Be seen: what comes before this is setting up."""
    ends = monotonic() + 0.2
    while monotonic() < ends:
        pass


def _short(file: str) -> str:
    """The path from where it means the same on every machine."""
    for folder in ("/src/", "/site-packages/", "/benchmarks/"):
        before, found, rest = file.rpartition(folder)
        if found and before:
            return rest if folder == "/src/" else f"{folder[1:]}{rest}"
    return Path(file).name


def _by_layer(profile: Profile) -> Counter[str]:
    layers: Counter[str] = Counter()
    for (file, _), us in profile.functions.items():
        layers[next(layer for layer, pattern in _LAYERS if re.search(pattern, file))] += us
    return layers


async def _serve(name: str, case_name: str, seconds: float) -> None:
    case = next(case for case in CASES if case.name == case_name)
    sites: dict[str, Site] = {}
    for module in (_starlette, _litestar, _quart, _aiohttp):
        sites |= module.sites(session_data(case.size), KeyRing.generate())
    entry = await entered(name, sites[name])
    run = entry.for_case(case.page, case.cookie, case.at_once)
    await run(1000)
    _mark()
    started, ends, count = process_time(), monotonic() + seconds, itertools.count()
    while monotonic() < ends:
        await run(500)
        next(count)
    requests = next(count) * 500
    print(f"us per request: {(process_time() - started) / requests * 1e6:.2f}")


if __name__ == "__main__":
    sys.exit(main())
