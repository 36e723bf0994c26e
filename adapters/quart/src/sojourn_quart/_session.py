"""``quart.session``: our handle, with the attributes that Quart's own sessions have."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, ValuesView
from typing import Any

from quart.sessions import SessionMixin

from sojourn import ConfigurationError, Session, SessionManager

from ._exchange import Exchange

_FLASHES = "_flashes"


class QuartSession(SessionMixin):
    """What ``quart.session`` is: a face over the very ``Session`` that ``get_session()`` gives.

    A mapping with all that ``Session`` has (``flash``, ``bind``, ``destroy``, ``data``, ...), and
    with Quart's ``permanent``, ``new``, ``modified`` and ``accessed``.
    """

    exchange: Exchange
    manager: SessionManager[Any]

    def __init__(self, exchange: Exchange, manager: SessionManager[Any]) -> None:
        vars(self).update(exchange=exchange, manager=manager)

    def _session(self) -> Session[Any]:
        return self.exchange.session_of(self.manager)

    # Quart's attributes

    @property
    def permanent(self) -> bool:
        """Whether the browser keeps the cookie when it is closed; alike for all sessions.

        Setting what ``CookieOptions(persistent=...)`` does not say raises ConfigurationError:
        whoever asks not to be remembered must not be remembered without a word.
        """
        return self.manager.cookie.persistent

    @permanent.setter
    def permanent(self, value: bool) -> None:
        if bool(value) != self.manager.cookie.persistent:
            raise ConfigurationError(
                f"session.permanent = {bool(value)}: the manager decides this for all sessions; "
                f"give it CookieOptions(persistent={bool(value)})"
            )

    @property
    def new(self) -> bool:  # type: ignore[override] # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether nothing is stored for this visitor (yet)."""
        return self._session().is_new

    @property
    def modified(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether there may be changes: False for a session that nobody looked at.

        Setting it does nothing: changes are noticed, those inside nested values included.
        """
        return self.accessed

    @modified.setter
    def modified(self, value: bool) -> None: ...

    @property
    def accessed(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Whether this request has looked at its session in any way. Asking is no look."""
        return self._session().accessed

    @accessed.setter
    def accessed(self, value: bool) -> None:
        if value:
            self._session().mark_accessed()

    # The mapping, where Python's mixin methods would consume flash values

    def __getitem__(self, key: str) -> Any:
        return self._session()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._session()[key] = _storable(key, value)

    def update(self, other: Any = (), /, **more: Any) -> None:
        values: dict[str, Any] = dict(other, **more)
        self._session().update({key: _storable(key, value) for key, value in values.items()})

    def __delitem__(self, key: str) -> None:
        del self._session()[key]

    def __contains__(self, key: object) -> bool:
        return key in self._session()

    def __iter__(self) -> Iterator[str]:
        return iter(self._session())

    def __len__(self) -> int:
        return len(self._session())

    def get(self, key: str, default: Any = None) -> Any:
        return self._session().get(key, default)

    def pop(self, key: str, *default: Any) -> Any:
        return self._session().pop(key, *default)

    def items(self) -> ItemsView[str, Any]:
        return self._session().items()

    def values(self) -> ValuesView[Any]:
        return self._session().values()

    def clear(self) -> None:
        self._session().clear()

    # All else is the handle's

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        own = isinstance(getattr(type(self), name, None), property)
        (super().__setattr__ if own else self._session().__setattr__)(name, value)

    def __repr__(self) -> str:
        return repr(self._session())


def _storable(key: str, value: Any) -> Any:
    """What quart.flash puts there are tuples, which come back as lists from any store."""
    return [list(pair) for pair in value] if key == _FLASHES else value
