"""What is asked of a server, and what becomes of the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, TypeAlias, TypeGuard

from msgspec import Struct

from ._errors import OutOfStepError, UnconfirmedError

Command: TypeAlias = tuple[str | bytes | int, ...]
Reply: TypeAlias = Any
"""What the server said, or an exception."""


def is_list(reply: Reply) -> TypeGuard[list[Any]]:
    """Whether the reply has several parts."""
    return isinstance(reply, list)


class Asked(Struct, frozen=True, eq=False, gc=False):
    """One command, who waits for its reply, and until when (seconds on the event loop's clock)."""

    command: Command
    future: asyncio.Future[Reply]
    until: float

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Itself: most commands go over the wire as they are."""
        return (self,)

    def take(self, reply: Reply) -> None:
        """Hand over the reply, unless nobody waits any longer."""
        future = self.future
        if future.done():
            return
        if isinstance(reply, BaseException):
            future.set_exception(reply)
        else:
            future.set_result(reply)


class Merged:
    """Several ``GET`` as one ``MGET``: one reply instead of many. Its keys are of one server."""

    def __init__(self, asked: Iterable[Asked]) -> None:
        self.asked = tuple(asked)
        self.command: Command = ("MGET", *(one.command[1] for one in self.asked))

    def take(self, reply: Reply) -> None:
        """The reply is here. Raises OutOfStepError if it is no list of as many values."""
        if isinstance(reply, BaseException):
            for asked in self.asked:
                asked.take(reply)
        elif is_list(reply) and len(reply) == len(self.asked):
            for asked, value in zip(self.asked, reply, strict=True):
                if not asked.future.done():
                    asked.future.set_result(value)
        else:
            raise OutOfStepError("no list of values")


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
