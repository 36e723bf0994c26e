"""``sqlite:///sessions.db`` and its options."""

from __future__ import annotations

from typing import cast
from urllib.parse import parse_qsl, unquote, urlsplit

from sojourn import ConfigurationError, StoreContext

from ._schema import Durability
from ._store import Reads, SQLiteStore

_OPTIONS = {"durability": ("full", "normal"), "reads": ("inline", "thread")}


def open_store(url: str, context: StoreContext) -> SQLiteStore:  # noqa: ARG001 - the protocol's
    """The store for ``sqlite:///relative.db`` or ``sqlite:////absolute.db``.

    Options: ``?durability=normal&reads=thread``, see ``SQLiteStore``. Percent signs in the path are
    decoded. Raises ConfigurationError for anything else, and names the option.
    """
    parts = urlsplit(url)
    path = unquote(parts.path)[1:]
    if parts.netloc or parts.fragment or not path or path.endswith("/") or "\0" in path:
        raise ConfigurationError(
            'sqlite: write "sqlite:///relative.db" or "sqlite:////absolute.db", without a host'
        )
    options = _options(parts.query)
    return SQLiteStore(
        path,
        durability=cast("Durability", options.get("durability", "full")),
        reads=cast("Reads", options.get("reads", "inline")),
    )


def _options(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name not in _OPTIONS:
            raise ConfigurationError(
                f"sqlite:///...?{name}=...: there is no such option; there is {', '.join(_OPTIONS)}"
            )
        if name in options or text not in _OPTIONS[name]:
            choice = " or ".join(_OPTIONS[name])
            raise ConfigurationError(f"sqlite:///...?{name}=...: give {choice}, once")
        options[name] = text
    return options
