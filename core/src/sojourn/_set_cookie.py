"""Writing cookies: attributes checked once at start-up, one line of bytes per response."""

from __future__ import annotations

import re
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import force_setattr

from ._errors import ConfigurationError, SessionTooLargeError

MAX_LINE = 4096
"""Bytes of one ``Set-Cookie`` value: browsers refuse longer pairs, some proxies longer lines."""

DEFAULT_NAME = "__Host-session"
_SAME_SITE = {"lax": "Lax", "strict": "Strict", "none": "None"}
_LONG_AGO = "Thu, 01 Jan 1970 00:00:00 GMT"

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110 5.6.2
_PATH = re.compile(r"/[!-:<-~]*")  # av-octets without blanks
_DOMAIN = re.compile(r"\.?[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?")

SameSite = Literal["lax", "strict", "none"]


class CookieOptions(Struct, frozen=True):
    """The session cookie's attributes (RFC 6265bis 4.1.2).

    - ``name``: the default needs ``secure``; with ``secure=False`` the default becomes "session".
    - ``secure``: False is for development over plain http only.
    - ``persistent``: the browser keeps the cookie until the session expires (``Max-Age``);
      False: until it is closed.
    - ``same_site``: defence in depth, no replacement for CSRF protection.
    - ``partitioned``: one cookie per top-level site (CHIPS); needs ``secure``.

    Raises ConfigurationError for whatever a browser would drop.
    """

    name: str = DEFAULT_NAME
    secure: bool = True
    http_only: bool = True
    same_site: SameSite = "lax"
    path: str = "/"
    domain: str | None = None
    partitioned: bool = False
    persistent: bool = True

    def __post_init__(self) -> None:
        for option, kind in _KINDS.items():
            if not isinstance(getattr(self, option), kind):
                raise ConfigurationError(f"CookieOptions({option}=...): {_REMEDIES[kind]}")
        if self.name == DEFAULT_NAME and not self.secure:
            force_setattr(self, "name", "session")
        for broken, message in _rules(self):
            if broken:
                raise ConfigurationError(f"CookieOptions: {message}")


_KINDS: dict[str, Any] = {
    "name": str,
    "secure": bool,
    "http_only": bool,
    "path": str,
    "domain": str | None,
    "partitioned": bool,
    "persistent": bool,
}
# "false" out of the environment is true: only True and False are.
_REMEDIES: dict[Any, str] = {bool: "True or False", str: "a text", str | None: "a text or None"}


def _rules(o: CookieOptions) -> list[tuple[bool, str]]:
    # User agents compare prefixes without regard to case (RFC 6265bis 5.7).
    name = str(o.name).lower()
    host, http = name.startswith("__host-"), name.startswith(("__http-", "__host-http-"))
    prefixed = host or http or name.startswith("__secure-")
    return [
        (not _TOKEN.fullmatch(o.name), "name must be an RFC 9110 token (letters, digits, -_.)"),
        (str(o.same_site) not in _SAME_SITE, 'same_site must be "lax", "strict" or "none"'),
        (not _PATH.fullmatch(o.path), "path must begin with / and hold no blank, ; or control"),
        (
            o.domain is not None and not _DOMAIN.fullmatch(o.domain),
            "domain must be a host name, in its ASCII form",
        ),
        (prefixed and not o.secure, "the name's prefix needs secure=True; over plain http drop it"),
        (
            host and (o.domain is not None or o.path != "/"),
            'a "__Host-" name needs path="/" and no domain; use "__Secure-session" with those',
        ),
        (http and not o.http_only, 'a "__Http-" name needs http_only=True'),
        (o.same_site == "none" and not o.secure, 'same_site="none" needs secure=True'),
        (o.partitioned and not o.secure, "partitioned=True needs secure=True"),
    ]


class SetCookie:
    """Writes the lines of one cookie; all but value and age is rendered once, here.

    ``is_persistent``: whether the browser is told an age.
    """

    __slots__ = ("_expired", "_prefix", "_suffix", "is_persistent", "name")

    def __init__(self, options: CookieOptions) -> None:
        self.name: bytes = options.name.encode("ascii")
        self._prefix = f"{options.name}="
        self.is_persistent: bool = options.persistent
        self._suffix = _attributes(options)
        self._expired = f"{self._prefix}; Max-Age=0; Expires={_LONG_AGO}{self._suffix}"

    def line(self, token: str, *, max_age: float) -> str:
        """The line that sets the cookie; ``max_age`` in seconds, rounded down to at least one.

        Raises SessionTooLargeError when the line is longer than browsers and proxies accept.
        """
        age = f"; Max-Age={max(1, int(max_age))}" if self.is_persistent else ""
        line = f"{self._prefix}{token}{age}{self._suffix}"
        if len(line) > MAX_LINE:
            raise SessionTooLargeError(
                f"the cookie would take {len(line)} of at most {MAX_LINE} bytes"
            )
        return line

    def expired_line(self) -> str:
        """The line that removes the cookie: the same attributes, or browsers would keep it."""
        return self._expired


def _attributes(o: CookieOptions) -> str:
    parts = [f"; Path={o.path}"]
    if o.domain is not None:
        parts.append(f"; Domain={o.domain}")
    if o.secure:
        parts.append("; Secure")
    if o.http_only:
        parts.append("; HttpOnly")
    parts.append(f"; SameSite={_SAME_SITE[o.same_site]}")
    if o.partitioned:
        parts.append("; Partitioned")
    return "".join(parts)
