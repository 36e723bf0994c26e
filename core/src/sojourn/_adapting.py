"""What every adapter does the same way: taking a manager, or what makes one."""

from __future__ import annotations

from typing import Any, Unpack

from ._backend import Backend
from ._errors import ConfigurationError
from ._manager import SessionManager
from ._options import ManagerOptions
from ._store import Store


def manager_of(
    manager: SessionManager[Any] | str | Store | Backend, **options: Unpack[ManagerOptions]
) -> SessionManager[Any]:
    """The manager itself, or a new one for this store; for adapters, which accept both.

    Raises ConfigurationError when options are given beside a manager, which has its own.
    """
    if not isinstance(manager, SessionManager):
        return SessionManager(manager, **options)
    if options:
        raise ConfigurationError(
            f"give these options to SessionManager itself: {', '.join(sorted(options))}"
        )
    return manager
