"""The pytest plugin: fixtures for tests of applications. Loading it loads no suite."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from . import ManualClock

    ClientCookie = Callable[..., Awaitable[str]]

pytest.register_assert_rewrite(
    "sojourn.testing._store_abilities",
    "sojourn.testing._store_contract",
    "sojourn.testing._store_faults",
    "sojourn.testing._store_races",
    "sojourn.testing._store_schedules",
    "sojourn.testing._store_sessions",
    "sojourn.testing._store_writes",
)


@pytest.fixture
def manual_clock() -> ManualClock:
    """A clock that a test moves: ``SessionManager(clock=manual_clock)``."""
    from ._clock import ManualClock  # noqa: PLC0415 - loaded when a test asks for it

    return ManualClock()


@pytest.fixture
def client_cookie() -> ClientCookie:
    """See ``sojourn.testing.client_cookie``: a Cookie header for a test client."""
    from ._browser import client_cookie  # noqa: PLC0415 - as above

    return client_cookie
