"""The page in the docs and the planner's table are the same."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_page_is_current():
    """docs/decisions.md is what docs/make_decisions.py makes of the planner's table."""
    spec = spec_from_file_location("make_decisions", DOCS / "make_decisions.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "decisions.md").read_text() == module.page()
