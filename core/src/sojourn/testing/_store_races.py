"""What holds when calls overlap, or are cut off: real tasks on a real event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from itertools import permutations
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from msgspec.structs import replace

from sojourn import Outcome, Record, Store, SupportsOwners

from ._clock import ManualClock
from ._promises import remedy
from ._store_fixtures import StoreFixtures, new_record

_ATOMIC = "Let the store's own engine compare and write in one step; never read, await and write."


class RaceTests(StoreFixtures):
    """What many tasks on one store may rely on."""

    @remedy("Insert with a unique key, and let the engine refuse the second.")
    async def test_one_create_wins(self, store: Store, clock: ManualClock) -> None:
        """Of many creates of one id exactly one is True, and its row is the one that is there."""
        record = new_record(clock())
        rivals = [replace(record, payload=bytes([n])) for n in range(8)]
        answers = await together([store.create(rival) for rival in rivals])
        assert answers.count(True) == 1
        assert await store.load(record.id, now=clock()) == rivals[answers.index(True)]

    @remedy(_ATOMIC)
    async def test_one_replace_wins(self, store: Store, clock: ManualClock) -> None:
        """Of many replaces of one version exactly one is APPLIED; the others are CONFLICT."""
        record = new_record(clock())
        await store.create(record)
        rivals = [replace(record, version=2, payload=bytes([n])) for n in range(8)]
        answers = await together([store.replace(rival, version=1, now=clock()) for rival in rivals])
        assert answers.count(Outcome.APPLIED) == 1
        assert answers.count(Outcome.CONFLICT) == 7
        assert await store.load(record.id, now=clock()) == rivals[answers.index(Outcome.APPLIED)]

    @remedy(_ATOMIC)
    async def test_touch_and_replace_exclude_each_other(
        self, store: Store, clock: ManualClock
    ) -> None:
        """Of a touch and a replace of one version exactly one is APPLIED."""
        for _ in range(5):
            record = new_record(clock())
            await store.create(record)
            until, newer = record.expires_at + 5, replace(record, version=2, payload=b"2")
            answers = await together(
                [
                    store.touch(record.id, version=1, expires_at=until, now=clock()),
                    store.replace(newer, version=1, now=clock()),
                ]
            )
            assert sorted(answer.name for answer in answers) == ["APPLIED", "CONFLICT"]
            expected = newer if answers[1] is Outcome.APPLIED else replace(record, version=2)
            loaded = await store.load(record.id, now=clock())
            assert loaded is not None
            assert (loaded.version, loaded.payload) == (2, expected.payload)

    @remedy("Never insert in replace or touch, however late they come. " + _ATOMIC)
    async def test_delete_wins_every_race(self, store: Store, clock: ManualClock) -> None:
        """A delete beside a replace and a touch leaves no row, whichever came first."""
        for order in permutations(("replace", "touch", "delete")):
            record = new_record(clock())
            await store.create(record)
            late = replace(record, version=2), replace(record, expires_at=clock() + 5000)
            calls = [_write(store, name, (record, *late), clock()) for name in order]
            await together([call() for call in calls])
            assert await store.load(record.id, now=clock()) is None

    @remedy("Say True to the one call that removed the row.")
    async def test_one_delete_wins(self, store: Store, clock: ManualClock) -> None:
        """Of many deletes of one row exactly one is True."""
        record = new_record(clock())
        await store.create(record)
        answers = await together([store.delete(record.id) for _ in range(6)])
        assert answers.count(True) == 1

    @remedy("Keep what belongs to one call in that call, not in the store object.")
    async def test_many_requests_share_one_object(self, store: Store, clock: ManualClock) -> None:
        """Twenty tasks on one object each get their own rows' answers."""

        async def visit() -> None:
            record = new_record(clock())
            assert await store.create(record)
            for version in (1, 2, 3):
                assert await store.load(record.id, now=clock()) == record
                newer = replace(record, version=version + 1, payload=record.id.encode())
                answer = await store.replace(newer, version=version, now=clock())
                assert answer is Outcome.APPLIED
                record = newer
            assert await store.load(record.id, now=clock()) == record
            assert await store.delete(record.id)

        await together([visit() for _ in range(20)])

    @remedy("Delete in one statement by owner; rows that are being written must not come back.")
    async def test_delete_owner_wins_every_race(
        self, store: Store, owners: SupportsOwners, clock: ManualClock
    ) -> None:
        """Rows that are written while their owner is revoked are gone afterwards."""
        records = [new_record(clock(), owner="user:1") for _ in range(5)]
        for record in records:
            await store.create(record)
        late = [replace(record, version=2, payload=b"late") for record in records]
        writes = [store.replace(record, version=1, now=clock()) for record in late]
        await together([*writes[:3], owners.delete_owner("user:1"), *writes[3:]])
        assert [await store.load(record.id, now=clock()) for record in records] == [None] * 5
        assert await owners.load_owner("user:1", now=clock()) == []

    @remedy(_ATOMIC)
    async def test_two_objects_exclude_each_other(
        self, store: Store, other: Store, clock: ManualClock
    ) -> None:
        """Compare-and-set holds between two objects over the same rows, as in two processes."""
        record = new_record(clock())
        await store.create(record)
        for version in range(1, 6):
            rivals = [replace(record, version=version + 1, payload=bytes([n])) for n in range(6)]
            answers = await together(
                [
                    [store, other][n % 2].replace(rival, version=version, now=clock())
                    for n, rival in enumerate(rivals)
                ]
            )
            assert answers.count(Outcome.APPLIED) == 1
            winner = rivals[answers.index(Outcome.APPLIED)]
            assert await store.load(record.id, now=clock()) == winner
            assert await other.load(record.id, now=clock()) == winner


class CancellationTests(StoreFixtures):
    """What holds when a call is cancelled: a client that hangs up must break nothing."""

    @remedy("Write in one step, and give the connection back clean when a call is cancelled.")
    @pytest.mark.parametrize("name", ["create", "replace", "touch", "delete"])
    async def test_a_cancelled_write_is_all_or_nothing(
        self, store: Store, clock: ManualClock, name: str
    ) -> None:
        """Cancelled at any moment, the row is the old or the new one, and the store goes on."""
        for moment in range(6):
            old = new_record(clock(), payload=b"old")
            new = replace(old, version=2, payload=b"new")
            until = old.expires_at + 5
            touched = replace(old, version=2, expires_at=until)
            if name != "create":
                await store.create(old)
            states: dict[str, list[Record | None]] = {
                "create": [None, old],
                "replace": [old, new],
                "touch": [old, touched],
                "delete": [old, None],
            }
            await cut_off(_write(store, name, (old, new, touched), clock()), moment)
            assert await store.load(old.id, now=clock()) in states[name]
            other = new_record(clock())
            assert await store.create(other)
            assert await store.load(other.id, now=clock()) == other

    @remedy("Never hand a connection on that still owes an answer to a cancelled call.")
    async def test_answers_belong_to_their_questions(
        self, store: Store, clock: ManualClock
    ) -> None:
        """After cancelled loads each load still gets its own row (CVE-2023-28858)."""
        records = [new_record(clock(), payload=bytes([n])) for n in range(4)]
        for record in records:
            await store.create(record)
        for moment in range(6):
            await cut_off(lambda: store.load(records[0].id, now=clock()), moment)
            loaded = await together([store.load(record.id, now=clock()) for record in records])
            assert loaded == records


def _write(
    store: Store, name: str, records: tuple[Record, Record, Record], now: float
) -> Callable[[], Awaitable[object]]:
    """The call of this name that turns the first record into one of the others."""
    old, new, touched = records
    match name:
        case "create":
            return lambda: store.create(old)
        case "replace":
            return lambda: store.replace(new, version=1, now=now)
        case "touch":
            until = touched.expires_at
            return lambda: store.touch(old.id, version=1, expires_at=until, now=now)
        case _:
            return lambda: store.delete(old.id)


async def together(calls: Sequence[Awaitable[Any]]) -> list[Any]:
    """The answers of all calls, which ran at the same time."""
    answers: list[Any] = [None] * len(calls)

    async def run(number: int, call: Awaitable[Any]) -> None:
        answers[number] = await call

    async with anyio.create_task_group() as group:
        for number, call in enumerate(calls):
            group.start_soon(run, number, call)
    return answers


async def cut_off(call: Callable[[], Awaitable[Any]], moment: int) -> None:
    """Start the call, and cancel it after so many turns of the event loop."""

    async def run() -> None:
        await call()

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        for _ in range(moment):
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
