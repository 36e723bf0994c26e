"""One connection, from its making to its end, and the order of replies on it."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, NamedTuple, cast

import hiredis
from redis import exceptions

from ._asked import NOTHING, Asked, Command, Confirmation, Held, Merged, Reply, Sent
from ._errors import OutOfStepError, error_of

# Its own annotations know one argument only.
_pack: Callable[[Command], bytes] = cast("Any", hiredis).pack_command

_BUFFER_BYTES = 65536
_FENCED = b"%b*2\r\n$4\r\nPING\r\n$25\r\n%b\r\n"
"""A command and its numbered ``PING`` on the wire: all numbers have 25 bytes, see ``_fences``."""


class Habits(NamedTuple):
    """How commands travel.

    ``merges``: all keys are on this server, so that many ``GET`` may become one ``MGET``.
    ``replicas``: how many must have a write before it counts, within ``patience`` milliseconds.
    """

    merges: bool
    replicas: int = 0
    patience: int = 0


class Pipeline(asyncio.BufferedProtocol):
    """Sends commands, and hands the replies to those who asked, in order.

    Each command is followed by a ``PING`` with a number of its own. A reply that was lost, doubled
    or held back anywhere on the way shows in the number behind it, before anybody gets it
    (CVE-2023-28858 was the lack of such a check). ``free`` is called when it can send again;
    ``lost`` once, at its end.
    """

    def __init__(
        self,
        habits: Habits,
        free: Callable[[], None],
        lost: Callable[[Pipeline, Exception], None],
    ) -> None:
        self.is_ready = False
        """Whether the server knew who we are, so that commands could go out."""
        self._habits, self._replicas = habits, habits.replicas
        self._free = free
        self._lost = lost
        self._is_over = False
        self._is_full = False
        self._transport: asyncio.WriteTransport | None = None
        self._sent: deque[tuple[Sent, bytes]] = deque()
        self._mark = secrets.token_hex(4).encode() + b"-"
        self._fences = map((self._mark + b"%016d").__mod__, count())
        reader: Any = hiredis.Reader(
            protocolError=OutOfStepError, replyError=error_of, notEnoughData=NOTHING
        )
        self._feed, self._gets = reader.feed, reader.gets
        self._buffer = bytearray(_BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._half: Reply = NOTHING
        """A reply whose number is still on the way."""

    @property
    def is_free(self) -> bool:
        """Whether commands can go out now."""
        # Each WAIT may take all its time: no command stands behind more than one.
        is_waiting = self._replicas and self._sent
        return self.is_ready and not (self._is_over or self._is_full or is_waiting)

    @property
    def asked(self) -> list[Asked]:
        """What was sent and has no reply yet."""
        return [asked for sent, _ in self._sent for asked in sent.asked]

    def begin(self, asked: Asked) -> bool:
        """Write the command at once if nothing is under way; whether it was written."""
        if self._sent or not self.is_free or self._transport is None:
            return False
        if self._replicas:
            self.send((asked,))
        else:
            self._transport.write(self._placed(asked))
        return True

    def send(self, asked: Sequence[Asked]) -> None:
        """Write the commands in one piece."""
        self.write(arranged(asked, self._habits))

    def write(self, arranged: Sequence[Sent]) -> None:
        """Write what has its place on the wire already."""
        if self._transport is not None:
            self._transport.write(b"".join(map(self._placed, arranged)))

    def _placed(self, sent: Sent) -> bytes:
        """A command as bytes; from now on its reply is expected."""
        fence = next(self._fences)
        self._sent.append((sent, fence))
        return _FENCED % (_pack(sent.command), fence)

    def end(self, error: Exception) -> None:
        """Close at once; whoever waits gets the error."""
        if self._is_over:
            return
        self._is_over = True
        if self._transport is not None:
            self._transport.abort()
        self._lost(self, error)

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        if self._is_over:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        error = exceptions.ConnectionError("closed by the server")
        error.__cause__ = exc
        self.end(error)

    def pause_writing(self) -> None:
        self._is_full = True

    def resume_writing(self) -> None:
        self._is_full = False
        self._free()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's
        # A plain protocol gets each reply in a fresh 256 KiB, which costs more than the reply.
        return self._view  # asyncio's TLS fills slices of it, which must not be copies

    def buffer_updated(self, nbytes: int) -> None:
        try:
            self._feed(self._buffer, 0, nbytes)
            reply = self._gets() if self._half is NOTHING else self._half
            while reply is not NOTHING and (fence := self._gets()) is not NOTHING:
                self._got(reply, fence)
                reply = self._gets()
            self._half = reply
        except exceptions.RedisError as error:
            self.end(error)

    def _got(self, reply: Reply, fence: Reply) -> None:
        sent = self._sent
        if not sent or fence != sent[0][1]:
            raise fence if isinstance(fence, exceptions.RedisError) else OutOfStepError("no number")
        if isinstance(reply, bytes):
            if reply.startswith(self._mark):
                raise OutOfStepError("a number in place of a reply")
        elif isinstance(reply, exceptions.ReadOnlyError):
            raise reply  # no primary any longer: look again for who is
        sent.popleft()[0].take(reply)  # a task may go on now: what is under way has to be right
        if self._replicas and not sent:
            self._free()


def arranged(asked: Sequence[Asked], habits: Habits) -> Sequence[Sent]:
    """What goes over the wire for these commands."""
    if habits.replicas:
        held = [Held(one) for one in asked]
        return [*held, Confirmation(held, habits.replicas, habits.patience)]
    gets = [one for one in asked if one.command[0] == "GET"] if habits.merges else []
    if len(gets) < 2:  # noqa: PLR2004 - nothing to merge
        return asked
    return [Merged(gets), *(one for one in asked if one.command[0] != "GET")]
