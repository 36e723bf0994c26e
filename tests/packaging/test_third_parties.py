"""A store and an adapter that Sojourn's own code knows nothing of, installed from their wheels."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution, entry_points
from pathlib import Path

import pytest

from sojourn import SessionManager, UnknownStoreError, installed
from sojourn.testing import client_cookie, in_process

HERE = Path(__file__).parent
PACKAGES = ["sojourn-small", "sojourn-falcon"]

pytestmark = pytest.mark.skipif(
    not os.environ.get("SOJOURN_WHEELS"), reason="wheels are built by: uv run nox -s packaging"
)


@pytest.fixture
def anyio_backend():
    """Falcon's only event loop."""
    return "asyncio"


@pytest.mark.parametrize("package", PACKAGES)
def test_from_a_wheel(package):
    """The stranger's package is installed from its wheel, by path, and asks for no path itself."""
    assert ".whl" in (distribution(package).read_text("direct_url.json") or "")
    assert not [r for r in distribution(package).requires or [] if "@" in r]


def test_found_by_name():
    """Strangers' entry points stand beside ours."""
    assert "sojourn_small:open_store" == installed("sojourn.stores")["small"]
    assert "sojourn_falcon:Sessions" == installed("sojourn.adapters")["falcon"]
    assert "memory" in installed("sojourn.stores")


@pytest.mark.anyio
async def test_opened_by_url(tmp_path):
    """A stranger's scheme opens a stranger's store, and its sessions outlive the manager."""
    url = f"small:///{tmp_path}/sessions.db"
    async with SessionManager(url) as manager:
        header = await client_cookie(manager, {"cart": ["tea"]})
    async with SessionManager(url) as manager:
        assert {"cart": ["tea"]} == dict(await manager.load([header.encode()]))
    with pytest.raises(UnknownStoreError, match=r"installed: .*small"):
        SessionManager("tiny:///sessions.db")


@pytest.mark.anyio
async def test_strangers_meet(tmp_path):
    """A stranger's adapter takes a stranger's store by URL: the core brings them together."""
    from falcon.asgi import App

    (point,) = entry_points(group="sojourn.adapters", name="falcon")
    app = App()
    point.load()(app, f"small:///{tmp_path}/sessions.db")
    app.add_route("/", _Counter(sys.modules[point.module].get_session))
    async with in_process(app) as client:
        first = await client.request("GET", "/", [])
        cookie = first.all("Set-Cookie")[0].partition(";")[0].encode()
        second = await client.request("GET", "/", [(b"Cookie", cookie)])
    assert ["1", "2"] == [first.text, second.text]


class _Counter:
    def __init__(self, get_session):
        self.get_session = get_session

    async def on_get(self, req, resp):
        """Count this visit."""
        session = self.get_session(req)
        resp.text = str(session.modify("visits", lambda visits: visits + 1, 0))


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("package", "least"), [("sojourn-small", 200), ("sojourn-falcon", 180)])
def test_the_shipped_suite(package, least, tmp_path):
    """A few lines of tests and the wheels give a stranger the whole suite, and it passes."""
    shutil.copytree(HERE / package / "tests", tmp_path / "tests")
    command = [sys.executable, "-I", "-m", "pytest", "-q", "-pno:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout[-4000:] + done.stderr
    (passed,) = re.findall(r"(\d+) passed", done.stdout)
    assert least < int(passed)
