"""The README's program, as it stands."""

from litestar.testing import TestClient
from tests.adapters._readme import load, programs


def test_program(tmp_path):
    """The program runs, and counts the visits of a browser that speaks https."""
    (program,) = programs("adapters/litestar/README.md")
    with TestClient(load(tmp_path, program).app, base_url="https://testserver.local") as browser:
        replies = [browser.get("/").json() for _ in range(2)]
    assert [{"visits": 1}, {"visits": 2}] == replies
