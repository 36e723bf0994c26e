"""The index of an owner: ids with the time when they came, which may name rows that are gone.

It is written beside the row, not with it: on a cluster the two are on different servers. So it may
name too much, never too little, and heals when it is read.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from sojourn import Record

from . import _rows, _scripts
from ._asked import is_list
from ._errors import OutOfStepError
from ._server import Server

_TTL = 400 * 86400 * 1000
"""Milliseconds; longer than any cookie (RFC 6265bis) and so any session lives."""

_IN_FLIGHT = 60
"""Seconds in which the row of an id that is in the index may still be on its way."""

_LARGE = 64


class OwnerIndex:
    """Ids by owner. ``prefix``: of all keys."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._server = server
        self._prefix = prefix

    async def add(self, id: str, owner: str, until: float) -> int:
        """Put the row into its owner's index; how many ids that holds now."""
        key, script = self._key(owner), _scripts.REMEMBER
        return number(await self._server.run(script, key, id, _TTL, until=until))

    async def rows(self, owner: str, until: float) -> list[Record]:
        """The owner's rows; those that are gone leave the index."""
        key = self._key(owner)
        members = await self._server.read(key, "ZRANGE", key, "0", "-1", until=until)
        if not is_list(members):
            raise OutOfStepError("no members")
        ids = [_id(member) for member in members]
        keys = [self._prefix + id for id in ids]
        values = await asyncio.gather(
            *(self._server.read(row, "GET", row, until=until) for row in keys)
        )
        gone = [id for id, value in zip(ids, values, strict=True) if value is None]
        if gone:
            await self._server.run(_scripts.FORGET, key, _IN_FLIGHT, *gone, until=until)
        records = map(_rows.row_of, ids, values)
        return [record for record in records if record is not None and record.owner == owner]

    def _key(self, owner: str) -> str:
        # Hashed: an owner may be any text, and is nobody's business who reads key names.
        return f"{self._prefix}owner:{hashlib.sha256(owner.encode()).hexdigest()}"


def is_due(known: int) -> bool:
    """Whether an index that just grew to this size should be healed: seldom, and in time."""
    return known >= _LARGE and known.bit_count() == 1


def number(reply: Any) -> int:
    """A reply that must be a number."""
    if not isinstance(reply, int):
        raise OutOfStepError("no number")
    return reply


def _id(member: object) -> str:
    if not isinstance(member, bytes):
        raise OutOfStepError("no id")
    return member.decode("ascii", "replace")
