"""``CookieBackend``: the cookie is the session. Nothing here waits for anything."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from sojourn import (
    CommitPlan,
    ConfigurationError,
    KeyRing,
    Opened,
    Operation,
    Outcome,
    Policy,
    Presence,
    Recent,
    Rejection,
    SessionState,
    SessionTooLargeError,
    Unsealed,
    Written,
)

from . import _format, _text

MAX_PAIR = 4096
"""Bytes of a cookie's name and value together, at most (RFC 6265bis 5.6)."""

MAX_SKEW = 60.0
"""Seconds that the clock of the server that sealed may be ahead of ours."""

_NONCE_BYTES = 24
# A member takes 90 ns to look up on its enum (3.11), and these are needed for each request.
_SEAL, _APPLIED, _DELETE = Presence.SEAL, Outcome.APPLIED, Operation.DELETE
_ENDED = Written(_APPLIED)


class CookieBackend:
    """Sessions sealed into their cookies, by XChaCha20-Poly1305 with a random nonce each.

    Name and format version are part of the keys' derivation: what was sealed for one cookie opens
    in no other. The deadline is inside the seal, and the absolute timeout counts from the sealed
    ``created_at``, so a browser that ignores ``Max-Age`` gains nothing.

    - ``entropy``: random bytes from the operating system, ``os.urandom`` outside tests.
    - ``remember``: how many opened sessions stay in memory, see ``Recent``.
    """

    lazy = True
    """See ``Backend``: sessions open on first use, and an untouched cookie costs nothing."""

    def __init__(
        self,
        keys: KeyRing,
        *,
        cookie: str,
        policy: Policy,
        entropy: Callable[[int], bytes],
        remember: int = 0,
    ) -> None:
        self._box = keys.box(f"sojourn/cookie/1/{cookie}")
        self._policy = policy
        self._entropy = entropy
        self._recent: Recent[bytes, tuple[SessionState, bool]] = Recent(remember)
        self._longest = (MAX_PAIR - len(cookie) - 1) // 4 * 4
        self._overhead = len(self._box.seal(b"", nonce=bytes(_NONCE_BYTES)))
        self._shortest = -(-(self._overhead + _format.SMALLEST) // 3) * 4

    def parse(self, value: bytes) -> bytes | None:
        """See ``Backend``: the sealed bytes, if length and alphabet are those of a token."""
        return _text.parse(value) if self._shortest <= len(value) <= self._longest else None

    def spell(self, ticket: bytes) -> str:
        """See ``Backend``."""
        return _text.spell(ticket)

    async def load(self, ticket: bytes, *, now: float) -> Opened | Rejection:
        """See ``Backend``."""
        return self.load_nowait(ticket, now=now)

    def load_nowait(self, ticket: bytes, *, now: float) -> Opened | Rejection:
        """See ``Backend``: from cheap to dear, and nothing of a session that does not open."""
        known = self._recent.get(ticket)
        if known is None:
            unsealed = self._box.open(ticket)
            if not isinstance(unsealed, Unsealed):
                return unsealed
            state = _format.unpack(unsealed.message)
            if state is None:
                return Rejection.UNREADABLE
            known = state, unsealed.stale
            self._recent.put(ticket, known)
        state, stale = known
        # Sealed by a clock that was wrong, its deadline would mean nothing.
        is_skewed = state.renewed_at > now + MAX_SKEW or state.created_at > now + MAX_SKEW
        if is_skewed or self._policy.is_over(state.created_at, state.expires_at, now):
            return Rejection.EXPIRED
        return Opened(state, _SEAL, ticket, None, stale)

    async def write(self, plan: CommitPlan, *, now: float) -> Written:  # noqa: ARG002
        """See ``Backend``. Raises SessionTooLargeError if no browser would keep the cookie."""
        if plan.operation is _DELETE:
            if plan.opened is not None:
                self._recent.forget(plan.opened.ticket)
            return _ENDED
        after = plan.after
        if not after.id:
            random = self._entropy(_format.RANDOM_BYTES)
            after = replace(after, id=_format.new_id(after.created_at, random))
        state, message = _format.pack(after, around=self._overhead)
        size = (len(message) + self._overhead) // 3 * 4
        if size > self._longest:
            raise SessionTooLargeError(
                f"the cookie's value would take {size} of at most {self._longest} bytes"
            )
        ticket = self._box.seal(message, nonce=self._entropy(_NONCE_BYTES))
        return Written(_APPLIED, Opened(state, _SEAL, ticket))

    async def aopen(self) -> None:
        """See ``Backend``. Raises ConfigurationError for entropy that repeats itself."""
        if self._entropy(_NONCE_BYTES) == self._entropy(_NONCE_BYTES):
            raise ConfigurationError(
                "entropy: it gives the same bytes again, so that seals could be broken; leave it "
                "out, or give os.urandom"
            )

    async def aclose(self) -> None:
        """See ``Backend``: there is nothing to close."""

    def __repr__(self) -> str:
        return "<CookieBackend>"
