"""The README's program, as it stands."""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sojourn.testing import in_process

README = Path(__file__).parents[3] / "adapters" / "asgi" / "README.md"


@pytest.mark.anyio
async def test_program():
    """The program runs, and counts the visits of a browser."""
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(program, str(README), "exec"), names)  # noqa: S102 - our own
    transport = httpx2.ASGITransport(names["app"])
    async with (
        in_process(names["app"]),
        httpx2.AsyncClient(transport=transport, base_url="http://localhost") as browser,
    ):
        replies = [(await browser.get("/")).json() for _ in range(2)]
    assert replies == [{"visits": 1}, {"visits": 2}]
