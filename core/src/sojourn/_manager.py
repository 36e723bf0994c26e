"""``SessionManager``: settings, load, commit, owners, sweeping, and the life of the store."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._backend import Backend, SupportsRows
from ._codec import PLAIN
from ._committing import (
    NOTHING,
    CommitResult,
    answer,
    discard,
    finish,
    is_at_rest,
    write,
)
from ._draft import Draft
from ._events import Discard, Emitter, Listener
from ._handle import Session, draft_of
from ._keyring import KeyRing
from ._life import Life
from ._model import ModelCodec
from ._options import Keys, check_age, check_options, resolve
from ._outside import Outside
from ._refreshing import load
from ._registry import StoreContext
from ._set_cookie import CookieOptions, SetCookie
from ._settings import OnInvalidValue, OnStoreError, Settings
from ._store import Store
from ._timeouts import Policy, Timeouts
from ._token import Entropy

if TYPE_CHECKING:
    from typing import Self

    from typing_extensions import TypeVar

    M = TypeVar("M", default=Any)
else:
    from typing import TypeVar

    M = TypeVar("M")

_FAILED = 500
"""The first status of a response whose changes are dropped (promise 35)."""


class SessionManager(Outside[M]):
    """Everything that sessions need, for one cookie.

    - ``store``: a URL (``"memory://"``, ``"sqlite:///sessions.db"``, ``"cookie://"``), a Store or a
      Backend.
    - ``model``: a ``msgspec.Struct`` class with defaults, for ``session.data``; None: untyped.
    - ``timeouts``, ``cookie``: see ``Timeouts`` and ``CookieOptions``.
    - ``keys``: a KeyRing, or one key or several as text; a sealed cookie needs them.
    - ``clock``: seconds since the epoch. ``on_event``: gets every ``Event``; must return at once.
    - ``on_store_error``: "raise" StoreUnavailableError while the store is down, or go on with an
      "anonymous" session that is empty and cannot be changed.
    - ``on_invalid_value``: "drop" a stored value that no longer fits its type, or "raise".
    - ``commit_on_error``: write even if the response is a 5xx.
    - ``cache_control``: sent along with Set-Cookie (RFC 9111 7.3); None: nothing.
    - ``deadline``: seconds for a store call, and for retrying a commit.
    - ``max_bytes``: of one session's row. ``sweep_every``: seconds; None: never by itself.
    - ``remember``: how many sessions that were opened lately stay opened in memory, so that the
      next request with the same cookie is served faster; 0: none.
    - ``seal_at_rest``: encrypt what a store with rows gets, with ``keys``. Rows from before do not
      open.

    Raises ConfigurationError, UnknownStoreError. Use it as an async context manager, or let an
    adapter do so; entering twice is fine, and the last exit closes the store.
    """

    def __init__(
        self,
        store: str | Store | Backend,
        *,
        model: type[M] | None = None,
        timeouts: Timeouts | None = None,
        cookie: CookieOptions | None = None,
        keys: Keys | None = None,
        clock: Callable[[], float] = time.time,
        on_event: Listener | None = None,
        on_store_error: OnStoreError = "raise",
        on_invalid_value: OnInvalidValue = "drop",
        commit_on_error: bool = False,
        cache_control: str | None = "no-store",
        deadline: float = 2.0,
        max_bytes: int = 262_144,
        sweep_every: float | None = 60.0,
        remember: int = 512,
        seal_at_rest: bool = False,
        entropy: Entropy = os.urandom,
    ) -> None:
        self.cookie: CookieOptions = CookieOptions() if cookie is None else cookie
        timeouts = Timeouts() if timeouts is None else timeouts
        check_options(
            timeouts=timeouts,
            cookie=self.cookie,
            on_store_error=on_store_error,
            on_invalid_value=on_invalid_value,
            cache_control=cache_control,
            deadline=deadline,
            max_bytes=max_bytes,
            sweep_every=sweep_every,
            remember=remember,
            clock=clock,
            entropy=entropy,
            on_event=on_event,
        )
        policy = Policy.of(timeouts)
        check_age(self.cookie, policy)
        ring = None if keys is None else KeyRing.of(keys)
        context = StoreContext(self.cookie, ring, policy, entropy, remember)
        model_codec = None if model is None else ModelCodec(model)
        self._settings = Settings(
            backend=resolve(
                store,
                context,
                deadline=deadline,
                max_bytes=max_bytes,
                seal_at_rest=seal_at_rest,
            ),
            policy=policy,
            set_cookie=SetCookie(self.cookie),
            clock=clock,
            emit=Emitter(on_event),
            codec=PLAIN if model_codec is None else model_codec,
            model_codec=model_codec,
            cache_control=cache_control,
            commit_on_error=commit_on_error,
            on_store_error=on_store_error,
            on_invalid_value=on_invalid_value,
            commit_deadline=deadline,
        )
        self._life = Life(self._settings, sweep_every)

    # One request

    def open(self, cookie_headers: Iterable[bytes]) -> Session[M]:
        """A handle that loads on first use. Costs nothing and never waits; for adapters.

        ``cookie_headers``: as in ``load``; they are gone through once, when somebody looks.
        If ``session.pending``, await ``session.load()`` before anybody uses it.
        """
        return Session(Draft(self._settings, cookie_headers))

    async def load(self, cookie_headers: Iterable[bytes]) -> Session[M]:
        """The session of a request, loaded.

        ``cookie_headers``: the raw values of its Cookie headers. Input that opens nothing gives a
        new session. Raises StoreUnavailableError.
        """
        session: Session[M] = Session(Draft(self._settings, cookie_headers))
        await load(draft_of(session))
        return session

    async def commit(
        self,
        session: Session[Any],
        *,
        can_set_cookie: bool = True,
        status: int = 200,
        seal: bool = True,
    ) -> CommitResult:
        """Write what the handler changed, and say what the response must carry. Once per response.

        - ``can_set_cookie``: whether the response can carry a cookie; if not, nothing is created,
          rotated or bound.
        - ``status``: a 5xx drops the changes, unless ``commit_on_error``.
        - ``seal``: later changes raise SessionSealedError. False for a websocket's handshake, after
          which ``session.commit()`` writes to the store only.

        A second call writes nothing and gives the same result; after a failure it gives the headers
        of a response that changes nothing, so that an error page can be sent. Raises StoreError,
        SessionTooLargeError, SessionValueError.
        """
        result = self.commit_nowait(
            session, can_set_cookie=can_set_cookie, status=status, seal=seal
        )
        return await self.commit_waiting(session, seal=seal) if result is None else result

    async def commit_waiting(self, session: Session[Any], *, seal: bool = True) -> CommitResult:
        """What ``commit`` does where ``commit_nowait``, with the same arguments, gave None.

        For adapters that count each step.
        """
        draft = draft_of(session)
        try:
            await write(draft, seal=seal)
        except BaseException:
            draft.is_sealed, draft.result = True, answer(draft)
            raise
        return finish(draft, seal=seal)

    def commit_nowait(
        self,
        session: Session[Any],
        *,
        can_set_cookie: bool = True,
        status: int = 200,
        seal: bool = True,
    ) -> CommitResult | None:
        """What ``commit`` gives where nothing has to be written, else None.

        Then await ``commit``, or ``commit_waiting``.

        Most requests end here. For adapters that count each step.
        """
        draft = draft_of(session)
        if draft.result is not None:
            result: CommitResult = draft.result
            return result
        if not draft.accessed:
            draft.is_sealed, draft.can_set_cookie = seal, False
            return NOTHING
        draft.can_set_cookie = draft.can_set_cookie and can_set_cookie
        if status >= _FAILED and not self._settings.commit_on_error:
            if draft.is_changed:
                discard(draft, Discard.FAILED_RESPONSE)
        elif draft.is_writing or not is_at_rest(draft):
            return None
        return finish(draft, seal=seal)

    @property
    def model(self) -> type[M] | None:
        """The struct behind ``session.data``, or None."""
        codec = self._settings.model_codec
        return None if codec is None else codec.model

    @property
    def is_one_process(self) -> bool:
        """Whether the sessions are seen by this process only; for adapters that start several."""
        backend = self._settings.backend
        return isinstance(backend, SupportsRows) and backend.one_process

    # Life

    async def __aenter__(self) -> Self:
        await self._life.begin()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._life.end()

    @asynccontextmanager
    async def lifespan(self, _app: object = None) -> AsyncGenerator[None]:
        """The manager's life as a Starlette or FastAPI ``lifespan``."""
        async with self:
            yield

    @property
    def is_open(self) -> bool:
        """Whether somebody has entered this manager; for adapters that may meet it closed."""
        return self._life.users > 0

    def __repr__(self) -> str:
        return f"<SessionManager of {type(self._settings.backend).__name__}>"
