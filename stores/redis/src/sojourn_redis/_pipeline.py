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

from ._asked import Asked, Command, Confirmation, Held, Merged, Sent, Single
from ._errors import OutOfStepError

# Its own annotations know one argument only.
_pack: Callable[[Command], bytes] = cast("Any", hiredis).pack_command


class Habits(NamedTuple):
    """How commands travel.

    ``merges``: all keys are on this server, so that many ``GET`` may become one ``MGET``.
    ``replicas``: how many must have a write before it counts, within ``patience`` milliseconds.
    """

    merges: bool
    replicas: int = 0
    patience: int = 0


class Pipeline:
    """Sends what ``take`` gives, and hands the replies to those who asked, in order.

    Each command is followed by a ``PING`` with a number of its own. A reply that was lost, doubled
    or held back anywhere on the way shows in the number behind it, before anybody gets it
    (CVE-2023-28858 was the lack of such a check). ``more`` waits until ``take`` has something.
    """

    def __init__(
        self,
        connection: Any,
        take: Callable[[], Sequence[Asked]],
        more: Callable[[], asyncio.Future[None]],
        habits: Habits,
    ) -> None:
        self._connection = connection
        self._take = take
        self._more = more
        self._habits = habits
        self._sent: deque[tuple[Sent, bytes]] = deque()
        self._mark = secrets.token_hex(4).encode() + b"-"
        self._numbers = count()
        self._all_answered = asyncio.Event()
        self._all_answered.set()
        self.is_connected = False

    @property
    def asked(self) -> list[Asked]:
        """What was sent and has no reply yet."""
        return [asked for sent, _ in self._sent for asked in sent.asked]

    async def run(self) -> None:
        """Connect, send and read until something breaks; raises what that was."""
        try:
            await self._connection.connect()
            self.is_connected = True
            # Whoever asks has a deadline; a timer for each reply would be one more.
            self._connection.socket_timeout = None
            async with asyncio.TaskGroup() as both:
                both.create_task(self._read())
                both.create_task(self._write())
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            await self._connection.disconnect(nowait=True)

    async def _write(self) -> None:
        while True:
            if self._habits.replicas:
                # Each WAIT may take all its time: no command stands behind more than one.
                await self._all_answered.wait()
            asked = self._take()
            if asked:
                await self._connection.send_packed_command(self._packed(asked), check_health=False)
            else:
                await self._more()

    def _packed(self, asked: Sequence[Asked]) -> bytes:
        parts: list[bytes] = []
        self._all_answered.clear()
        for sent in arranged(asked, self._habits):
            fence = self._mark + b"%d" % next(self._numbers)
            self._sent.append((sent, fence))
            parts += (_pack(sent.command), _pack(("PING", fence)))
        return b"".join(parts)

    async def _read(self) -> None:
        while True:
            reply = await self._reply()
            fence = await self._reply()
            if isinstance(fence, exceptions.ResponseError):
                raise fence
            if not self._sent or fence != self._sent[0][1] or self._is_fence(reply):
                raise OutOfStepError("a reply without its number")
            self._sent[0][0].take(reply)
            self._sent.popleft()
            if not self._sent:
                self._all_answered.set()
            if isinstance(reply, exceptions.ReadOnlyError):
                raise reply  # no primary any longer: look again for who is

    async def _reply(self) -> Any:
        try:
            return await self._connection.read_response(disconnect_on_error=False)
        except exceptions.ResponseError as error:
            return error

    def _is_fence(self, reply: object) -> bool:
        return isinstance(reply, bytes) and reply.startswith(self._mark)


def arranged(asked: Sequence[Asked], habits: Habits) -> list[Sent]:
    """What goes over the wire for these commands."""
    if habits.replicas:
        held = [Held(one) for one in asked]
        return [*held, Confirmation(held, habits.replicas, habits.patience)]
    gets = [one for one in asked if one.command[0] == "GET"] if habits.merges else []
    if len(gets) < 2:  # noqa: PLR2004 - nothing to merge
        return [Single(one) for one in asked]
    return [Merged(gets), *(Single(one) for one in asked if one.command[0] != "GET")]
