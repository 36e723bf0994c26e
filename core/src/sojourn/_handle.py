"""``Session``: what a handler holds. A mutable face over one frozen state.

Each method says what it does to the session; how is the draft's business. Everything that a handler
changes is written when the response starts, or at ``await session.commit()``.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping, MutableMapping, ValuesView
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic

from ._codec import checked_key, is_owner
from ._committing import needs_write, write
from ._draft import MISSING, Draft
from ._errors import SessionSealedError, SessionValueError
from ._events import Discard
from ._refreshing import load, reload
from ._transitions import Bind, Clear, Destroy, Flash, Rotate, Touch

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    M = TypeVar("M", default=Any)
else:
    from typing import TypeVar

    M = TypeVar("M")


class Session(MutableMapping[str, Any], Generic[M]):
    """The session of one visitor, as one request sees it.

    A mapping of str to values that come back equal: str, int, float, bool, None, bytes, aware
    datetimes, and lists and dicts of them. A change inside a nested value is noticed. With a model,
    ``data`` shows the same values as a typed struct.

    After the response has started, changes raise SessionSealedError. If the store is down, the
    first use raises StoreUnavailableError (see ``on_store_error``).
    """

    __slots__ = ("__weakref__", "_draft")

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    # The mapping

    def __getitem__(self, key: str) -> Any:
        value = self._draft.read(key)
        if value is MISSING:
            raise KeyError(key)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """The value, or ``default``; a flash value is gone after this."""
        value = self._draft.read(key)
        return default if value is MISSING else value

    def peek(self, key: str, default: Any = None) -> Any:
        """The value, or ``default``; a flash value stays."""
        value = self._draft.peek(key)
        return default if value is MISSING else value

    def __setitem__(self, key: str, value: object) -> None:
        self._draft.put(checked_key(key), value)

    def set(self, key: str, value: object) -> None:
        """The same as ``session[key] = value``."""
        self._draft.put(checked_key(key), value)

    def update(self, other: Any = (), /, **more: Any) -> None:
        """Set these keys, as ``dict.update`` takes them; none if one of the values is refused."""
        self._draft.put_all(dict(other, **more))

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self._draft.remove(key)

    def pop(self, key: str, *default: Any) -> Any:
        """Remove the key and give its value, or ``default``; KeyError without either."""
        value = self._draft.read(key)
        if value is not MISSING:
            self._draft.remove(key)
            return value
        if default:
            return default[0]
        raise KeyError(key)

    def popitem(self) -> tuple[str, Any]:
        """Remove the newest key and give it with its value; KeyError if there is none."""
        keys = tuple(self)
        if not keys:
            raise KeyError("the session holds no keys")
        return keys[-1], self.pop(keys[-1])

    def forget(self, key: str) -> None:
        """Remove the key if it is there."""
        self._draft.remove(key)

    def __contains__(self, key: object) -> bool:
        return key in self._draft.visible().data

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._draft.visible().data))

    def __len__(self) -> int:
        return len(self._draft.visible().data)

    def items(self) -> ItemsView[str, Any]:
        """The pairs; looking at all does not consume flash values."""
        return _Peeked(self).items()

    def values(self) -> ValuesView[Any]:
        """The values; looking at all does not consume flash values."""
        return _Peeked(self).values()

    def clear(self) -> None:
        """Remove all keys; the session itself stays."""
        self._draft.reset(Clear())

    # Flash, and changes that count on what is there

    def flash(self, key: str, value: object) -> None:
        """Set a value that is gone after one read, in this request or a later one."""
        self._draft.put(checked_key(key), value, Flash)

    def keep(self, *keys: str) -> None:
        """Put flash values back that this request has read: these, or all."""
        for key in keys or self._draft.consumed():
            self._draft.keep(key)

    def modify(self, key: str, function: Callable[[Any], Any], default: Any = None) -> Any:
        """Set ``function(value)``, or ``function(default)`` if the key is missing; returns it.

        When another request changed the session meanwhile, the function runs again on the newest
        value, so that counters are exact. It must depend on its argument only.
        """
        return self._draft.modify(checked_key(key), function, default)

    # The life of the session

    def touch(self) -> None:
        """Start the idle timeout anew, whatever ``auto_extend`` and ``extend_after`` say."""
        draft = self._draft
        created_at, now = draft.state().created_at, draft.settings.clock()
        draft.record(Touch(draft.settings.policy.deadline(created_at, now)))

    def rotate(self) -> None:
        """Give the session another secret; the cookie so far is dead at once."""
        self._draft.record(Rotate())

    def bind(self, owner: str) -> None:
        """Log in: the session is this owner's, under another secret (OWASP: session fixation).

        The absolute timeout starts anew. If the session was another owner's, its data goes.
        ``owner``: a text of 1 to 1024 bytes, without NUL; SessionValueError for any other.
        """
        if not is_owner(owner):
            raise SessionValueError(
                "session.bind(owner): the owner is a text of 1 to 1024 bytes, without NUL"
            )
        self._draft.reset(Bind(owner))

    def destroy(self) -> None:
        """Log out: the session ends, row and cookie go. What is set later begins another."""
        self._draft.reset(Destroy())

    # What is known about it

    @property
    def id(self) -> str | None:
        """The public id: stable, loggable, no secret; None until the session is stored."""
        return self._draft.state().id or None

    @property
    def is_new(self) -> bool:
        """Whether nothing is stored for this visitor (yet)."""
        return not self._draft.state().id

    @property
    def owner(self) -> str | None:
        """Who logged in, by ``bind``."""
        return self._draft.state().owner

    @property
    def created_at(self) -> float:
        """When the session began, or its last login; seconds since the epoch."""
        return self._draft.state().created_at

    @property
    def authenticated_at(self) -> float | None:
        """When ``bind`` was last called; seconds since the epoch."""
        return self._draft.state().authenticated_at

    @property
    def expires_at(self) -> float:
        """When the session ends unless it is used; seconds since the epoch."""
        return self._draft.state().expires_at

    @property
    def extend(self) -> bool:
        """Whether this request counts as activity. Set it to False for polling and beacons."""
        return self._draft.extend

    @extend.setter
    def extend(self, value: bool) -> None:
        self._draft.extend = value

    @property
    def accessed(self) -> bool:
        """Whether this request has looked at its session in any way. Asking is no look."""
        return self._draft.accessed

    @property
    def data(self) -> M:
        """The values as the manager's model. Changes of its fields are noticed."""
        model: M = self._draft.typed()
        return model

    @data.setter
    def data(self, model: M) -> None:
        self._draft.set_typed(model)

    # I/O

    @property
    def pending(self) -> bool:
        """Whether ``await session.load()`` would ask a store; for adapters. Asking is no look."""
        draft = self._draft
        if draft.settings.backend.lazy or draft.current is not None:
            return False
        return bool(draft.tickets())

    async def load(self) -> None:
        """Load now, if that was not done yet. Raises StoreUnavailableError."""
        await load(self._draft)

    async def commit(self) -> None:
        """Write now, and go on; the response still carries the cookie.

        Raises StoreUnavailableError, ConflictError, SessionTooLargeError; SessionSealedError if the
        change needs a cookie and the response cannot carry one any more.
        """
        if needs_write(self._draft):
            await write(self._draft)
        if self._draft.discarded is Discard.NO_COOKIE:
            raise SessionSealedError(
                "a new session, a login, a rotation or a sealed cookie needs a Set-Cookie header, "
                "and this response cannot carry one any more"
            )

    async def reload(self) -> None:
        """See what other requests did meanwhile; own changes that are not committed stay.

        If the session has ended, it is new and empty afterwards.
        """
        await reload(self._draft)

    def mark_accessed(self) -> None:
        """Count this as a look; Starlette calls it for ``request.session``."""
        self._draft.accessed = True

    def __reduce__(self) -> str:
        raise TypeError(
            "a Session belongs to its request: it is not copied or pickled; hand on "
            "dict(session.items()), or session.id for manager.edit(id)"
        )

    def __repr__(self) -> str:
        state = self._draft.current
        known = f"id={state.id or None!r}" if state is not None else "not loaded"
        return f"<Session {known}>"


class _Peeked(Mapping[str, Any]):
    """The views' mapping: reads without consuming."""

    __slots__ = ("_session",)

    def __init__(self, session: Session[Any]) -> None:
        self._session = session

    def __getitem__(self, key: str) -> Any:
        return self._session.peek(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._session)

    def __len__(self) -> int:
        return len(self._session)


draft_of: Callable[[Session[Any]], Draft] = attrgetter("_draft")
"""The working copy behind a handle; for the manager, which asks for it with each request."""
