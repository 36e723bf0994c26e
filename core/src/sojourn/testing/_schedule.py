"""The deterministic scheduler: all interleavings of a few requests on one session.

Each request is a coroutine that is driven by hand. It stops before each call of the store; which
one goes next is a choice, and so is cutting one off, before its call or after it took effect. The
scheduler makes the call itself, and lets nobody go on before it is answered: so a store may wait
for a thread or a server. Every path through these choices is run, and what comes of it is checked
by ``_serial``.
"""

# ruff: noqa: ARG002 - a hook gets more than it looks at

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from functools import cache
from itertools import count
from types import coroutine
from typing import Any, NamedTuple, TypeVar

from sojourn import (
    SessionManager,
    SessionNotFoundError,
    Store,
    SupportsDeadline,
    SupportsFreshLoad,
    SupportsOwners,
    Timeouts,
)

from ._adapter_rows import Rows
from ._browser import Browser, client_cookie
from ._clock import ManualClock
from ._serial import DEEDS, IDLE, START, Answer, Left, World, check
from ._walk import Chooser, spread, walk
from ._wrappers import Arguments, RecordingStore, Wrapper

T = TypeVar("T")

GO, CUT, LOSE = "goes on", "is cut off before the call", "is cut off after the call"


class CutOff(BaseException):
    """What a coroutine gets instead of an answer when its request is cancelled."""


Call = Callable[[], Awaitable[Any]]


@coroutine
def _turn(call: Call) -> Generator[Call, Any, Any]:
    """Stop here and leave the call to the scheduler, which sends its answer."""
    return (yield call)


class Stepping(Wrapper):
    """Leaves each call to the scheduler."""

    abilities = (SupportsOwners, SupportsFreshLoad)
    deadline = math.inf  # no timer: time stands still in here

    async def around(self, name: str, arguments: Arguments, call: Callable[[], Awaitable[T]]) -> T:
        """See ``Wrapper``."""
        answer: T = await _turn(call)
        return answer


def explore(
    make_store: Callable[[], Store],
    deeds: Sequence[str],
    *,
    cuts: int = 0,
    rotate_after: float | None = None,
) -> int:
    """Check every interleaving of requests that each do one of ``DEEDS``; says how many there are.

    ``make_store``: a store whose calls never really wait, such as one in memory; a fresh one each
    time. ``cuts``: how many requests may be cancelled. ``rotate_after``: seconds; 1 makes a
    periodic rotation due in each request. Call it on a running event loop, asyncio's or trio's.
    Raises BrokenPromiseError with the schedule that broke it.
    """
    schedule = Schedule(make_store(), deeds, rotate_after)

    def run(choose: Chooser) -> None:
        finish(schedule.play(make_store(), choose, cuts))

    return walk(run)


async def explore_waiting(
    store: Store,
    deeds: Sequence[str],
    *,
    cuts: int = 0,
    rotate_after: float | None = None,
    limit: int = 100,
) -> int:
    """The same on a store whose calls wait, for a thread or a server; it is open already.

    ``limit``: at most so many of the interleavings, spread evenly over all of them. The sessions
    are new ones, and gone afterwards.
    """
    schedule = Schedule(store, deeds, rotate_after)
    chosen = spread(_paths(tuple(deeds), cuts, rotate_after), limit)
    for path in chosen:
        try:
            await schedule.play(store, Chooser(path), cuts)
        finally:
            await schedule.clear()
    return len(chosen)


@cache
def _paths(deeds: tuple[str, ...], cuts: int, rotate_after: float | None) -> list[list[int]]:
    """The choices of every interleaving, as rows in memory show them."""
    schedule = Schedule(Rows(), deeds, rotate_after)
    paths: list[list[int]] = []

    def run(choose: Chooser) -> None:
        finish(schedule.play(Rows(), choose, cuts))
        paths.append([chosen for chosen, _ in choose.taken])

    walk(run)
    return paths


class Request(NamedTuple):
    """One that waits for the answer to a call."""

    running: Coroutine[Any, Any, None]
    call: Call


class Schedule:
    """One session, and the requests on it; played as often as one likes."""

    def __init__(self, store: Store, deeds: Sequence[str], rotate_after: float | None) -> None:
        # A server that collects garbage by its own clock must not find these rows to be old.
        self.start = float(int(time.time()))
        self.clock = ManualClock(self.start)
        self.rows = RecordingStore(store)
        self.deeds = deeds
        self.steps: list[str] = []
        self.answers: list[Answer] = []
        self.cookie: str = ""
        # Other rows than those of anybody before.
        numbers = count(secrets.randbits(96))

        def entropy(size: int) -> bytes:
            return next(numbers).to_bytes(size, "big")

        def now() -> float:
            return self.clock()

        timeouts = Timeouts(idle=IDLE, absolute=None, rotate_after=rotate_after, auto_extend=False)
        options: dict[str, Any] = {
            "timeouts": timeouts,
            "clock": now,
            "entropy": entropy,
        }
        self.outside: SessionManager[Any] = SessionManager(_bounded(self.rows), **options)
        self.inside: SessionManager[Any] = SessionManager(Stepping(self.rows), **options)

    async def _first_visit(self) -> str:
        header = await client_cookie(self.outside, {"name": "Anna", "count": 0})
        browser = Browser(self.outside, header)
        async with browser.request() as session:
            session.flash("message", "hello")
        return browser.header

    async def _request(self, answer: Answer) -> None:
        browser = Browser(self.inside, self.cookie)
        session = await browser.load()
        answer.is_new = session.is_new
        DEEDS[answer.deed].act(session)
        answer.result = await browser.respond(session)
        answer.header = browser.header

    async def play(self, store: Store, choose: Chooser, cuts: int) -> None:
        """Let the requests run to their ends as the chooser says, and check what came of it."""
        self.rows.inner, self.rows.calls, self.steps = store, [], []
        self.answers = [Answer(deed) for deed in self.deeds]
        self.clock = ManualClock(self.start)
        self.cookie = await self._first_visit()
        self.clock.advance(IDLE / 2)
        waiting: dict[int, Request] = {}
        for number, answer in enumerate(self.answers):
            running = self._request(answer)
            waiting[number] = Request(running, running.send(None))
        while waiting:
            orders = [(number, GO) for number in waiting]
            if cuts:
                orders += [(number, how) for how in (CUT, LOSE) for number in waiting]
            number, order = orders[choose(len(orders))]
            cuts -= order != GO
            await self._step(waiting, number, order)
        check(await self._world())

    async def _step(self, waiting: dict[int, Request], number: int, order: str) -> None:
        answer, now = self.answers[number], len(self.steps)
        answer.began = now if answer.began is None else answer.began
        self.steps.append(f"request {number} ({answer.deed}) {order}")
        before = len(self.rows.calls)
        running, call = waiting.pop(number)
        try:
            result = await call() if order != CUT else None
            again = running.send(result) if order == GO else running.throw(CutOff())
            waiting[number] = Request(running, again)
        except StopIteration:
            answer.ended = now
        except CutOff:
            answer.ended, answer.is_cut = now, True
        self.steps[-1] += "".join(f"; {call}" for call in self.rows.calls[before:])

    async def _world(self) -> World:
        id = self.rows.records[0].id
        headers = {self.cookie, *(answer.header for answer in self.answers if answer.header)}
        good = frozenset([h for h in headers if await self._id_behind(h) == id])
        return World(self.cookie, self.answers, good, await self._left(id), self.steps)

    async def _id_behind(self, header: str) -> str | None:
        return (await Browser(self.outside, header).load()).id

    async def _left(self, id: str) -> Left | None:
        try:
            async with self.outside.edit(id) as session:
                expires_at = session.expires_at - self.start + START
                return dict(session.items()), session.owner, expires_at
        except SessionNotFoundError:
            return None

    async def clear(self) -> None:
        """Remove what is left."""
        for record in self.rows.records:
            await self.rows.delete(record.id)


def _bounded(store: RecordingStore) -> Any:
    return store if isinstance(store, SupportsDeadline) else Unbounded(store)


class Unbounded(Wrapper):
    """Says that its calls need no timer."""

    abilities = (SupportsOwners, SupportsFreshLoad)
    deadline = math.inf


def finish(call: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never really waits."""
    try:
        call.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    call.close()
    raise RuntimeError("explore: this store's calls wait for something; use explore_waiting")
