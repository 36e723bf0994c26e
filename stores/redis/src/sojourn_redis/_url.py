"""``redis://``, ``rediss://``, ``unix://``, ``valkey://``, ``valkeys://`` (with TLS).

Our own options are query parameters: ``prefix``, ``deadline``, ``replicas``, ``cluster=true``, and
``sentinel=NAME`` with several hosts (``redis://host1:26379,host2:26379/0?sentinel=primary``). What
remains of the query is the driver's. No message shows the URL: it may hold a password.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis import asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from sojourn import ConfigurationError, StoreContext

from ._store import RedisStore

_SCHEMES = {"valkey": "redis", "valkeys": "rediss"}
_SENTINEL_PORT = 26379


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
    settings: dict[str, Any] = {
        "socket_timeout": deadline,
        "socket_connect_timeout": deadline,
        "retry": Retry(NoBackoff(), 0),
    }
    is_cluster = options.pop("cluster", "") == "true"
    service = options.pop("sentinel", None)
    driver: Any = redis
    try:
        if service is not None:
            return _primary(driver, address, service, settings)
        whole = f"{address}?{urlencode(options)}" if options else address
        if is_cluster:
            return driver.RedisCluster.from_url(whole, **settings)
        return driver.Redis.from_url(whole, **settings)
    except (ValueError, TypeError):
        raise ConfigurationError(
            "store: this Redis URL has a part that the driver does not know; its form is "
            "redis://[user:password@]host[:port][/database][?prefix=...]"
        ) from None


def _primary(driver: Any, address: str, service: str, settings: dict[str, Any]) -> Any:
    parts = urlsplit(address)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    nodes = [host.rpartition(":") for host in hosts.split(",")]
    places = [(name or port, int(port) if name else _SENTINEL_PORT) for name, _, port in nodes]
    settings |= {
        "db": int(parts.path.strip("/") or 0),
        "username": unquote(user) or None,
        "password": unquote(password) or None,
        "ssl": parts.scheme == "rediss",
    }
    patience = {
        name: settings[name] for name in ("socket_timeout", "socket_connect_timeout", "retry")
    }
    sentinel = driver.Sentinel(places, sentinel_kwargs=patience)
    return sentinel.master_for(service, **settings)


def _number(options: dict[str, str], name: str, default: float) -> float:
    try:
        return float(options.pop(name, default))
    except ValueError:
        raise ConfigurationError(f"store: {name}= in a Redis URL is a number") from None
