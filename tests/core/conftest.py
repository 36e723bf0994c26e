"""Both event loops, both kinds of store, one clock."""

from __future__ import annotations

import pytest

from ._rows import Bare, NowaitRows, Rows
from ._site import Clock, Entropy, Site


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """The event loop that a test runs on."""
    backend: str = request.param
    return backend


@pytest.fixture(params=[Rows, NowaitRows], ids=["awaited", "nowait"])
def store(request: pytest.FixtureRequest) -> Bare:
    """A store whose sessions load before the handler, and one whose sessions load on first use."""
    made: Bare = request.param()
    return made


@pytest.fixture
def site(store: Bare) -> Site:
    """A site with default settings."""
    return Site(store, Clock(), entropy=Entropy())
