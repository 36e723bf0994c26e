"""What the distributions' pyproject.toml files say of each other."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def project(folder):
    """What describes the distribution in *folder*."""
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]


WORKSPACE = tomllib.loads((ROOT / "pyproject.toml").read_text())
MEMBERS = WORKSPACE["tool"]["uv"]["workspace"]["members"]
VERSION = project(".")["version"]


def requirements(folder):
    """All that the distribution in *folder* may ask for, its extras included."""
    known = project(folder)
    return [*known["dependencies"], *chain(*known.get("optional-dependencies", {}).values())]


def pinned(requirement):
    """The *requirement* without its extras."""
    return re.sub(r"\[.*\]", "", requirement)


@pytest.mark.parametrize("folder", [".", *MEMBERS])
def test_one_version(folder):
    """Every distribution has the version of the whole."""
    assert VERSION == project(folder)["version"]


@pytest.mark.parametrize("folder", [".", *MEMBERS])
def test_lock_step(folder):
    """Whatever asks for a sibling asks for exactly the sibling's version."""
    known = {project(member)["name"] for member in MEMBERS}
    siblings = [r for r in requirements(folder) if re.match(r"sojourn-[\w-]+", r)]

    assert {pinned(r) for r in siblings} <= {f"{name}=={VERSION}" for name in known}


def test_nobody_asks_for_the_whole():
    """A member depends on the core, never on the metapackage that depends on it."""
    assert not [m for m in MEMBERS for r in requirements(m) if re.match(r"sojourn\b(?!-)", r)]


def test_the_whole_offers_every_member():
    """The metapackage leads to each member, by itself or through an extra."""
    asked = {pinned(requirement) for requirement in requirements(".")}

    assert {f"{project(member)['name']}=={VERSION}" for member in MEMBERS} <= asked


@pytest.mark.parametrize("member", MEMBERS)
def test_the_workspace_knows_every_member(member):
    """A member is a workspace source and in the group that a developer gets."""
    name = project(member)["name"]
    group = {re.sub(r"\[.*", "", line) for line in WORKSPACE["dependency-groups"]["members"]}

    assert WORKSPACE["tool"]["uv"]["sources"][name] == {"workspace": True}
    assert name in group


@pytest.mark.parametrize("member", MEMBERS)
def test_what_every_member_carries(member):
    """Each member has the licence, a page for its readers, and the marker that it is typed."""
    assert (ROOT / "LICENSE").read_text() == (ROOT / member / "LICENSE").read_text()
    assert (ROOT / member / "README.md").read_text().startswith(f"# {project(member)['name']}\n")
    assert list((ROOT / member / "src").glob("*/py.typed"))
