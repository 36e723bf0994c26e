"""The Python in the README and in docs/ runs, block after block, and its assertions hold."""

import ast
import inspect
import re
import sys
import types
from pathlib import Path

import pytest
from litestar.testing import AsyncTestClient

from sojourn import KeyRing, SessionManager

ROOT = Path(__file__).parents[2]
PAGES = ["concepts", "security", "deployment", "migrating"]
PROSE = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    """Pages are written for asyncio's users; the promises themselves are tested on both."""
    return "asyncio"


def blocks(page):
    """The Python of a page, one compiled block each, in order."""
    text = page.read_text()
    for found in re.finditer(r"```python\n(.*?)```", text, re.DOTALL):
        line = text[: found.start()].count("\n") + 1
        yield compile(
            "\n" * line + found[1], page.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        )


@pytest.fixture
def module(monkeypatch):
    """The module that a page is; frameworks look handlers' modules up by name."""
    module = types.ModuleType("page_of_docs")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


async def run(page, module):
    """Run all blocks of a page in one module."""
    for code in blocks(page):
        result = eval(code, module.__dict__)  # noqa: S307 - the page is ours
        if inspect.isawaitable(result):
            await result


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_runs(name, module):
    """What a page shows works as it stands."""
    await run(ROOT / "docs" / f"{name}.md", module)
    assert isinstance(module.manager, SessionManager)


async def test_the_readme_runs(monkeypatch, module):
    """The first screen's application counts visits, and every other line of the README works."""
    monkeypatch.setenv("SOJOURN_KEYS", KeyRing.generate())
    module.manager = SessionManager("memory://")
    module.session = await module.manager.load([])
    module.id = "0" * 32
    await run(ROOT / "README.md", module)
    async with AsyncTestClient(module.app) as client:
        told = [(await client.get("/")).text for _ in range(2)]
    assert ["You were here 1 times.", "You were here 2 times."] == told


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """A page of the repository that another one links to is there."""
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
