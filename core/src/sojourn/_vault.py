"""How payloads lie in a store that must not read them: sealed with the manager's keys.

Sealed, a stolen database shows neither data nor which values sessions share. Whoever can write to
it, but has no key, cannot give a session other data, another owner, a secret that they know or an
earlier beginning: the columns that are written together with a payload are sealed along with it.

Two things are not held. What was good once is good again: the whole row of an earlier moment can be
put back, also after a logout, for whoever has the cookie of that moment. And ``expires_at`` can be
moved, because extending it does not write the payload; the absolute timeout holds all the same.
"""

from __future__ import annotations

import hashlib

import msgspec
from msgspec.structs import replace

from ._keyring import NONCE_BYTES, SealingBox, Unsealed
from ._record import Record
from ._token import Entropy

_DIGEST_BYTES = 32

_encode = msgspec.msgpack.Encoder().encode


class Vault:
    """Seals packed payloads. Rows from before sealing do not open: there is no fallback reader."""

    def __init__(self, box: SealingBox, entropy: Entropy) -> None:
        self._box = box
        self._entropy = entropy

    def close(self, record: Record) -> Record:
        """What the store gets, for a record whose payload is packed."""
        message = _columns(record) + record.payload
        return replace(record, payload=self._box.seal(message, nonce=self._entropy(NONCE_BYTES)))

    def open(self, record: Record) -> tuple[bytes | None, bool]:
        """The packed payload, None if it does not open; and whether it should be closed anew."""
        unsealed = self._box.open(record.payload)
        if not isinstance(unsealed, Unsealed) or not unsealed.message.startswith(_columns(record)):
            return None, False
        return unsealed.message[_DIGEST_BYTES:], unsealed.stale


def _columns(record: Record) -> bytes:
    """A digest of what changes only together with the payload: all but version and deadline."""
    bound = (
        record.id,
        record.secret_hash,
        record.created_at,
        record.owner,
        record.previous_hash,
        record.previous_until,
    )
    return hashlib.blake2b(_encode(bound), digest_size=_DIGEST_BYTES).digest()
