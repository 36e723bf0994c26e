"""One class of tests for each mutant; ``test_mutants.py`` runs of each the named test only.

Store mutants are broken stores; the others are an honest store under a broken backend or planner.
"""

# ruff: noqa: D102, E402, A006 - classes of tests are made here, not written; the path comes first

import inspect
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "kit")]

import broken_abilities
import broken_core
import broken_stores
from honest_store import HonestStore  # pyright: ignore[reportMissingImports]

from sojourn.testing import StoreTests

SHARED = {broken_abilities.StaleCache, broken_abilities.ForgetsOnClose}


class Once(StoreTests):
    """On one event loop, which is enough to see a mutant die."""

    @pytest.fixture(params=["asyncio"])
    def anyio_backend(self, request):
        return request.param


class TestHonest(Once):
    @pytest.fixture
    def make_store(self):
        return HonestStore


class TestHonestShared(Once):
    shares_rows = True

    @pytest.fixture
    def make_store(self):
        rows = {}
        return lambda: HonestStore(rows)


class TestHonestNowait(Once):
    @pytest.fixture
    def make_store(self):
        return type(
            "Nowait", (HonestStore,), {"load_nowait": lambda s, id, *, now: s.live(id, now)}
        )


def suite_of(mutant, *, shared):
    """A class of tests over this store."""

    class Suite(Once):
        shares_rows = shared

        @pytest.fixture
        def make_store(self):
            rows = {}
            return (lambda: mutant(rows)) if shared else mutant

    return Suite


def suite_under(fault):
    """A class of tests over an honest store, while the core has this fault."""

    class Suite(TestHonest):
        @pytest.fixture(autouse=True)
        def broken_core(self, monkeypatch):
            fault(monkeypatch)

    return Suite


MUTANTS = {**vars(broken_stores), **vars(broken_abilities)}

for name, mutant in MUTANTS.items():
    if inspect.isclass(mutant) and issubclass(mutant, HonestStore) and mutant is not HonestStore:
        globals()[f"Test{name}"] = suite_of(mutant, shared=mutant in SHARED)

for name, fault in broken_core.FAULTS.items():
    globals()[f"Test{name}"] = suite_under(fault)
