"""The login demos as processes of their own, in front of real stores."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pytest
from tests.stores._running import PATIENCE, SHARED, free_port, wait_for_port

EXAMPLES = Path(__file__).parents[2] / "examples"


class Demo:
    """A server process: its address, and the process to kill."""

    def __init__(self, framework: str, store: str, keys: str, folder: Path) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        settings = {"HOST": "127.0.0.1", "PORT": str(port)}
        settings |= {"SOJOURN_STORE": store, "SOJOURN_KEYS": keys}
        with (folder / f"{framework}.txt").open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, EXAMPLES / f"login_{framework}.py"],
                cwd=folder,
                env=os.environ | settings,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._port, self._output = port, Path(output.name)

    def wait(self) -> None:
        """Wait until it answers."""
        wait_for_port(self.process, self._port, self._output)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)


PAIRS = {
    "sqlite": ("asgi", "quart"),
    "redis": ("litestar", "aiohttp"),
    "postgresql": ("sanic", "litestar"),
}
"""Each store with two demos, which differ, because the cookie is one and the same."""


@pytest.fixture(scope="module", params=PAIRS)
def demos(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Demo, Demo]]:
    """Two server processes on one store."""
    folder = tmp_path_factory.mktemp(request.param)
    keys = urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    with ExitStack() as stack:
        store = stack.enter_context(SHARED[request.param](folder))
        url = store.url + store.part.format("demo")
        one, two = (
            stack.enter_context(Demo(framework, url, keys, folder))
            for framework in PAIRS[request.param]
        )
        one.wait()
        two.wait()
        yield one, two
