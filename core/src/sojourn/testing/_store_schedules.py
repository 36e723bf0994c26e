"""What holds whatever the order of calls: requests that the scheduler drives through the store."""

from __future__ import annotations

import pytest

from sojourn import Store

from ._promises import remedy
from ._schedule import explore_waiting
from ._store_fixtures import StoreFixtures

_REQUESTS = (
    # What they do, and how many of them may be cut off.
    (("modify", "modify"), 1),
    (("put", "destroy"), 1),
    (("consume", "bind"), 1),
    (("touch", "rotate"), 1),
    (("modify", "put other", "destroy"), 0),
)
_IDS = [", ".join(deeds) for deeds, _ in _REQUESTS]
_MOST = 20
"""Schedules of each, spread over all: a server's answers take a while."""


class ScheduleTests(StoreFixtures):
    """The promises about sessions, with each call of each request at each place."""

    @remedy("Let replace, touch and delete each be one step, and keep no row in the store object.")
    @pytest.mark.parametrize(
        ("deeds", "cuts"), _REQUESTS, ids=[", ".join(deeds) for deeds, _ in _REQUESTS]
    )
    async def test_any_order_of_calls(
        self, store: Store, deeds: tuple[str, ...], cuts: int
    ) -> None:
        """Whatever the order of requests' calls, and wherever one is cut off, the promises hold."""
        assert await explore_waiting(store, deeds, cuts=cuts, limit=_MOST) == _MOST
