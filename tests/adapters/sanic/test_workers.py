"""Sanic as it is run: worker processes, which end when they are told to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from types import SimpleNamespace

import httpx
import pytest

from sojourn_memory import MemoryStore
from sojourn_sanic import Sessions

from ._server import new_app

PROGRAM = """
import asyncio
import os
import sys

from sanic import Sanic, text

from sojourn import CookieOptions
from sojourn_sanic import Sessions

app = Sanic("shop")
app.config.MOTD = False
store, port, workers = sys.argv[1:]
Sessions(app, store, cookie=CookieOptions(secure=False))
stopping = asyncio.Event()


def say(words):
    # In one piece: print writes the end of the line apart, and the other worker's line between.
    os.write(1, f"{words}\\n".encode())


@app.get("/")
async def count(request):
    n = request.ctx.session.modify("n", lambda n: n + 1, 0)
    return text(f"{os.getpid()} {n}")


@app.get("/slow")
async def slow(request):
    say("in the handler")
    await stopping.wait()
    request.ctx.session["late"] = True
    return text("served")


@app.before_server_stop
async def stop(app):
    stopping.set()


@app.after_server_start
async def started(app):
    say("started")


if __name__ == "__main__":
    how = {"single_process": True} if workers == "1" else {"workers": int(workers)}
    app.run("127.0.0.1", int(port), access_log=False, **how)
"""


pytestmark = pytest.mark.timeout(180)  # several processes have to start, on a busy machine as well


class Program:
    """A running program."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.output: list[str] = []

    def wait_for(self, words: str) -> None:
        """Read on until these words come; fail if the output ends before."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output.append(line)
            if words in line:
                return
        pytest.fail("".join(self.output))


@contextmanager
def running(folder, store: str, workers: int) -> Iterator[Program]:
    """The program with this store and so many workers."""
    (folder / "shop.py").write_text(PROGRAM)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with subprocess.Popen(
        [sys.executable, "-u", "shop.py", store, str(port), str(workers)],
        cwd=folder,
        env=os.environ | {"PYTHONWARNINGS": "default"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # with all of its workers, and without us
    ) as process:
        program = Program(process, port)
        try:
            yield program
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_memory_is_warned_about(tmp_path):
    """Two workers with a memory of their own each are warned about before they start."""
    with running(tmp_path, "memory://", workers=2) as program:
        program.wait_for("2 workers lose them")
    assert "sqlite:///sessions.db" in program.output[-1]
    assert not any("started" in line for line in program.output)


def test_workers_share_a_store(tmp_path):
    """Sessions in a file are every worker's, and nobody is warned."""
    with running(tmp_path, "sqlite:///sessions.db", workers=2) as program:
        for _ in range(2):
            program.wait_for("started")
        seen: list[list[str]] = []
        each_by_itself = {"Connection": "close"}
        with httpx.Client(base_url=program.url, headers=each_by_itself) as client:
            while len({pid for pid, _ in seen}) < 2:
                seen.append(client.get("/").text.split())
    assert [str(n + 1) for n in range(len(seen))] == [n for _, n in seen]
    assert not any("workers lose them" in line for line in program.output)


def test_requests_in_flight_at_the_end(tmp_path):
    """A request that is served while the server ends is committed before the store closes."""
    with (
        running(tmp_path, "sqlite:///sessions.db", workers=1) as program,
        ThreadPoolExecutor(1) as elsewhere,
    ):
        program.wait_for("started")
        reply = elsewhere.submit(httpx.get, f"{program.url}/slow", timeout=30)
        program.wait_for("in the handler")
        program.process.terminate()
        response = reply.result()
        assert 0 == program.process.wait(30)
    assert (200, "served") == (response.status_code, response.text)
    assert "session" in response.cookies


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("workers", "one_process", "warns"), [(2, True, True), (1, True, False), (2, False, False)]
)
async def test_who_is_warned(caplog, *, workers, one_process, warns):
    """One worker may keep sessions in its memory, and several may share what is no one's own."""
    store = MemoryStore()
    store.one_process = one_process
    sessions = Sessions(new_app(), store)
    await sessions._warn_of_workers(SimpleNamespace(state=SimpleNamespace(workers=workers)))
    assert warns == ("sqlite" in caplog.text)
