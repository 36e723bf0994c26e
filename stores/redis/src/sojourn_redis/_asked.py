"""What is asked of a server, and what becomes of the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterable
from contextvars import Context
from typing import Any, Final, TypeAlias, TypeGuard

from msgspec import Struct

from ._errors import OutOfStepError, UnconfirmedError

Command: TypeAlias = tuple[str | bytes | int, ...]
Reply: TypeAlias = Any
"""What the server said, or an exception."""

NOTHING: Final = object()
"""No reply yet."""


def is_list(reply: Reply) -> TypeGuard[list[Any]]:
    """Whether the reply has several parts."""
    return isinstance(reply, list)


class Asked(Struct, eq=False):
    """One command, until when its reply counts (seconds on the event loop's clock), and the reply.

    One task awaits it, as it would a future, and goes on as soon as the reply is taken. A future
    has its task go on in the event loop's next turn, with a look at all sockets before.
    """

    command: Command
    until: float
    loop: asyncio.AbstractEventLoop
    reply: Reply = NOTHING
    _resume: Callable[[Asked], object] | None = None
    _context: Any = None
    _asyncio_future_blocking: bool = False

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Itself: most commands go over the wire as they are."""
        return (self,)

    @property
    def is_over(self) -> bool:
        """Whether nobody waits any longer."""
        return self.reply is not NOTHING

    def take(self, reply: Reply) -> None:
        """Hand over the reply, unless nobody waits any longer: the task runs before this returns.

        For callbacks of the event loop only: no task runs within another one.
        """
        if self.reply is NOTHING:
            self.reply = reply
            if self._resume is not None:
                self._context.run(self._resume, self)

    def fail(self, error: BaseException) -> None:
        """Raise this from the event loop's next turn on, unless nobody waits any longer."""
        if self.reply is NOTHING:
            self.reply = error
            if self._resume is not None:
                self.loop.call_soon(self._resume, self, context=self._context)

    # What a task wants of a future

    def __await__(self) -> Generator[Any, None, Reply]:
        if self.reply is not NOTHING:
            return self.result()
        self._asyncio_future_blocking = True
        yield self
        return self.reply  # the task has called ``result`` and raises an error by itself

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self.loop

    def add_done_callback(self, resume: Callable[[Asked], object], *, context: Context) -> None:
        self._resume, self._context = resume, context

    def result(self) -> Reply:
        if isinstance(self.reply, BaseException):
            try:
                raise self.reply
            finally:
                # The error knows its task and where it was raised, which is here: no cycle.
                self.reply = self._resume = None
        return self.reply

    def cancel(self, msg: object = None) -> bool:
        if self.is_over:
            return False
        self.fail(asyncio.CancelledError() if msg is None else asyncio.CancelledError(msg))
        return True


class Merged:
    """Several ``GET`` as one ``MGET``: one reply instead of many. Its keys are of one server."""

    def __init__(self, asked: Iterable[Asked]) -> None:
        self.asked = tuple(asked)
        self.command: Command = ("MGET", *(one.command[1] for one in self.asked))

    def take(self, reply: Reply) -> None:
        """The reply is here. Raises OutOfStepError if it is no list of as many values."""
        if isinstance(reply, BaseException):
            self._fail(reply)
        elif is_list(reply) and len(reply) == len(self.asked):
            for asked, value in zip(self.asked, reply, strict=True):
                asked.take(value)
        else:
            error = OutOfStepError("no list of values")
            self._fail(error)
            raise error

    def _fail(self, error: BaseException) -> None:
        for asked in self.asked:
            asked.fail(error)


class Held:
    """A write whose reply counts only once enough replicas have it."""

    reply: Reply = None

    def __init__(self, asked: Asked) -> None:
        self.command: Command = asked.command
        self.asked = (asked,)

    def take(self, reply: Reply) -> None:
        """The reply is here. An error counts at once; for the rest a ``Confirmation`` follows."""
        self.reply = reply
        if isinstance(reply, BaseException):
            self.asked[0].take(reply)


class Confirmation:
    """``WAIT`` for the writes before it, which are of the same connection."""

    def __init__(self, held: Iterable[Held], replicas: int, milliseconds: int) -> None:
        self.command: Command = ("WAIT", replicas, milliseconds)
        self._held = tuple(held)
        self._replicas = replicas
        self.asked = tuple(asked for one in self._held for asked in one.asked)

    def take(self, reply: Reply) -> None:
        """The number of replicas is here, or an error in its place."""
        too_few = not isinstance(reply, int) or reply < self._replicas
        for held in self._held:
            answer = UnconfirmedError("too few replicas") if too_few else held.reply
            held.asked[0].take(answer)


Sent: TypeAlias = Asked | Merged | Held | Confirmation
"""What has its place on the wire."""
