"""Sessions seen from outside a request: listing an owner's, and working on one by its public id."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Generic

from msgspec import Struct

from ._backend import SupportsRows
from ._codec import DECODE_ERRORS
from ._committing import needs_write, write
from ._draft import Draft
from ._errors import ConfigurationError, SessionNotFoundError, SessionSealedError, StoreError
from ._events import Discard, Rejection
from ._handle import Session
from ._loading import report_failure
from ._settings import Settings
from ._state import SessionState
from ._token import is_id

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    M = TypeVar("M", default=Any)
else:
    from typing import TypeVar

    M = TypeVar("M")

T = TypeVar("T")


class SessionInfo(Struct, frozen=True):
    """One session in a list for its owner: "where you are signed in".

    ``id`` is public: it may be shown, and given to ``manager.revoke``. Times are seconds since the
    epoch. ``data``: the session's values, without flash messages.
    """

    id: str
    owner: str | None
    created_at: float
    authenticated_at: float | None
    expires_at: float
    data: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"SessionInfo(id={self.id!r}, expires_at={self.expires_at})"


def info_of(settings: Settings, state: SessionState) -> SessionInfo:
    """What may be listed of a session; values that no longer fit are left out."""
    values: dict[str, Any] = {}
    for key, raw in state.data.items():
        if key not in state.flash:
            try:
                values[key] = settings.codec.decode(key, raw)
            except DECODE_ERRORS:
                continue
    return SessionInfo(
        state.id,
        state.owner,
        state.created_at,
        state.authenticated_at,
        state.expires_at,
        MappingProxyType(values),
    )


def rows_of(settings: Settings, method: str) -> SupportsRows:
    """The backend, if it has rows. Raises ConfigurationError that names the manager's method."""
    backend = settings.backend
    if isinstance(backend, SupportsRows):
        return backend
    raise ConfigurationError(
        f"manager.{method}: {type(backend).__name__} keeps sessions in the cookie and has no "
        "rows; use a store such as sqlite:///sessions.db"
    )


async def guarded(settings: Settings, operation: str, call: Awaitable[T]) -> T:
    """The call's result; a failure of the store is told to the operator on its way up."""
    try:
        return await call
    except StoreError as error:
        report_failure(settings, operation, error)
        raise


class Edit(Generic[M]):
    """``async with manager.edit(id) as session``: see ``SessionManager.edit``."""

    __slots__ = ("_draft", "_id", "_rows", "_settings")

    def __init__(self, settings: Settings, rows: SupportsRows, id: str) -> None:
        self._settings, self._rows, self._id = settings, rows, id
        self._draft = Draft(settings, ())

    async def __aenter__(self) -> Session[M]:
        now = self._settings.clock()
        load: Callable[..., Awaitable[Any]] = self._rows.load_id
        opened = (
            await guarded(self._settings, "load", load(self._id, now=now))
            if is_id(self._id)
            else Rejection.UNKNOWN
        )
        if isinstance(opened, Rejection):
            raise SessionNotFoundError("there is no live session with this id")
        self._draft.attach(opened, now)
        self._draft.can_set_cookie = False
        # A background job is not the visitor's activity.
        self._draft.accessed, self._draft.extend = True, False
        return Session(self._draft)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and needs_write(self._draft):
            await write(self._draft)
        self._draft.is_sealed = True
        if kind is not None or self._draft.discarded is None:
            return  # an exception of the block tells more than what became of its changes
        if self._draft.discarded is Discard.NO_COOKIE:
            raise SessionSealedError("edit cannot rotate or bind: it has no cookie to send")
        raise SessionNotFoundError("the session ended while it was edited")
