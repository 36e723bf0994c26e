"""Finding stores and adapters by name, through entry points: ours and everybody's the same way.

A store package registers a factory under its URL scheme in the group ``sojourn.stores``::

    [project.entry-points."sojourn.stores"]
    memory = "sojourn_memory:open_store"

Nothing is imported before its name is asked for: scanning the installed packages takes longer than
importing this library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from msgspec import Struct

from ._backend import Backend
from ._errors import ConfigurationError, UnknownStoreError
from ._keyring import KeyRing
from ._set_cookie import CookieOptions
from ._store import Store
from ._timeouts import Policy
from ._token import Entropy

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

STORES = "sojourn.stores"
ADAPTERS = "sojourn.adapters"


class StoreContext(Struct, frozen=True):
    """What a factory may want to know beside the URL; most stores need none of it.

    ``remember``: how many opened sessions a backend may keep, see ``Recent``.
    """

    cookie: CookieOptions
    keys: KeyRing | None
    policy: Policy
    entropy: Entropy
    remember: int = 0


class StoreFactory(Protocol):
    """What an entry point of the group ``sojourn.stores`` is."""

    def __call__(self, url: str, context: StoreContext) -> Store | Backend:
        """A store, or a backend, for this URL. Opens nothing yet.

        Raises ConfigurationError that names the option and the remedy, and never shows the URL:
        it may hold a password.
        """
        ...


def open_store(url: str, context: StoreContext) -> Store | Backend:
    """The store for this URL. Raises UnknownStoreError, or what the factory raises."""
    scheme, separator, _ = url.partition(":")
    scheme = scheme.lower()  # RFC 3986 3.1
    if not separator:
        raise ConfigurationError('store: a URL such as "memory://" or "sqlite:///sessions.db"')
    found = [point for point in _entry_points(STORES) if point.name == scheme]
    if not found:
        raise UnknownStoreError(_unknown(scheme))
    # Two packages may claim a scheme; the choice must not depend on the order of sys.path.
    chosen = min(found, key=lambda point: point.value)
    factory = cast("StoreFactory", chosen.load())
    try:
        return factory(url, context)
    except ValueError:
        # Python's words show the part with the password.
        raise ConfigurationError(f"store: this {scheme}: URL has a part that is no URL's") from None


def _entry_points(group: str) -> list[EntryPoint]:
    # Imported here: importlib.metadata costs more time than the rest of this library.
    from importlib.metadata import entry_points  # noqa: PLC0415

    return list(entry_points(group=group))


def installed(group: str) -> dict[str, str]:
    """The names of a group, each with the object that it stands for."""
    # Backwards, so that of two that claim a name the one shows that open_store chooses.
    points = sorted(_entry_points(group), key=lambda point: point.value, reverse=True)
    return dict(sorted({point.name: point.value for point in points}.items()))


_EXTRAS = {
    "redis": ("redis", "rediss", "unix", "valkey", "valkeys"),
    "postgres": ("postgres", "postgresql"),
}
"""What pip calls the stores of this project that come as extras."""


def _unknown(scheme: str) -> str:
    # The scheme is what stands before the colon, and never holds a password.
    known = ", ".join(installed(STORES)) or "none"
    name = scheme if scheme.isidentifier() and len(scheme) < 20 else "..."  # noqa: PLR2004
    extras = [extra for extra, schemes in _EXTRAS.items() if scheme in schemes]
    remedy = f'`pip install "sojourn[{extras[0]}]"`' if extras else "install its maker's package"
    return f'no store is installed for "{name}://" (installed: {known}); {remedy}'
