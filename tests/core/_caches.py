"""What a cache promises, as checks that take the class: the honest one passes, a broken one not."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

import anyio
from anyio.lowlevel import checkpoint
from msgspec.structs import replace

from sojourn import Outcome, Record
from sojourn.testing import Wrapper

from ._rows import Rows

STALENESS = 5.0
NOW = 4_000_000_000.0
OWNER = "ann"


def new_row(id: str) -> Record:
    """The first version of a row that lives for long."""
    return Record(id, secrets.token_bytes(32), b"1", 1, NOW, NOW + 10**6, OWNER)


# One call after another, in several processes


class Processes:
    """Caches over one far store, and all that the far store ever held of one row."""

    def __init__(self, make_cache, count=2):
        self.now, self.id, self.far = NOW, secrets.token_hex(16), Rows()
        self.caches = [make_cache(Rows(), self.far, staleness=STALENESS) for _ in range(count)]
        self.held = [(self.now, None)]
        self.own = [0] * count

    def tell(self, story):
        """Play a story of deeds, each with the number of who does it."""
        anyio.run(self._tell, story)

    async def _tell(self, story):
        for deed, number in story:
            await self.play(deed, number)

    async def play(self, deed, number):
        """One process does this; a load is checked."""
        if deed == "wait":
            self.now += (number + 1) * STALENESS / 4
        elif deed == "load":
            self.check(number, await self.caches[number].load(self.id, now=self.now))
        else:
            await self.write(self.caches[number], deed)
            self.held.append((self.now, self.far.rows.get(self.id)))
            self.own[number] = len(self.held) - 1

    async def write(self, cache, deed):
        """One of the writes, as of whoever has just looked."""
        row = await cache.load_fresh(self.id, now=self.now)
        if deed == "create":
            await cache.create(new_row(self.id))
        elif deed == "delete":
            await cache.delete(self.id)
        elif deed == "revoke":
            await cache.delete_owner(OWNER)
        elif row is not None and deed == "touch":
            until = row.expires_at + 1
            await cache.touch(self.id, version=row.version, expires_at=until, now=self.now)
        elif row is not None:
            newer = replace(row, version=row.version + 1, payload=secrets.token_bytes(4))
            applied = await cache.replace(newer, version=row.version, now=self.now)
            assert Outcome.APPLIED == applied

    def check(self, number, found):
        """What was found is not older than the staleness, nor than the process's own last write."""
        ends = [time for time, _ in self.held[1:]] + [float("inf")]
        fresh = [
            row
            for n, ((_, row), end) in enumerate(zip(self.held, ends, strict=True))
            if n >= self.own[number] and end > self.now - STALENESS
        ]
        assert found in fresh


# Calls of one process at once


class Stepping(Wrapper):
    """Stops before each call until the order of things lets it go on."""

    def __init__(self, inner, turns):
        super().__init__(inner)
        self.turns = turns

    async def around(self, name, arguments, call):
        """See ``Wrapper``."""
        turn = anyio.Event()
        self.turns.append(turn)
        await turn.wait()
        return await call()


WRITES: dict[str, Callable[..., Awaitable[object]]] = {
    "replace": lambda cache, row: cache.replace(replace(row, version=2), version=1, now=NOW),
    "touch": lambda cache, row: cache.touch(row.id, version=1, expires_at=NOW + 10**7, now=NOW),
    "delete": lambda cache, row: cache.delete(row.id),
    "revoke": lambda cache, row: cache.delete_owner(OWNER),
}


async def check_orders(make_cache, write, *, is_cut=False):
    """In every order of a load and a write, who looks after the write sees it; says how many.

    ``is_cut``: the write's caller gives up once its effect is there.
    """
    path: list[int] = []
    count = 0
    while True:
        taken: list[tuple[int, int]] = []

        def choose(options: int, taken=taken, path=path) -> int:
            choice = path[len(taken)] if len(taken) < len(path) else 0
            taken.append((choice, options))
            return choice

        await _play(make_cache, write, choose, is_cut=is_cut)
        count += 1
        while taken and taken[-1][0] + 1 == taken[-1][1]:
            taken.pop()
        if not taken:
            return count
        path = [choice for choice, _ in taken[:-1]] + [taken[-1][0] + 1]


async def _settled():
    """Let every task come to its next call: none of them has more than a few steps to it."""
    for _ in range(8):
        await checkpoint()


async def _play(make_cache, write, choose, *, is_cut):
    near, far, turns = Rows(), Rows(), []
    cache = make_cache(Stepping(near, turns), Stepping(far, turns), staleness=STALENESS)
    row = far.rows["0" * 32] = new_row("0" * 32)
    writer, expected, found = anyio.CancelScope(), [], []

    async def load():
        await cache.load(row.id, now=NOW)

    async def write_and_look():
        with writer:
            await WRITES[write](cache, row)
        expected.append(far.rows.get(row.id))
        found.append(await cache.load(row.id, now=NOW))

    async with anyio.create_task_group() as group:
        for task in (load, write_and_look):
            group.start_soon(task)
        await _settled()
        while turns:
            turns.pop(choose(len(turns))).set()
            await _settled()
            if is_cut and far.rows.get(row.id) != row:
                writer.cancel()
                await _settled()
    # And so does everybody else, once all calls are through.
    expected.append(far.rows.get(row.id))
    found.append(await make_cache(near, far, staleness=STALENESS).load(row.id, now=NOW))
    assert expected == found
