"""Who stands on whom: the core's rooms as one table, held against the code's own AST."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sojourn

ROOMS: list[tuple[str, set[str]]] = [
    ("values that know nothing", {"_background", "_cookies", "_errors", "_events", "_state",
                                  "_sodium", "_token"}),
    ("rules of one thing", {"_codec", "_keyring", "_recent", "_set_cookie", "_timeouts"}),
    ("states", {"_model", "_record", "_transitions"}),
    ("the store's contract", {"_store", "_vault"}),
    ("the backend's contract", {"_backend", "_border", "_cached"}),
    ("the decision", {"_plan", "_registry", "_settings"}),
    ("opening and sweeping", {"_loading", "_row_secrets", "_sweeper", "_typed_view"}),
    ("rows, and the state behind a cookie", {"_lazy_state", "_serverside"}),
    ("the working copy", {"_draft", "_options"}),
    ("the awaits of a request", {"_committing", "_refreshing"}),
    ("what a handler holds", {"_handle", "_headers"}),
    ("one session seen from outside", {"_owners"}),
    ("sessions seen from outside, and the life of the store", {"_life", "_outside"}),
    ("the manager", {"_manager"}),
    ("what adapters share", {"_adapting"}),
    ("the front door", {"__init__", "__main__"}),
]  # fmt: skip
"""Bottom first: a module imports from the rooms below its own, and never from beside it."""

FOR_TYPES_ONLY = {("_backend", "_plan")}
"""Names that an annotation needs from above, imported for a type checker and never at run time."""

FILES = {file.stem: file for file in sorted(Path(sojourn.__file__).parent.glob("*.py"))}
FLOOR = {module: floor for floor, (_, modules) in enumerate(ROOMS) for module in modules}


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _own_imports(body: list[ast.stmt], *, typing: bool = False) -> Iterator[tuple[str, bool]]:
    """The core's modules that these statements import, and whether for types only."""
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.level:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ((name, typing) for name in names)
        elif isinstance(node, ast.ImportFrom | ast.Import):
            imported = [alias.name for alias in node.names]
            assert "sojourn" not in {name.partition(".")[0] for name in imported}
            assert getattr(node, "module", "") != "sojourn"
        else:
            inner = [child for child in ast.walk(node) if child is not node]
            found = [child for child in inner if isinstance(child, ast.ImportFrom | ast.Import)]
            yield from _own_imports(list(found), typing=typing or _is_for_types(node))


def _imports_of(module: str) -> list[tuple[str, bool]]:
    return list(_own_imports(ast.parse(FILES[module].read_text()).body))


def test_every_module_has_one_room() -> None:
    """The table has each module of the core once, and no other."""
    assert sorted(FILES) == sorted(name for _, modules in ROOMS for name in modules)


@pytest.mark.parametrize("module", FILES)
def test_each_room_stands_on_those_below(module: str) -> None:
    """What runs imports only from below; the kit and the public face are imported by no module."""
    for imported, for_types in _imports_of(module):
        assert imported in FLOOR
        if not for_types:
            assert FLOOR[imported] < FLOOR[module], f"{module} imports {imported}"


def test_imports_for_types_are_few() -> None:
    """An annotation looks upwards in the named places only."""
    upwards = {
        (module, imported)
        for module in FILES
        for imported, for_types in _imports_of(module)
        if for_types and FLOOR[imported] >= FLOOR[module]
    }
    assert upwards == FOR_TYPES_ONLY


def test_no_room_is_in_vain() -> None:
    """Each room needs the one below it: there are no more rooms than the code has."""
    for floor, (name, modules) in list(enumerate(ROOMS))[1:-1]:
        needs = {FLOOR[imported] for module in modules for imported, _ in _imports_of(module)}
        assert floor - 1 in needs, name
