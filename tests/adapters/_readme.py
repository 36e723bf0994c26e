"""The programs in a README, run as they stand."""

from __future__ import annotations

import itertools
import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
_NUMBERS = itertools.count()


def programs(readme: str) -> list[str]:
    """The Python of a README, block by block; ``readme``: its path from the repository's root."""
    found = re.findall(r"```python\n(.*?)```", (ROOT / readme).read_text(), re.DOTALL)
    # A block that is indented is no program, and would be missed without a word.
    assert (ROOT / readme).read_text().count("```python") == len(found) > 0
    return found


def load(folder: Path, *blocks: str) -> ModuleType:
    """The module that these blocks make, written to a file in *folder* as a reader would do."""
    name = f"readme_{next(_NUMBERS)}"
    file = folder / f"{name}.py"
    file.write_text("\n\n".join(blocks))
    spec = spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    # Frameworks look up annotations in the module that a handler is from.
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
