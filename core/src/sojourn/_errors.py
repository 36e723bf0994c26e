"""Every exception that Sojourn raises, sorted by whose fault it is.

Bad input from a client is none of these: it is an absent session and an event. No message here ever
holds a secret, a key, a payload or bytes that a client sent.
"""

from __future__ import annotations


class SessionError(Exception):
    """The root: catch it to catch all of them."""

    status_code = 500
    """The HTTP status that an adapter answers with when nobody catches the error."""


class ConfigurationError(SessionError):
    """The developer's: settings that contradict each other; names the option and the remedy."""


class UnknownStoreError(ConfigurationError):
    """The developer's: no installed package offers a store for this URL scheme."""


class SessionValueError(SessionError, TypeError):
    """The handler's: a key that is not text, or a value that would not come back equal."""


class SessionTooLargeError(SessionError):
    """The handler's: the session no longer fits where it is kept; names the biggest keys."""


class SessionSealedError(SessionError):
    """The handler's: a change that comes too late for the response that would have to carry it."""


class SessionNotLoadedError(SessionError):
    """The handler's: the store needs an await, and nobody awaited the session yet."""


class SessionNotFoundError(SessionError, LookupError):
    """``manager.edit``: there is no live session with this id (any more)."""


class StoreError(SessionError):
    """The system's: the store could not do what its contract says."""


class StoreUnavailableError(StoreError):
    """The system's: the store is down or too slow. Nothing is known about the visitor."""

    status_code = 503


class ConflictError(StoreError):
    """The system's: other requests kept changing this session until the commit's deadline."""

    status_code = 503
