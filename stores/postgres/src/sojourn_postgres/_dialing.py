"""From the URL to a connection with the primary, of several hosts whichever that is now."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

from sojourn import ConfigurationError

from ._driver import asyncpg
from ._errors import DRIVER_ERRORS

_DSN = re.compile(r"([^/?#]*//(?:[^/?#]*@)?)([^/?#]*)(.*)", re.DOTALL)
_PRIMARIES = ("primary", "read-write")

# Whatever found that out may have told a part of the password, so its own text stays out.
_UNCLEAR = (
    "store: the PostgreSQL URL cannot be read; percent-encode special characters in its user, "
    "password and names"
)


def target_of(dsn: str) -> str:
    """Which servers will do. Raises ConfigurationError for any that a revocation may reach late."""
    query = dsn.partition("?")[2]
    (target,) = parse_qs(query).get("target_session_attrs", ["primary"])[-1:]
    if target not in _PRIMARIES:
        raise ConfigurationError(
            "PostgresStore: target_session_attrs is primary or read-write, because a replica may "
            "not know yet what was revoked"
        )
    return target


def places(dsn: str) -> list[str]:
    """A URL for each of its hosts."""
    before, hosts, path = _split(dsn)
    if "," in hosts:
        return [before + host + path for host in hosts.split(",")]
    path, _, text = path.partition("?")
    query = dict(parse_qsl(text))
    names, ports = (query.get(key, "").split(",") for key in ("host", "port"))
    if len(names) == 1:
        return [dsn]
    pairs = zip(names, ports if len(ports) == len(names) else ports * len(names), strict=False)
    return [
        f"{before}{hosts}{path}?{urlencode({**query, 'host': name, 'port': port})}"
        for name, port in pairs
    ]


def _split(dsn: str) -> tuple[str, str, str]:
    """What stands before the hosts, the hosts, and what follows them.

    Not by urllib, which refuses a second host in brackets in newer Pythons: to RFC 3986 there is
    one host, several are PostgreSQL's own.
    """
    match = _DSN.match(dsn)
    return ("", "", dsn) if match is None else (match[1], match[2], match[3])


class Dialer:
    """Connects to the primary.

    Where it was last is asked first; otherwise all hosts are asked at once, so that a dead one
    costs the others no time.
    """

    def __init__(self, dsn: str, *, prepare: bool) -> None:
        try:
            self._places, target = places(dsn), target_of(dsn)
        except ValueError:
            raise ConfigurationError(_UNCLEAR) from None
        self._options = {
            "target_session_attrs": target,
            "statement_cache_size": 100 if prepare else 0,
        }
        self._last: str | None = None

    async def __call__(self) -> Any:
        """A connection. Raises the driver's errors, and ConfigurationError for an unclear URL."""
        # Forgotten until it answers: whoever hangs here is not asked alone a second time.
        last, self._last = self._last, None
        if last is not None:
            try:
                return await self._reach(last)
            except DRIVER_ERRORS:
                pass
        if len(self._places) == 1:
            return await self._reach(self._places[0])
        return await self._first()

    async def _reach(self, place: str) -> Any:
        try:
            connection = await asyncpg.connect(place, **self._options)
        except (asyncpg.ClientConfigurationError, ValueError):
            raise ConfigurationError(_UNCLEAR) from None
        if len(self._places) > 1:
            self._last = place
        return connection

    async def _first(self) -> Any:
        attempts = [asyncio.ensure_future(self._reach(place)) for place in self._places]
        failures: list[Exception] = []
        winner = None
        try:
            for attempt in asyncio.as_completed(attempts):
                try:
                    winner = await attempt
                except DRIVER_ERRORS as error:
                    failures.append(error)
                else:
                    return winner
        finally:
            await _hang_up(attempts, winner)
        # That a host is down says less than what another one answered.
        raise min(failures, key=lambda error: isinstance(error, OSError))


async def _hang_up(attempts: Sequence[asyncio.Future[Any]], winner: Any) -> None:
    for attempt in attempts:
        attempt.cancel()
    for result in await asyncio.gather(*attempts, return_exceptions=True):
        if result is not winner and not isinstance(result, BaseException):
            result.terminate()
