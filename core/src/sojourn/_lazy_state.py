"""A state that is loaded when somebody first looks at it, and the failure to load it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

from ._backend import Opened
from ._errors import StoreError
from ._loading import find_tickets, open_nowait, report_failure
from ._settings import Settings
from ._state import SessionState
from ._typed_view import TypedView


class LazyState(TypedView):
    """The state behind one request's Cookie headers."""

    # Class attributes are the defaults: a request that touches nothing pays for two assignments.
    accessed: bool = False
    current: SessionState | None = None
    unavailable: StoreError | None = None
    _tickets: list[Any] | None = None
    _load_error: StoreError | None = None

    def __init__(self, settings: Settings, headers: Iterable[bytes]) -> None:
        self.settings = settings
        self.headers = headers

    @abstractmethod
    def attach(self, opened: Opened | None, now: float) -> SessionState:
        """Start from this session, or from none."""

    def tickets(self) -> list[Any]:
        """What could be our cookie in this request, found once."""
        if self._tickets is None:
            self._tickets = find_tickets(self.settings, self.headers)
        return self._tickets

    def state(self) -> SessionState:
        """The state as this request sees it; loads on first use, and counts as a look."""
        self.accessed = True
        return self.current or self._open()

    def _open(self) -> SessionState:
        if self._load_error is not None:
            raise self._load_error
        settings, tickets = self.settings, self._tickets
        now = settings.clock()
        if tickets is None:
            tickets = self._tickets = find_tickets(settings, self.headers)
        try:
            opened = open_nowait(settings, tickets, now)
        except StoreError as error:
            self.fail_open(error, now)
            opened = None
        return self.attach(opened, now)

    def fail_open(self, error: StoreError, now: float) -> None:
        """The store failed: raise, or go on read-only, as the settings have it.

        A store that is down is not a new visitor (OWASP: fail securely).
        """
        report_failure(self.settings, "load", error)
        if self.current is not None:  # another task of this request was luckier
            return
        self._load_error = error
        if self.settings.on_store_error == "raise":
            raise error
        self.unavailable = error
        self.attach(None, now)
