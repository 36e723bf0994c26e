"""The compare-and-set steps, as Lua that the server runs atomically. Each touches one key, so each
belongs to one slot of a cluster.

ARGV[1]: numbers as doubles, the way a row's header has them: the expected version, now in seconds,
the time to live in milliseconds, and to touch, the new deadline. ARGV[2]: the new value. The
server's clock decides nothing but garbage collection.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any, NamedTuple

from sojourn import Outcome

from ._errors import OutOfStepError


class Script(NamedTuple):
    """A script, and the name by which a server that has seen it runs it."""

    text: str
    digest: str


def _script(text: str) -> Script:
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


terms = struct.Struct(">dddd").pack
"""Expected version, now, time to live and new deadline, as ARGV[1] of the first two scripts."""

_GUARD = """
local head = redis.call('GETRANGE', KEYS[1], 0, 15)
if #head < 16 then return 'gone' end
local version, expires_at = struct.unpack('>dd', head)
local expected, now, ttl, deadline = struct.unpack('>dddd', ARGV[1])
if expires_at <= now then return 'gone' end
if version ~= expected then return 'conflict' end
"""

REPLACE = _script(
    _GUARD
    + """
redis.call('SET', KEYS[1], ARGV[2], 'PX', ttl)
return 'applied'
"""
)

TOUCH = _script(
    _GUARD
    + """
if deadline > expires_at then expires_at = deadline end
redis.call('SETRANGE', KEYS[1], 0, struct.pack('>dd', version + 1, expires_at))
if redis.call('PTTL', KEYS[1]) < ttl then redis.call('PEXPIRE', KEYS[1], ttl) end
return 'applied'
"""
)

REMEMBER = _script(
    """
redis.call('ZADD', KEYS[1], redis.call('TIME')[1], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return redis.call('ZCARD', KEYS[1])
"""
)
"""Put an id (ARGV[1]) into an owner's index, to live as long as any session can (ARGV[2])."""

FORGET = _script(
    """
local before, gone = redis.call('TIME')[1] - ARGV[1], 0
for place = 2, #ARGV do
  local since = redis.call('ZSCORE', KEYS[1], ARGV[place])
  if since and tonumber(since) < before then
    gone = gone + redis.call('ZREM', KEYS[1], ARGV[place])
  end
end
return gone
"""
)
"""Take ids (ARGV[2] on) out of the index, unless they came in the last ARGV[1] seconds: the row of
such a one may be on its way, and must be found when it is there."""

_OUTCOMES = {outcome.value.encode("ascii"): outcome for outcome in Outcome}


def outcome_of(reply: Any) -> Outcome:
    """What a script said. Raises OutOfStepError if no script of ours says so."""
    try:
        return _OUTCOMES[reply]
    except (KeyError, TypeError):
        raise OutOfStepError("no outcome") from None
