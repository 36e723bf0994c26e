"""The backend of every store with rows: tokens outside, hashes inside, one store call per plan."""

from __future__ import annotations

from msgspec.structs import replace

from ._backend import Opened, Presence, Written
from ._border import Border
from ._errors import (
    ConfigurationError,
    SessionTooLargeError,
    StoreError,
    StoreUnavailableError,
)
from ._events import Rejection
from ._plan import CommitPlan, Operation, Secret
from ._recent import Recent
from ._record import Record, pack, unpack
from ._row_secrets import NO_PREVIOUS, presence_of, previous_of
from ._state import SessionState
from ._store import (
    Outcome,
    Store,
    SupportsFreshLoad,
    SupportsLoadNowait,
    SupportsOneProcess,
    SupportsOpen,
    SupportsOwners,
    SupportsSweep,
)
from ._timeouts import Policy
from ._token import (
    Entropy,
    Token,
    hash_secret,
    is_id,
    new_id,
    new_secret,
    parse,
    same_hash,
    spell,
)
from ._vault import Vault

# A member takes 90 ns to look up on its enum (3.11), and these are needed for each request.
_ROW, _REPLACE, _KEEP = Presence.ROW, Operation.REPLACE, Secret.KEEP
_APPLIED = Outcome.APPLIED
_ENDED = Written(_APPLIED)

_New = tuple[Record, Opened]
"""A row to write, and the session as it is once that is done."""

_TRIES = 4


class ServerSide:
    """Sessions as rows of a store.

    ``deadline``: seconds for one store call, unless the store bounds its calls itself.
    ``max_bytes``: of one row's payload, beyond which SessionTooLargeError is raised. ``remember``:
    how many rows stay unpacked in memory; the store is asked all the same. ``vault``: seals the
    payloads; None: they lie in the store as they are.
    """

    def __init__(
        self,
        store: Store,
        *,
        policy: Policy,
        entropy: Entropy,
        deadline: float = 2.0,
        max_bytes: int = 262_144,
        remember: int = 0,
        vault: Vault | None = None,
    ) -> None:
        self.store = store
        self._vault = vault
        self._max_bytes = max_bytes
        self._policy = policy
        self._entropy = entropy
        self._recent: Recent[str, Opened] = Recent(remember)
        self._border = Border(store, deadline)
        self._fetch = store.load_nowait if isinstance(store, SupportsLoadNowait) else None
        self.lazy = self._fetch is not None

    parse = staticmethod(parse)
    spell = staticmethod(spell)

    async def load(self, ticket: Token, *, now: float) -> Opened | Rejection:
        """See ``Backend``: one store call, a second one if a cache's answer does not fit."""
        record = await self._border.call(self.store.load(ticket.id, now=now))
        opened = self._open(ticket, record, now)
        if isinstance(opened, Opened) or not isinstance(self.store, SupportsFreshLoad):
            return opened
        record = await self._border.call(self.store.load_fresh(ticket.id, now=now))
        return self._open(ticket, record, now)

    def load_nowait(self, ticket: Token, *, now: float) -> Opened | Rejection:
        """See ``Backend``."""
        if self._fetch is None:
            raise ConfigurationError("this store cannot load without waiting")
        try:
            record = self._fetch(ticket.id, now=now)
        except OSError as error:
            raise self._border.translated(error) from error
        return self._open(ticket, record, now)

    async def load_id(self, id: str, *, now: float) -> Opened | Rejection:
        """See ``SupportsRows``."""
        return await self.load(Token(id, None), now=now)

    def _open(self, token: Token, record: Record | None, now: float) -> Opened | Rejection:
        if record is None:
            return Rejection.UNKNOWN
        if record.id != token.id:
            raise self._out_of_step()
        if self._policy.is_over(record.created_at, record.expires_at, now):
            return Rejection.EXPIRED
        known = self._recent.get(token.id)
        if (
            known is not None
            and known.record == record
            and same_hash(known.ticket.secret, token.secret)
        ):
            return known
        presence = presence_of(token, record, now)
        if presence is None:
            return Rejection.WRONG_SECRET
        payload: bytes | None = record.payload
        stale = False
        if self._vault is not None:
            payload, stale = self._vault.open(record)
        state = None if payload is None else unpack(record, payload)
        if state is None:
            return Rejection.UNREADABLE
        opened = Opened(state, presence, token, record, stale)
        if presence is _ROW and token.secret is not None:
            self._recent.put(token.id, opened)
        return opened

    def _out_of_step(self) -> StoreUnavailableError:
        # A driver that lost step with its connection (CVE-2023-28858): nothing is known.
        name = type(self.store).__name__
        return StoreUnavailableError(f"{name} answered with another session's row")

    async def write(self, plan: CommitPlan, *, now: float) -> Written:
        """See ``Backend``."""
        opened, operation = plan.opened, plan.operation
        old = opened.record if opened is not None else None
        try:
            if opened is None or old is None:
                return await self._create(plan.after)
            if operation is _REPLACE:
                record, new = self._replacement(plan, opened, old, now)
                call = self.store.replace(record, version=old.version, now=now)
            elif operation is Operation.TOUCH:
                record, new = self._touched(plan, opened, old)
                until = record.expires_at
                call = self.store.touch(old.id, version=old.version, expires_at=until, now=now)
            else:
                return await self._end(plan, old)
            outcome = await (call if self._border.is_bounded else self._border.bound(call))
        except OSError as error:
            raise self._border.translated(error) from error
        return Written(_APPLIED, new) if outcome is _APPLIED else Written(outcome)

    async def _end(self, plan: CommitPlan, old: Record) -> Written:
        if plan.operation not in (Operation.DELETE, Operation.RESTART):
            raise AssertionError(plan.operation)
        await self._border.bound(self.store.delete(old.id))
        self._recent.forget(old.id)
        return await self._create(plan.after) if plan.operation is Operation.RESTART else _ENDED

    async def _create(self, after: SessionState) -> Written:
        for _ in range(_TRIES):
            token = Token(new_id(self._entropy), new_secret(self._entropy))
            state = replace(after, id=token.id, version=1)
            record = self._record(state, hash_secret(token.secret or b""))
            if await self._border.bound(self.store.create(record)):
                return Written(_APPLIED, Opened(state, _ROW, token, record))
        # 128 random bits do not collide; a source that repeats itself, or a store that lies, does.
        raise StoreError(f"{type(self.store).__name__}.create refused {_TRIES} different new ids")

    def _replacement(self, plan: CommitPlan, opened: Opened, old: Record, now: float) -> _New:
        state = replace(plan.after, version=old.version + 1)
        if plan.secret is _KEEP:
            record = self._record(state, old.secret_hash, *previous_of(old, now))
            return record, Opened(state, opened.presence, opened.ticket, record)
        token, grace = Token(old.id, new_secret(self._entropy)), plan.secret is Secret.GRACE
        previous = (old.secret_hash, plan.grace_until) if grace else NO_PREVIOUS
        record = self._record(state, hash_secret(token.secret or b""), *previous)
        return record, Opened(state, _ROW, token, record)

    def _record(
        self,
        state: SessionState,
        secret_hash: bytes,
        previous_hash: bytes | None = None,
        previous_until: float | None = None,
    ) -> Record:
        record = Record(
            state.id,
            secret_hash,
            pack(state),
            state.version,
            state.created_at,
            state.expires_at,
            state.owner,
            previous_hash,
            previous_until,
        )
        if self._vault is not None:
            record = self._vault.close(record)
        size = len(record.payload)
        if size > self._max_bytes:
            raise SessionTooLargeError(
                f"the session takes {size} of at most {self._max_bytes} bytes"
            )
        return record

    def _touched(self, plan: CommitPlan, opened: Opened, old: Record) -> _New:
        record = replace(old, version=old.version + 1, expires_at=plan.after.expires_at)
        state = replace(plan.after, version=record.version)
        return record, Opened(state, opened.presence, opened.ticket, record, opened.stale)

    async def sessions_of(self, owner: str, *, now: float) -> list[SessionState]:
        """See ``SupportsRows``."""
        records = await self._border.call(self._owners().load_owner(owner, now=now))
        if any(record.owner != owner or not is_id(record.id) for record in records):
            raise self._out_of_step()
        live = (r for r in records if not self._policy.is_over(r.created_at, r.expires_at, now))
        states = (self._state(record) for record in live)
        return [state for state in states if state is not None]

    def _state(self, record: Record) -> SessionState | None:
        payload = record.payload if self._vault is None else self._vault.open(record)[0]
        return None if payload is None else unpack(record, payload)

    async def revoke(self, id: str) -> bool:
        """See ``SupportsRows``."""
        self._recent.forget(id)
        return await self._border.call(self.store.delete(id))

    async def revoke_owner(self, owner: str, *, keep: str | None) -> int:
        """See ``SupportsRows``."""
        return await self._border.call(self._owners().delete_owner(owner, keep=keep))

    def _owners(self) -> SupportsOwners:
        if isinstance(self.store, SupportsOwners):
            return self.store
        raise ConfigurationError(
            f"{type(self.store).__name__} cannot list sessions by owner; use a store that "
            "implements sojourn.SupportsOwners (memory and sqlite do)"
        )

    @property
    def one_process(self) -> bool:
        """See ``SupportsRows``."""
        return isinstance(self.store, SupportsOneProcess) and self.store.one_process

    @property
    def can_sweep(self) -> bool:
        """See ``SupportsRows``."""
        return isinstance(self.store, SupportsSweep)

    async def sweep(self, *, now: float, limit: int) -> int:
        """See ``SupportsRows``."""
        if not isinstance(self.store, SupportsSweep):
            return 0
        return await self._border.call(self.store.sweep(now=now, limit=limit))

    async def aopen(self) -> None:
        """See ``Backend``."""
        if isinstance(self.store, SupportsOpen):
            await self._border.call_unbounded(self.store.aopen())

    async def aclose(self) -> None:
        """See ``Backend``."""
        await self._border.call_unbounded(self.store.aclose())
