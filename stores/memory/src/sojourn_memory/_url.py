"""``memory://`` and its options."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from sojourn import ConfigurationError, StoreContext

from ._store import MemoryStore

_OPTIONS = ("max_sessions",)


def open_store(url: str, context: StoreContext) -> MemoryStore:  # noqa: ARG001 - the protocol's
    """The store for ``memory://`` or ``memory://?max_sessions=50000``.

    Raises ConfigurationError for anything else, and names the option. Each call makes a store of
    its own: two managers share rows only if they are given the same ``MemoryStore``.
    """
    parts = urlsplit(url)
    if parts.netloc or parts.path not in ("", "/") or parts.fragment:
        raise ConfigurationError(
            'memory:// takes no host and no path: write "memory://" or "memory://?max_sessions=N"'
        )
    return MemoryStore(**_options(parts.query))


def _options(query: str) -> dict[str, int]:
    options: dict[str, int] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name not in _OPTIONS:
            raise ConfigurationError(
                f"memory://?{name}=...: there is no such option; there is {', '.join(_OPTIONS)}"
            )
        if name in options or not (text.isascii() and text.isdigit()):
            raise ConfigurationError(f"memory://?{name}=...: give one whole number, once")
        options[name] = int(text)
    return options
