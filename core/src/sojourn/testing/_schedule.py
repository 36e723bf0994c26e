"""The deterministic scheduler: all interleavings of a few requests on one session.

Each request is a coroutine that is driven by hand. It stops before each call of the store; which
one goes next is a choice, and so is cutting one off, before its call or after it took effect. Every
path through these choices is run, and what comes of it is checked by ``_serial``.
"""

# ruff: noqa: ARG002 - a hook gets more than it looks at

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from itertools import count
from types import coroutine
from typing import Any, TypeVar

from sojourn import (
    SessionManager,
    SessionNotFoundError,
    Store,
    SupportsDeadline,
    SupportsOwners,
    Timeouts,
)

from ._browser import Browser, client_cookie
from ._clock import ManualClock
from ._serial import DEEDS, IDLE, START, Answer, Left, World, check
from ._walk import Chooser, walk
from ._wrappers import Arguments, RecordingStore, Wrapper

T = TypeVar("T")

GO, CUT, LOSE = "goes on", "is cut off before the call", "is cut off after the call"


class CutOff(BaseException):
    """What a coroutine gets instead of an answer when its request is cancelled."""


@coroutine
def _turn(name: str) -> Generator[str, str, str]:
    """Stop here; the scheduler says how it goes on."""
    return (yield name)


class Stepping(Wrapper):
    """Stops before each call until the scheduler lets it go on."""

    abilities = (SupportsOwners,)
    deadline = math.inf  # no timer: time stands still in here

    async def around(self, name: str, arguments: Arguments, call: Callable[[], Awaitable[T]]) -> T:
        """See ``Wrapper``."""
        order = await _turn(name)
        if order == CUT:
            raise CutOff
        result = await call()
        if order == LOSE:
            raise CutOff
        return result


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

    def run(choose: Chooser) -> None:
        Schedule(make_store, deeds, rotate_after).play(choose, cuts)

    return walk(run)


class Schedule:
    """One world, and the requests in it."""

    def __init__(
        self, make_store: Callable[[], Store], deeds: Sequence[str], rotate_after: float | None
    ) -> None:
        self.clock = ManualClock(START)
        self.rows = RecordingStore(make_store())
        self.steps: list[str] = []
        numbers = count(1)

        def entropy(size: int) -> bytes:
            return next(numbers).to_bytes(size, "big")

        timeouts = Timeouts(idle=IDLE, absolute=None, rotate_after=rotate_after, auto_extend=False)
        options: dict[str, Any] = {
            "timeouts": timeouts,
            "clock": self.clock,
            "entropy": entropy,
        }
        self.outside: SessionManager[Any] = SessionManager(_bounded(self.rows), **options)
        self.inside: SessionManager[Any] = SessionManager(Stepping(self.rows), **options)
        self.cookie = finish(self._first_visit())
        self.answers = [Answer(deed) for deed in deeds]
        self.clock.advance(IDLE / 2)

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

    def play(self, choose: Chooser, cuts: int) -> None:
        """Let the requests run to their ends as the chooser says, and check what came of it."""
        waiting: dict[int, Coroutine[Any, Any, None]] = {}
        for number, answer in enumerate(self.answers):
            waiting[number] = self._request(answer)
            waiting[number].send(None)
        while waiting:
            orders = [(number, GO) for number in waiting]
            if cuts:
                orders += [(number, how) for how in (CUT, LOSE) for number in waiting]
            number, order = orders[choose(len(orders))]
            cuts -= order != GO
            self._step(waiting, number, order)
        check(self._world())

    def _step(self, waiting: dict[int, Coroutine[Any, Any, None]], number: int, order: str) -> None:
        answer, now = self.answers[number], len(self.steps)
        answer.began = now if answer.began is None else answer.began
        self.steps.append(f"request {number} ({answer.deed}) {order}")
        before = len(self.rows.calls)
        try:
            waiting[number].send(order)
        except StopIteration:
            answer.ended = now
        except CutOff:
            answer.ended, answer.is_cut = now, True
        self.steps[-1] += "".join(f"; {call}" for call in self.rows.calls[before:])
        if answer.ended is not None:
            del waiting[number]

    def _world(self) -> World:
        id = self.rows.records[0].id
        headers = {self.cookie, *(answer.header for answer in self.answers if answer.header)}
        good = frozenset(h for h in headers if finish(self._id_behind(h)) == id)
        return World(self.cookie, self.answers, good, finish(self._left(id)), self.steps)

    async def _id_behind(self, header: str) -> str | None:
        return (await Browser(self.outside, header).load()).id

    async def _left(self, id: str) -> Left | None:
        try:
            async with self.outside.edit(id) as session:
                return dict(session.items()), session.owner, session.expires_at
        except SessionNotFoundError:
            return None


def _bounded(store: RecordingStore) -> Any:
    return store if isinstance(store, SupportsDeadline) else Unbounded(store)


class Unbounded(Wrapper):
    """Says that its calls need no timer."""

    abilities = (SupportsOwners,)
    deadline = math.inf


def finish(call: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never really waits."""
    try:
        call.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    call.close()
    raise RuntimeError("explore: this store's calls wait for something; use one in memory")
