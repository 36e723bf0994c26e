"""A manager from Quart's own settings, for an application that gives a store and no more.

A setting counts if it says something else than Quart's default: those are less strict than ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from quart import Quart

from sojourn import (
    Backend,
    ConfigurationError,
    CookieOptions,
    KeyRing,
    ManagerOptions,
    Policy,
    SessionManager,
    Store,
    Timeouts,
)

_COOKIE = {
    "SESSION_COOKIE_NAME": "name",
    "SESSION_COOKIE_DOMAIN": "domain",
    "SESSION_COOKIE_PATH": "path",
    "APPLICATION_ROOT": "path",
    "SESSION_COOKIE_SECURE": "secure",
    "SESSION_COOKIE_HTTPONLY": "http_only",
    "SESSION_COOKIE_SAMESITE": "same_site",
    "SESSION_COOKIE_PARTITIONED": "partitioned",
}
"""The first that says something counts."""


def make_manager(
    app: Quart, store: str | Store | Backend, options: ManagerOptions
) -> SessionManager[Any]:
    """The manager of these options, and of the application's settings where they say nothing."""
    keys = options.get("keys") or _keys(app)
    settled: ManagerOptions = {
        **options,
        "cookie": options.get("cookie") or _cookie(app),
        "timeouts": options.get("timeouts") or _timeouts(app),
        "keys": keys,
    }
    try:
        return SessionManager(store, **settled)
    except ConfigurationError as error:
        if keys is None and app.secret_key:
            error.add_note(_NO_KEY)
        raise


def _config(app: Quart) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", app.config)


def _cookie(app: Quart) -> CookieOptions | None:
    found: dict[str, Any] = {}
    for setting, field in _COOKIE.items():
        value, default = _config(app).get(setting), Quart.default_config.get(setting)
        if value != default and (value or default is True):
            found.setdefault(field, value)
    if not found:
        return None
    if "same_site" in found:
        found["same_site"] = str(found["same_site"]).lower()
    if "domain" in found or "path" in found:
        found.setdefault("name", "__Secure-session")  # "__Host-" allows neither
    try:
        return CookieOptions(**found)
    except ConfigurationError as error:
        raise ConfigurationError(f"app.config, SESSION_COOKIE_...: {error}") from None


def _timeouts(app: Quart) -> Timeouts | None:
    """The lifetime counts from the last activity in Quart, so it is the idle timeout.

    A longer one than our absolute timeout takes that one's place as well.
    """
    lifetime = app.permanent_session_lifetime
    if lifetime == Quart.default_config["PERMANENT_SESSION_LIFETIME"]:
        return None
    absolute = Policy.of(Timeouts()).absolute or 0
    try:
        return Timeouts(idle=lifetime, absolute=max(lifetime.total_seconds(), absolute))
    except ConfigurationError as error:
        raise ConfigurationError(f"app.config, PERMANENT_SESSION_LIFETIME: {error}") from None


def _keys(app: Quart) -> KeyRing | None:
    """A ring of the secret keys, if they are keys and not passphrases."""
    fallbacks: list[Any] = _config(app).get("SECRET_KEY_FALLBACKS") or []
    secrets: dict[Any, None] = dict.fromkeys([app.secret_key, *fallbacks])
    # Bytes are refused, because any passphrase of 32 bytes would pass for a key.
    if not all(isinstance(secret, str) for secret in secrets):
        return None
    try:
        return KeyRing(*secrets)
    except ConfigurationError:
        return None


_NO_KEY = (
    "SECRET_KEY was not used to seal sessions: it, or one of SECRET_KEY_FALLBACKS, is no key. "
    "A key is 32 random bytes, written as 43 characters: make one with `python -m sojourn key`. "
    "If other extensions need this SECRET_KEY as it is, give the sessions a key of their own, "
    "keys=..."
)
