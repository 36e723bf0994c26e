"""Who may import whom, who may wait, and what is public."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sojourn

ROOM = Path(sojourn.__file__).parent
FILES = sorted(ROOM.glob("*.py"))
TREES = {file.stem: ast.parse(file.read_text()) for file in FILES}
MAY_WAIT = {
    "_adapting", "_backend", "_background", "_border", "_cached", "_committing", "_handle", "_life",
    "_manager", "_outside", "_owners", "_refreshing", "_loading", "_serverside", "_store",
    "_sweeper",
}  # fmt: skip
NEVER = {"pickle", "marshal", "shelve", "http.cookies", "secrets", "uuid"}


def _waits(tree: ast.AST) -> bool:
    kinds = (ast.Await, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)
    return any(isinstance(node, kinds) for node in ast.walk(tree))


def _imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


@pytest.mark.parametrize("name", TREES)
def test_who_decides_does_not_wait(name: str) -> None:
    """``await`` appears in the named modules only."""
    assert name in MAY_WAIT or not _waits(TREES[name])


@pytest.mark.parametrize("name", TREES)
def test_nothing_dangerous_is_imported(name: str) -> None:
    """No module reads pickles, parses cookies with the standard library, or imports a package."""
    imported = _imports(TREES[name])
    assert not imported & NEVER
    tops = {module.partition(".")[0] for module in imported if not module.startswith(".")}
    assert tops <= set(sys.stdlib_module_names) | {
        "anyio", "msgspec", "nacl", "trio", "typing_extensions",
    }  # fmt: skip


def test_all_is_exact_and_sorted() -> None:
    """``__all__`` is a sorted tuple of exactly what ``sojourn`` imports from its own modules."""
    named = [
        alias.asname or alias.name
        for node in TREES["__init__"].body
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    ]
    assert isinstance(sojourn.__all__, tuple)
    assert sorted(named) == list(sojourn.__all__)


def test_importing_is_light() -> None:
    """``import sojourn`` imports no store, adapter, framework, loop, metadata or libsodium."""
    script = "import sys, msgspec, anyio; before = set(sys.modules); import sojourn; "
    script += "print(*sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    fresh = done.stdout.split()
    heavy = ("asyncio", "trio", "importlib.metadata", "nacl", "sojourn_", "litestar", "starlette")
    assert [name for name in fresh if name.startswith(heavy)] == []


def test_secrets_are_compared_in_constant_time() -> None:
    """Hashes are compared by hmac.compare_digest, and nowhere by ==."""
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                text = ast.unparse(node)
                assert "_hash" not in text
                assert ".secret " not in text
