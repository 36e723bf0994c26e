"""What an installation offers: wheels in the nox session `packaging`, editable ones elsewhere."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, entry_points
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
WHEELS = os.environ.get("SOJOURN_WHEELS")


def project(folder):
    """What the pyproject.toml in *folder* says."""
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text())


MEMBERS = project(".")["tool"]["uv"]["workspace"]["members"]
OURS = (
    r"\]\(https://(?:github|raw\.githubusercontent)\.com/sojourn-sessions/sojourn/(?:blob/)?main/"
)
"""The beginning of a link to a file of this repository."""
ENTRY_POINTS = [
    (group, name, value)
    for member in MEMBERS
    for group, points in project(member)["project"].get("entry-points", {}).items()
    for name, value in points.items()
]


def python(code):
    """What *code* prints in an interpreter that has imported nothing of ours."""
    command = [sys.executable, "-I", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize(("group", "name", "value"), ENTRY_POINTS)
def test_entry_points(group, name, value):
    """What a distribution announces is found by its group and name, and loads."""
    (point,) = entry_points(group=group, name=name)

    assert value == point.value
    loaded = point.load()  # a pytest plugin is a module
    assert callable(loaded) or group == "pytest11"


def test_import_is_quick():
    """`import sojourn` takes under 60 ms more than importing what it stands on.

    Of processor time, since other programs of the machine are not to blame on us.
    """
    code = (
        "import anyio, msgspec, nacl.bindings, nacl.utils, time; start = time.process_time();"
        "import sojourn; print(time.process_time() - start)"
    )

    assert min(float(python(code)) for _ in range(5)) < 0.060


def test_import_is_modest():
    """`import sojourn` imports no store, adapter or framework, nor the testing kit's needs."""
    code = (
        "import anyio, msgspec, nacl.bindings, nacl.utils, sys; before = set(sys.modules);"
        "import sojourn; print(*set(sys.modules) - before)"
    )
    roots = {name.split(".")[0] for name in python(code).split()}
    # sniffio is anyio's own affair, where something has installed it.
    known = {"sojourn", "anyio", "msgspec", "nacl", "sniffio"}

    assert not roots - sys.stdlib_module_names - known


@pytest.mark.skipif(not WHEELS, reason="wheels are built by: uv run nox -s packaging")
class TestWheels:
    @pytest.fixture(params=[".", *MEMBERS] if WHEELS else ["."])
    def member(self, request):
        """A folder with a distribution."""
        return request.param

    @pytest.fixture
    def name(self, member):
        """What the distribution is called."""
        return project(member)["project"]["name"]

    @pytest.fixture
    def files(self, name):
        """The paths in the wheel of *name*."""
        (wheel,) = Path(WHEELS or ".").glob(f"{name.replace('-', '_')}-[0-9]*.whl")
        return ZipFile(wheel).namelist()

    def test_installed_from_the_wheel(self, name):
        """What was tested here is the wheel, not the tree that it was built from."""
        origin = distribution(name).read_text("direct_url.json")

        assert origin
        assert ".whl" in origin

    def test_the_licence_travels_along(self, files):
        """Each wheel carries the licence."""
        assert [path for path in files if path.endswith(".dist-info/licenses/LICENSE")]

    def test_a_wheel_holds_its_module_only(self, member, files):
        """A wheel installs its one typed module; the metapackage's installs none."""
        modules = {path.split("/")[0] for path in files if ".dist-info/" not in path}
        own = {path.parent.name for path in (ROOT / member).glob("src/*/py.typed")}

        assert own == modules
        assert {f"{module}/py.typed" for module in own} <= set(files)

    def test_requirements_name_no_path(self, name):
        """What a wheel asks for can be had from any index: versions, no files."""
        assert not [r for r in distribution(name).requires or [] if re.search(r"@|file:", r)]

    def test_a_page_of_an_index_says_what_it_is(self, member, name):
        """A summary, a README, where source, pages, changes and issues are, and the licence."""
        told: Any = distribution(name).metadata

        assert project(member)["project"]["description"] == told["Summary"]
        page: str = told.get_payload()
        assert (ROOT / member / "README.md").read_text() == re.sub(OURS, "](", page)
        urls = {url.partition(",")[0] for url in told.get_all("Project-URL", [])}
        assert {"Source", "Documentation", "Changelog", "Issues"} == urls
        assert "MIT" == told["License-Expression"]
        assert "Typing :: Typed" in told.get_all("Classifier", [])

    def test_links_lead_somewhere_from_an_index(self, name):
        """What an index shows of a README has no link into a tree that is not there."""
        told: Any = distribution(name).metadata
        page: str = told.get_payload()

        assert [] == re.findall(r"\]\((?!https?:|#)[^)]+\)", page)
