"""A driver's errors as the core's, with the remedy.

The driver's own text may hold an address, so it stays out of ours.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from redis import exceptions

from sojourn import StoreUnavailableError

P = ParamSpec("P")
T = TypeVar("T")


class Guarded(Protocol):
    """What ``guarded`` has to know of a store."""

    def drop(self, error: Exception) -> None:
        """End all connections."""
        ...


S = TypeVar("S", bound=Guarded)


class OutOfStepError(exceptions.ConnectionError):
    """The reply cannot belong to the command, so neither can those that follow it."""


class UnconfirmedError(exceptions.RedisError):
    """The primary has the write, but not enough replicas said so in time."""


class NoReplicasError(exceptions.ResponseError):
    """The server was told to have replicas before it writes, and has too few."""


# Until version 7 the error of a command within a script is inside another one.
_OF_SCRIPT = re.compile(r"^Error running script .*-([A-Z]+) ")
_REPLIES: dict[str, type[exceptions.RedisError]] = {
    "ASK": exceptions.AskError,
    "CLUSTERDOWN": exceptions.ClusterDownError,
    "LOADING": exceptions.BusyLoadingError,
    "MASTERDOWN": exceptions.MasterDownError,
    "MOVED": exceptions.MovedError,
    "NOAUTH": exceptions.AuthenticationError,
    "NOPERM": exceptions.NoPermissionError,
    "NOREPLICAS": NoReplicasError,
    "NOSCRIPT": exceptions.NoScriptError,
    "OOM": exceptions.OutOfMemoryError,
    "READONLY": exceptions.ReadOnlyError,
    "TRYAGAIN": exceptions.TryAgainError,
    "WRONGPASS": exceptions.AuthenticationError,
}


def error_of(reply: str) -> exceptions.RedisError:
    """What an error reply means; its first word is a code."""
    code, _, rest = reply.partition(" ")
    within = _OF_SCRIPT.search(rest) if code == "ERR" else None
    if within is not None:
        code = within[1]
    return _REPLIES.get(code, exceptions.ResponseError)(rest)


# The first that fits; several of them are ConnectionErrors, too.
_REMEDIES: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    (
        (exceptions.AuthenticationError, exceptions.AuthorizationError),
        "refused our user or password; check those in the store's URL",
    ),
    ((exceptions.NoPermissionError,), "does not allow a command; see the README for the ACL"),
    (
        (exceptions.ReadOnlyError,),
        "is a read-only replica; connect to the primary, or use sentinel= or cluster=",
    ),
    ((exceptions.OutOfMemoryError,), "is out of memory; raise its maxmemory"),
    ((exceptions.BusyLoadingError,), "is still loading its data"),
    ((exceptions.TimeoutError, TimeoutError), "did not answer within the deadline"),
    (
        (
            exceptions.ClusterDownError,
            exceptions.MasterDownError,
            exceptions.TryAgainError,
            exceptions.SlotNotCoveredError,
        ),
        "is failing over",
    ),
    ((NoReplicasError,), "has too few replicas to accept a change (min-replicas-to-write)"),
    ((UnconfirmedError,), "has the write, but too few of its replicas said so in time"),
    ((OutOfStepError,), "or what is between us gave the reply to another command"),
    (
        (exceptions.ConnectionError, exceptions.RedisClusterException, OSError),
        "cannot be reached",
    ),
)

DRIVER_ERRORS = (exceptions.RedisError, exceptions.RedisClusterException, OSError)


def translated(error: BaseException) -> StoreUnavailableError:
    """Our error for the driver's; its cause is the driver's."""
    causes = (error, error.__cause__, error.__context__)
    for kinds, remedy in _REMEDIES:
        # A connection that was refused hides the reason behind a ConnectionError.
        if any(isinstance(cause, kinds) for cause in causes):
            return StoreUnavailableError(f"the Redis server {remedy}")
    return StoreUnavailableError(f"the Redis server answered with {type(error).__name__}")


def guarded(
    method: Callable[Concatenate[S, P], Awaitable[T]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """The method with the driver's errors as ours."""

    @functools.wraps(method)
    async def wrapper(store: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(store, *args, **kwargs)
        except DRIVER_ERRORS as error:
            raise failure(store, error) from error

    return wrapper


def failure(store: Guarded, error: Exception) -> StoreUnavailableError:
    """What a method raises for a driver's error; replies that got out of step end here."""
    if isinstance(error, OutOfStepError):
        store.drop(error)
    return translated(error)
