"""Many tasks on one store in one process, with and without faults."""

import anyio
import pytest

from sojourn import SessionManager
from sojourn.testing import Browser, check_rows, client_cookie
from sojourn_memory import MemoryStore


@pytest.mark.parametrize("faults", [0.0, 0.1])
def test_linearizable(faults):
    """Whatever twenty tasks do to a row, answers lost or not, could have happened one by one."""
    assert check_rows(MemoryStore, processes=1, tasks=20, calls=20, faults=faults) > 100


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_no_commit_is_lost(anyio_backend):
    """All that twenty tasks add to one session is in it, once."""
    manager = SessionManager(MemoryStore(), sweep_every=None)
    header = await client_cookie(manager, {"tokens": []})

    async def append(number):
        for call in range(10):
            async with Browser(manager, header).request() as session:
                session.modify("tokens", lambda found: [*found, [number, call]])  # noqa: B023
                await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(append, number)
    async with Browser(manager, header).request() as session:
        found = session["tokens"]
    assert [[number, call] for number in range(20) for call in range(10)] == sorted(found)
