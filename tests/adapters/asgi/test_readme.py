"""The README's program, as it stands."""

import httpx2
import pytest
from tests.adapters._readme import load, programs

from sojourn.testing import in_process


@pytest.mark.anyio
async def test_program(tmp_path):
    """The program runs, and counts the visits of a browser."""
    (program,) = programs("adapters/asgi/README.md")
    app = load(tmp_path, program).app
    transport = httpx2.ASGITransport(app)
    async with (
        in_process(app),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost") as browser,
    ):
        replies = [(await browser.get("/")).json() for _ in range(2)]
    assert [{"visits": 1}, {"visits": 2}] == replies
