"""hono-sessions on hono, in a Node process that takes its turns with ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import IO, Any, cast

FOLDER = Path(__file__).with_name("node")


class Node:
    """The process. Raises RuntimeError where there is no Node or no package registry."""

    def __init__(self, data: dict[str, Any]) -> None:
        if shutil.which("node") is None or not _installed():
            raise RuntimeError("no node and npm here")
        pipe = subprocess.PIPE
        command = ["node", "bench.mjs", json.dumps(data)]
        self._process = subprocess.Popen(command, cwd=FOLDER, stdin=pipe, stdout=pipe, text=True)
        self._stdin = cast("IO[str]", self._process.stdin)
        self._stdout = cast("IO[str]", self._process.stdout)

    def ask(self, **request: Any) -> dict[str, Any]:
        """One line there, one line back."""
        self._stdin.write(f"{json.dumps(request)}\n")
        self._stdin.flush()
        answer: dict[str, Any] = json.loads(self._stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()
        self._stdin.close()
        self._stdout.close()


def _installed() -> bool:
    if (FOLDER / "node_modules" / "hono-sessions").exists():
        return True
    if shutil.which("npm") is None:
        return False
    quiet = ["--no-package-lock", "--no-audit", "--no-fund", "--silent"]
    return subprocess.run(["npm", "install", *quiet], cwd=FOLDER, check=False).returncode == 0


class HonoSite:
    """One of the sites in that process."""

    def __init__(self, node: Node, name: str) -> None:
        self._node = node
        self._name = name

    def _ask(self, page: str, cookies: list[bytes], at_once: int) -> dict[str, Any]:
        texts = [cookie.decode() for cookie in cookies]
        return self._node.ask(site=self._name, page=page, cookies=texts, atOnce=at_once)

    async def get(self, page: str, cookie: bytes) -> tuple[str, bytes]:
        """See ``Site``."""
        answer = self._ask(page, [cookie], 1)
        return answer["text"], answer["cookie"].encode()

    async def hammer(self, page: str, cookies: list[bytes], at_once: int) -> float:
        """See ``Site``: Node has its own clock."""
        seconds: float = self._ask(page, cookies, at_once)["seconds"]
        return seconds


def sites(node: Node) -> dict[str, HonoSite]:
    """Name to site; "hono" is the bare framework."""
    names = ("hono", "hono + hono-sessions cookie", "hono + hono-sessions memory")
    return {name: HonoSite(node, name) for name in names}
