"""``postgresql://``, with our own options among the query's parameters.

``table``, ``create=true``, ``max_connections``, ``deadline``, ``prepare=false``; what remains is
asyncpg's. No message shows the URL: it may hold a password.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from sojourn import ConfigurationError, StoreContext

from ._store import PostgresStore

_TRUTHS = {"true": True, "false": False}


def open_store(url: str, _context: StoreContext) -> PostgresStore:
    """The store for a URL. Raises ConfigurationError; connects to nothing yet."""
    address, _, query = url.partition("?")
    options = dict(parse_qsl(query))
    table = options.pop("table", "sojourn_sessions")
    try:
        create = _TRUTHS[options.pop("create", "false")]
        prepare = _TRUTHS[options.pop("prepare", "true")]
        deadline = float(options.pop("deadline", 2.0))
        max_connections = int(options.pop("max_connections", 10))
    except (KeyError, ValueError):
        raise ConfigurationError(
            "store: in a PostgreSQL URL create= and prepare= are true or false, deadline= and "
            "max_connections= are numbers"
        ) from None
    return PostgresStore(
        f"{address}?{urlencode(options)}" if options else address,
        table=table,
        create=create,
        max_connections=max_connections,
        deadline=deadline,
        prepare=prepare,
    )
