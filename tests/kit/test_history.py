import random
from functools import partial

import anyio
import pytest
from honest_store import HonestStore

from sojourn import Outcome
from sojourn.testing import BrokenPromiseError, HistoryStore, Operation, check_history
from sojourn.testing._workload import visit_rows

ID = "a" * 32


def op(name, began, ended, answer, **more):
    """One call on the row."""
    return Operation(ID, name, began, ended, answer, **more)


CREATED = op("create", 0, 1, answer=True, version=1, payload=b"1")
WRITTEN = op("replace", 2, 3, "applied", expected=1, version=2, payload=b"2")
FIRST, SECOND = (1, b"1"), (2, b"2")

POSSIBLE = {
    "one after the other": [CREATED, WRITTEN, op("load", 4, 5, SECOND)],
    "a load beside a write sees the old row": [CREATED, WRITTEN, op("load", 2, 3, FIRST)],
    "a load beside a write sees the new row": [CREATED, WRITTEN, op("load", 2, 3, SECOND)],
    "an unknown delete happened": [
        CREATED,
        op("delete", 2, 2**63 - 1, "unknown"),
        op("load", 4, 5, None),
    ],
    "an unknown delete did not happen": [
        CREATED,
        op("delete", 2, 2**63 - 1, "unknown"),
        op("load", 4, 5, FIRST),
    ],
    "an unknown delete happened late": [
        CREATED,
        op("delete", 2, 2**63 - 1, "unknown"),
        op("load", 4, 5, FIRST),
        op("load", 6, 7, None),
    ],
    "a touch moves the version": [
        CREATED,
        op("touch", 2, 3, "applied", expected=1),
        op("load", 4, 5, (2, b"1")),
    ],
}

IMPOSSIBLE = {
    "a stale load": [CREATED, WRITTEN, op("load", 4, 5, FIRST)],
    "a load from the future": [CREATED, op("load", 1, 1, SECOND), WRITTEN],
    "two replaces of one version": [
        CREATED,
        WRITTEN,
        op("replace", 2, 3, "applied", expected=1, version=2, payload=b"3"),
    ],
    "a resurrection": [CREATED, op("delete", 2, 3, answer=True), op("load", 4, 5, FIRST)],
    "a second create": [CREATED, op("create", 2, 3, answer=True, version=1, payload=b"x")],
    "a write that is lost": [CREATED, WRITTEN, op("load", 4, 5, None)],
    "an unknown delete is undone": [
        CREATED,
        op("delete", 2, 2**63 - 1, "unknown"),
        op("load", 4, 5, None),
        op("load", 6, 7, FIRST),
    ],
}


@pytest.mark.parametrize("name", POSSIBLE)
def test_possible_histories_pass(name):
    """What could have happened one call at a time is accepted."""
    assert check_history(POSSIBLE[name]) == 1


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_histories_fail(name):
    """What no order explains is refused."""
    with pytest.raises(BrokenPromiseError, match="one atomic step"):
        check_history(IMPOSSIBLE[name])


def test_the_message_ends_where_it_went_wrong():
    """Of a long impossible history only the beginning up to the contradiction is shown."""
    later = [op("load", n, n + 1, FIRST) for n in range(10, 40, 2)]
    with pytest.raises(BrokenPromiseError) as caught:
        check_history([*IMPOSSIBLE["a stale load"], *later])
    assert str(caught.value).count(" load(") == 1


class Careless(HonestStore):
    """Reads, waits, and writes without comparing."""

    async def replace(self, record, *, version, now):
        """As a store without compare-and-set does it."""
        row = self.live(record.id, now)
        await anyio.lowlevel.checkpoint()
        if row is None or row.version != version:
            return Outcome.GONE if row is None else Outcome.CONFLICT
        self.rows[record.id] = record
        return Outcome.APPLIED


async def visits(make_store):
    """What ten tasks see that work on two rows."""
    history = HistoryStore(make_store())
    async with anyio.create_task_group() as group:
        for task in range(10):
            group.start_soon(visit_rows, history, [ID, "b" * 32], 20, random.Random(task))  # noqa: S311 - reproducible
    return history.operations


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_honest_store_has_possible_histories(backend):
    """What tasks on an honest store see is linearizable."""
    operations = anyio.run(partial(visits, HonestStore), backend=backend)
    assert check_history(operations) == 2
    assert len(operations) == 200


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_careless_store_is_caught(backend):
    """What tasks on a store with a read-then-write see is not."""
    with pytest.raises(BrokenPromiseError, match="one atomic step"):
        check_history(anyio.run(partial(visits, Careless), backend=backend))
