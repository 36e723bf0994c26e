"""What an import costs, each in a fresh process that has imported the framework already."""

from __future__ import annotations

import random
import subprocess
import sys

from ._rounds import Samples

_PEERS = {
    "sojourn: core and memory store": ("anyio, msgspec", "sojourn, sojourn_memory"),
    "sojourn: core, cookie store, libsodium": (
        "anyio, msgspec",
        "sojourn, sojourn_cookie, sojourn._sodium",
    ),
    "sojourn: all, for Starlette": ("starlette.applications", "sojourn_asgi, sojourn_memory"),
    "Starlette's signed cookie": ("starlette.applications", "starlette.middleware.sessions"),
    "starsessions": ("starlette.applications", "starsessions"),
    "Litestar's server-side sessions": ("litestar", "litestar.middleware.session.server_side"),
    "Litestar's encrypted cookie": ("litestar", "litestar.middleware.session.client_side"),
    "aiohttp-session with NaCl": ("aiohttp.web", "aiohttp_session.nacl_storage"),
    "aiohttp-session with Fernet": ("aiohttp.web", "aiohttp_session.cookie_storage"),
}

_PROGRAM = """
import {before}
from time import thread_time
started = thread_time()
import {modules}
print(thread_time() - started)
"""


def measure(rounds: int) -> Samples:
    """Milliseconds of the processor's time, round by round."""
    samples: Samples = {name: [] for name in _PEERS}
    for _ in range(rounds + 1):
        for name in random.sample(list(_PEERS), len(_PEERS)):
            before, modules = _PEERS[name]
            program = _PROGRAM.format(before=before, modules=modules)
            command = [sys.executable, "-c", program]
            answer = subprocess.run(command, check=True, capture_output=True, text=True)
            samples[name].append(float(answer.stdout) * 1e3)
    # The first round fills the file system's cache.
    return {name: values[1:] for name, values in samples.items()}
