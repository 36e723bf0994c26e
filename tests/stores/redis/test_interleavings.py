"""Requests on one session, in every order in which their calls can come, on a real server."""

from itertools import combinations, combinations_with_replacement, count

import pytest
from anyio.from_thread import start_blocking_portal

from sojourn import SupportsOwners
from sojourn.testing import Wrapper, explore
from sojourn_redis import open_store

pytestmark = pytest.mark.anyio
FEW = list(combinations(["modify", "bind", "destroy"], 2))
MANY = list(combinations_with_replacement(["put", "modify", "rotate", "bind", "destroy"], 2))


class Waiting(Wrapper):
    """A store whose calls run to their end on another thread's event loop before they return."""

    abilities = (SupportsOwners,)

    def __init__(self, inner, portal):
        super().__init__(inner)
        self.portal = portal

    async def around(self, name, arguments, call):
        """See ``Wrapper``."""
        return self.portal.call(call)


@pytest.mark.parametrize(
    "pairs", [FEW, pytest.param(MANY, marks=pytest.mark.soak)], ids=["few", "many"]
)
async def test_every_order(server, prefix, pairs):
    """Whatever the order of two requests, and with one cut off, no promise is broken."""
    numbers = count()
    made = []
    with start_blocking_portal("asyncio") as portal:

        def make_store():
            # Ids are the same in each run, so each has keys of its own.
            inner = open_store(f"{server.url}?prefix={prefix}{next(numbers)}:&deadline=20", None)
            made.append(inner)
            return Waiting(inner, portal)

        total = sum(explore(make_store, pair, cuts=1) for pair in pairs)
        for store in made:
            portal.call(store.aclose)
    assert total > 100
