"""The manager's keywords as a type, and what is checked and resolved from them at start-up."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict, cast

from ._backend import Backend
from ._errors import ConfigurationError
from ._events import Listener
from ._keyring import KeyRing
from ._registry import StoreContext, open_store
from ._serverside import ServerSide
from ._set_cookie import CookieOptions
from ._settings import OnInvalidValue, OnStoreError
from ._store import Store
from ._timeouts import MAX_COOKIE_AGE, Policy, Timeouts
from ._token import Entropy
from ._vault import Vault

Keys = KeyRing | str | bytes | Iterable[str | bytes]


class ManagerOptions(TypedDict, total=False):
    """The keywords of ``SessionManager``, for those who pass them on."""

    model: type[Any] | None
    timeouts: Timeouts | None
    cookie: CookieOptions | None
    keys: Keys | None
    clock: Callable[[], float]
    on_event: Listener | None
    on_store_error: OnStoreError
    on_invalid_value: OnInvalidValue
    commit_on_error: bool
    cache_control: str | None
    deadline: float
    max_bytes: int
    sweep_every: float | None
    remember: int
    seal_at_rest: bool
    entropy: Entropy


def resolve(
    store: str | Store | Backend,
    context: StoreContext,
    *,
    deadline: float,
    max_bytes: int,
    seal_at_rest: bool,
) -> Backend:
    """The backend that a URL, a store or a backend stands for. Raises ConfigurationError."""
    opened = cast("object", open_store(store, context) if isinstance(store, str) else store)
    if isinstance(opened, Backend) and not isinstance(opened, type):
        if seal_at_rest:
            raise ConfigurationError("seal_at_rest: this store has no rows to seal; leave it out")
        return opened
    if isinstance(opened, type) or not isinstance(opened, Store):
        raise ConfigurationError(
            f"store: give a URL, a sojourn.Store or a sojourn.Backend, not {_named(opened)}"
        )
    return ServerSide(
        opened,
        policy=context.policy,
        entropy=context.entropy,
        deadline=deadline,
        max_bytes=max_bytes,
        remember=context.remember,
        vault=_vault(context) if seal_at_rest else None,
    )


def _named(thing: object) -> str:
    # A class has all the methods of what it makes, so that it would pass for it.
    kind = type(thing).__name__
    return f"the class {thing.__name__}: call it" if isinstance(thing, type) else kind


def _vault(context: StoreContext) -> Vault:
    if context.keys is None:
        raise ConfigurationError("seal_at_rest: give keys=; `python -m sojourn key` makes one")
    # One purpose for all cookies: rows may be shared by managers whose cookies differ.
    return Vault(context.keys.box("sojourn/rows"), context.entropy)


def check_options(**options: object) -> None:
    """Refuse what would fail open, spin or crash later: wrong types, typos, senseless numbers."""
    for name, (kind, remedy) in _KINDS.items():
        if not isinstance(options[name], kind):
            raise ConfigurationError(f"SessionManager({name}=...): {remedy}")
    for name, allowed in _WORDS.items():
        if options[name] not in allowed:
            raise ConfigurationError(f"SessionManager({name}=...): one of {', '.join(allowed)}")
    _check_numbers(options)
    for name in ("clock", "entropy", "on_event"):
        value = options[name]
        if not (callable(value) or (value is None and name == "on_event")):
            raise ConfigurationError(f"SessionManager({name}=...): give the function, not a value")
        if inspect.iscoroutinefunction(value):
            raise ConfigurationError(f"SessionManager({name}=...): a plain function, no async def")
    _check_cache_control(options["cache_control"])


_KINDS: dict[str, tuple[Any, str]] = {
    "timeouts": (Timeouts, "give Timeouts(idle=1800, absolute=43200), in seconds"),
    "cookie": (CookieOptions, 'give CookieOptions(same_site="lax")'),
}
_WORDS = {"on_store_error": ("raise", "anonymous"), "on_invalid_value": ("drop", "raise")}
_FIELD_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?")  # RFC 9110 5.5, without obs-text


def _check_numbers(options: Mapping[str, object]) -> None:
    for name in ("deadline", "max_bytes", "sweep_every"):
        value = options[name]
        if value is None and name == "sweep_every":
            continue
        if not (isinstance(value, int | float) and value > 0):
            raise ConfigurationError(f"SessionManager({name}=...): a number above 0")
    remember = options["remember"]
    if not isinstance(remember, int) or remember < 0:
        raise ConfigurationError("SessionManager(remember=...): a number of sessions, 0 or more")


def _check_cache_control(value: object) -> None:
    # What no header can carry would fail each response, or begin another header.
    if value is not None and not (isinstance(value, str) and _FIELD_VALUE.fullmatch(value)):
        raise ConfigurationError("SessionManager(cache_control=...): a header value on one line")


def check_age(cookie: CookieOptions, policy: Policy) -> None:
    """Refuse a session that outlives what a browser keeps (RFC 6265bis, "cookie-age-limit")."""
    if cookie.persistent and policy.deadline(0, 0) > MAX_COOKIE_AGE:
        raise ConfigurationError(
            "Timeouts: browsers keep no cookie longer than 400 days; shorten idle or absolute, or "
            "set CookieOptions(persistent=False)"
        )
