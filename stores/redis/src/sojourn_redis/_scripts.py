"""The compare-and-set steps, as Lua that the server runs atomically. Each touches one key, so each
belongs to one slot of a cluster.

ARGV[1]: the expected version; ARGV[2]: now, in seconds; then the new value or header, and the time
to live in milliseconds. The server's clock decides nothing but garbage collection.
"""

from __future__ import annotations

from typing import Any

from sojourn import Outcome

from ._errors import OutOfStepError

_GUARD = """
local head = redis.call('GETRANGE', KEYS[1], 0, 15)
if #head < 16 then return 'gone' end
local version, expires_at = struct.unpack('>dd', head)
if expires_at <= tonumber(ARGV[2]) then return 'gone' end
if version ~= tonumber(ARGV[1]) then return 'conflict' end
"""

REPLACE = (
    _GUARD
    + """
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 'applied'
"""
)

TOUCH = (
    _GUARD
    + """
if tonumber(ARGV[3]) > expires_at then expires_at = tonumber(ARGV[3]) end
redis.call('SETRANGE', KEYS[1], 0, struct.pack('>dd', version + 1, expires_at))
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 'applied'
"""
)

REMEMBER = """
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('SCARD', KEYS[1])
"""
"""Put an id into an owner's index, which lives at least as long as any session can."""

_OUTCOMES = {outcome.value.encode("ascii"): outcome for outcome in Outcome}


def outcome_of(reply: Any) -> Outcome:
    """What a script said. Raises OutOfStepError if no script of ours says so."""
    outcome = _OUTCOMES.get(reply) if isinstance(reply, bytes) else None
    if outcome is None:
        raise OutOfStepError("no outcome")
    return outcome
