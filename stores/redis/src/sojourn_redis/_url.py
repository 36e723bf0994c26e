"""``redis://``, ``rediss://``, ``unix://``, ``valkey://``, ``valkeys://`` (with TLS).

Our own options are query parameters: ``prefix``, ``deadline``, ``replicas``, ``cluster=true``, and
``sentinel=NAME`` with several hosts (``redis://host1:26379,host2:26379/0?sentinel=primary``). What
remains of the query is the driver's. No message shows the URL: it may hold a password.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.parse import urlencode as _query

from redis import asyncio as redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from sojourn import ConfigurationError, StoreContext

from ._store import RedisStore

_SCHEMES = {"valkey": "redis", "valkeys": "rediss"}
_SENTINEL_PORT = 26379
_driver: Any = redis  # parts of it have no types


def open_store(url: str, _context: StoreContext) -> RedisStore:
    """The store for a URL. Raises ConfigurationError; connects to nothing yet."""
    scheme, _, rest = url.partition(":")
    address, _, query = f"{_SCHEMES.get(scheme, scheme)}:{rest}".partition("?")
    options = dict(parse_qsl(query))
    prefix = options.pop("prefix", "sojourn:")
    deadline = _number(options, "deadline", 2.0)
    replicas = int(_number(options, "replicas", 0))
    client = _client(address, options, deadline)
    return RedisStore(client, prefix=prefix, deadline=deadline, replicas=replicas)


def _client(address: str, options: dict[str, str], deadline: float) -> Any:
    is_cluster = options.pop("cluster", "") == "true"
    service = options.pop("sentinel", None)
    try:
        if is_cluster:
            whole = f"{address}?{_query(options)}"
            return _driver.RedisCluster.from_url(whole, **_settings(deadline))
        client = (
            _driver.Redis.from_url(f"{address}?{_query(options)}", **_settings(deadline))
            if service is None
            else _primary(address, service, options, deadline)
        )
        client.connection_pool.make_connection()  # it looks at the options, and connects to nothing
    except (ValueError, TypeError):
        raise ConfigurationError(
            "store: this Redis URL has a part that the driver does not know; its form is "
            "redis://[user:password@]host[:port][/database][?prefix=...]"
        ) from None
    return client


def _settings(deadline: float) -> dict[str, Any]:
    return {
        "socket_timeout": deadline,
        "socket_connect_timeout": deadline,
        "retry": Retry(NoBackoff(), 0),
    }


def _primary(address: str, service: str, options: dict[str, str], deadline: float) -> Any:
    """A client for whoever the Sentinels call the primary of this service."""
    # The hosts first, one by one: to urllib there is one, and it may refuse a second in brackets.
    scheme, _, rest = address.partition("://")
    netloc, slash, path = rest.partition("/")
    credentials, at, hosts = netloc.rpartition("@")
    nodes = [urlsplit(f"//{host}") for host in hosts.split(",")]
    places = [(node.hostname or "localhost", node.port or _SENTINEL_PORT) for node in nodes]
    # One Sentinel that does not answer leaves enough time for the others.
    patience = _settings(deadline / (len(places) + 1))
    for name in ("username", "password"):
        patience[name] = options.pop(f"sentinel_{name}", None)
    settings = parse_url(f"{scheme}://{credentials}{at}localhost{slash}{path}?{_query(options)}")
    whole = {**settings, **_settings(deadline), "ssl": scheme == "rediss"}
    for name in ("host", "port", "connection_class"):
        whole.pop(name, None)
    return _driver.Sentinel(places, sentinel_kwargs=patience).master_for(service, **whole)


def _number(options: dict[str, str], name: str, default: float) -> float:
    try:
        return float(options.pop(name, default))
    except ValueError:
        raise ConfigurationError(f"store: {name}= in a Redis URL is a number") from None
