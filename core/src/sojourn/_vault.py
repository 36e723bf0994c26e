"""How payloads lie in a store: as they are, or sealed with the manager's keys.

Sealed, a stolen database shows neither data nor which values sessions share, and the payload of one
row opens in no other: the id is sealed along with it.
"""

from __future__ import annotations

from typing import Protocol

from ._keyring import NONCE_BYTES, SealingBox, Unsealed
from ._record import Record
from ._token import Entropy


class Vault(Protocol):
    """What stands between packed payloads and the store."""

    def close(self, id: str, payload: bytes) -> bytes:
        """What the store gets."""
        ...

    def open(self, record: Record) -> tuple[bytes | None, bool]:
        """The payload, None if it does not open; and whether it should be closed anew."""
        ...


class _Open:
    """Payloads as they are."""

    def close(self, id: str, payload: bytes) -> bytes:  # noqa: ARG002 - the protocol's parameter
        """See ``Vault``."""
        return payload

    def open(self, record: Record) -> tuple[bytes | None, bool]:
        """See ``Vault``."""
        return record.payload, False


class Sealed:
    """Payloads sealed. Rows from before sealing do not open: there is no fallback reader."""

    def __init__(self, box: SealingBox, entropy: Entropy) -> None:
        self._box = box
        self._entropy = entropy

    def close(self, id: str, payload: bytes) -> bytes:
        """See ``Vault``."""
        return self._box.seal(id.encode("ascii") + payload, nonce=self._entropy(NONCE_BYTES))

    def open(self, record: Record) -> tuple[bytes | None, bool]:
        """See ``Vault``."""
        unsealed = self._box.open(record.payload)
        id = record.id.encode("ascii")
        if not isinstance(unsealed, Unsealed) or not unsealed.message.startswith(id):
            return None, False
        return unsealed.message[len(id) :], unsealed.stale


OPEN_VAULT: Vault = _Open()
