"""The manager's keywords as a type, and what is checked and resolved from them at start-up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
from ._vault import OPEN_VAULT, Sealed, Vault

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
    if isinstance(opened, Backend):
        if seal_at_rest:
            raise ConfigurationError("seal_at_rest: this store has no rows to seal; leave it out")
        return opened
    if not isinstance(opened, Store):
        raise ConfigurationError(
            f"store: give a URL, a sojourn.Store or a sojourn.Backend, not {type(opened).__name__}"
        )
    return ServerSide(
        opened,
        policy=context.policy,
        entropy=context.entropy,
        deadline=deadline,
        max_bytes=max_bytes,
        remember=context.remember,
        vault=_vault(context) if seal_at_rest else OPEN_VAULT,
    )


def _vault(context: StoreContext) -> Vault:
    if context.keys is None:
        raise ConfigurationError("seal_at_rest: give keys=; `python -m sojourn key` makes one")
    # One purpose for all cookies: rows may be shared by managers whose cookies differ.
    return Sealed(context.keys.box("sojourn/rows"), context.entropy)


def check_options(**options: object) -> None:
    """Refuse what would fail open, spin or crash later: typos, and numbers that are not above 0."""
    for name, allowed in _WORDS.items():
        if options[name] not in allowed:
            raise ConfigurationError(f"SessionManager({name}=...): one of {', '.join(allowed)}")
    for name in ("deadline", "max_bytes", "sweep_every"):
        value = options[name]
        if value is not None and not (isinstance(value, int | float) and value > 0):
            raise ConfigurationError(f"SessionManager({name}=...): a number above 0")
    cache_control = options["cache_control"]
    if cache_control is not None and not str(cache_control).isprintable():
        raise ConfigurationError("SessionManager(cache_control=...): a header value on one line")


_WORDS = {"on_store_error": ("raise", "anonymous"), "on_invalid_value": ("drop", "raise")}


def check_age(cookie: CookieOptions, policy: Policy) -> None:
    """Refuse a session that outlives what a browser keeps (RFC 6265bis, "cookie-age-limit")."""
    if cookie.persistent and policy.deadline(0, 0) > MAX_COOKIE_AGE:
        raise ConfigurationError(
            "Timeouts: browsers keep no cookie longer than 400 days; shorten idle or absolute, or "
            "set CookieOptions(persistent=False)"
        )
