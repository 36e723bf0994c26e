"""The login demo on one file, ended and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest

pytest.importorskip("sojourn_litestar")
pytest.importorskip("uvicorn")

_DEMO = Path(__file__).parents[3] / "examples" / "login_litestar.py"


class Visitor:
    """Somebody with a cookie."""

    def __init__(self, port):
        self._port = port
        self._cookie = {}

    def ask(self, method, path, **form):
        """The page that follows."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=20)
        headers = self._cookie | {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, urlencode(form), headers)
        response = connection.getresponse()
        page = response.read().decode()
        cookie = response.getheader("Set-Cookie")
        if cookie:
            self._cookie = {"Cookie": cookie.partition(";")[0]}
        connection.close()
        return page if response.status == 200 else self.ask("GET", "/")


@contextmanager
def _demo(folder, port, ending):
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "SOJOURN_STORE": "sqlite:///sessions.db"}
    with (folder / "output.txt").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, _DEMO], cwd=folder, env=os.environ | settings, stdout=output
        )
    with process:
        end = time.monotonic() + 30
        while not _answers(port):
            # Waiting for its end is also the pause between two knocks at the port.
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
            assert time.monotonic() < end
        yield
        process.send_signal(ending)


def _answers(port):
    with socket.socket() as client:
        client.settimeout(0.2)
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_the_demo_restarts_without_losing_a_session(tmp_path):
    """Who is logged in stays so after SIGTERM and kill -9, and who logged out stays out."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    one, two, stale = Visitor(port), Visitor(port), Visitor(port)
    with _demo(tmp_path, port, signal.SIGTERM):
        assert "Failed login attempts: 1" in one.ask("POST", "/login", email="a@b.de", password="x")
        for visitor, email in ((one, "a@b.de"), (two, "c@d.de")):
            assert f"Log out {email}" in visitor.ask(
                "POST", "/login", email=email, password="correct"
            )
    with _demo(tmp_path, port, signal.SIGKILL):
        assert "Log out a@b.de" in one.ask("GET", "/")
        stale._cookie = two._cookie
        assert "login-button" in two.ask("POST", "/logout")
        assert "Log out a@b.de" in one.ask("GET", "/")
    with _demo(tmp_path, port, signal.SIGTERM):
        assert "Log out a@b.de" in one.ask("GET", "/")
        assert "login-button" in stale.ask("GET", "/")
