"""Stores around a store: one that remembers each call, one that fails, one that is slow.

A wrapper has the abilities (``SupportsOwners``, ...) of the store inside, no more and no fewer, so
that everybody who asks by protocol gets the same answer as without it.
"""

# ruff: noqa: ARG002 - a hook gets more than each wrapper looks at

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import anyio
from msgspec import Struct

from sojourn import (
    Outcome,
    Record,
    Store,
    StoreUnavailableError,
    SupportsDeadline,
    SupportsFreshLoad,
    SupportsLoadNowait,
    SupportsOneProcess,
    SupportsOpen,
    SupportsOwners,
    SupportsSweep,
)

if TYPE_CHECKING:
    from typing import Self

T = TypeVar("T")
Arguments = Mapping[str, Any]


class Wrapper:
    """A store that hands each call to ``around`` (or ``around_nowait``) with its arguments."""

    abilities: Collection[type[Any]] = (
        SupportsOpen,
        SupportsLoadNowait,
        SupportsSweep,
        SupportsOwners,
        SupportsDeadline,
        SupportsFreshLoad,
        SupportsOneProcess,
    )
    """The protocols that this wrapper passes on, if the store inside has them."""

    inner: Any

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """An object of this class with the abilities of the store inside added."""
        inner = args[0] if args else options["inner"]
        has = tuple(mixin for kind, mixin in _MIXINS if kind in cls.abilities and _is(inner, kind))
        made: Self = object.__new__(_class_with(cls, has))
        return made

    def __init__(self, inner: Store) -> None:
        self.inner = inner

    async def around(self, name: str, arguments: Arguments, call: Callable[[], Awaitable[T]]) -> T:
        """What the wrapper is for; ``name`` is the method."""
        return await call()

    def around_nowait(self, name: str, arguments: Arguments, call: Callable[[], T]) -> T:
        """The same for ``load_nowait``."""
        return call()

    async def load(self, id: str, *, now: float) -> Record | None:
        """See ``Store``; so are the others."""
        answer: Record | None = await self._pass("load", id=id, now=now)
        return answer

    async def create(self, record: Record) -> bool:
        answer: bool = await self._pass("create", record=record)
        return answer

    async def replace(self, record: Record, *, version: int, now: float) -> Outcome:
        answer: Outcome = await self._pass("replace", record=record, version=version, now=now)
        return answer

    async def touch(self, id: str, *, version: int, expires_at: float, now: float) -> Outcome:
        answer: Outcome = await self._pass(
            "touch", id=id, version=version, expires_at=expires_at, now=now
        )
        return answer

    async def delete(self, id: str) -> bool:
        answer: bool = await self._pass("delete", id=id)
        return answer

    async def aclose(self) -> None:
        await self._pass("aclose")

    async def _pass(self, name: str, **arguments: Any) -> Any:
        # The first parameter of the contract's methods may have any name in a store.
        positional = [arguments[key] for key in ("id", "record", "owner") if key in arguments]
        named = {k: v for k, v in arguments.items() if k not in ("id", "record", "owner")}
        method: Callable[..., Awaitable[Any]] = getattr(self.inner, name)
        return await self.around(name, arguments, lambda: method(*positional, **named))


class _Opening(Wrapper):
    async def aopen(self) -> None:
        await self._pass("aopen")


class _LoadingNowait(Wrapper):
    def load_nowait(self, id: str, *, now: float) -> Record | None:
        def call() -> Record | None:
            return cast("SupportsLoadNowait", self.inner).load_nowait(id, now=now)

        return self.around_nowait("load_nowait", {"id": id, "now": now}, call)


class _Sweeping(Wrapper):
    async def sweep(self, *, now: float, limit: int) -> int:
        answer: int = await self._pass("sweep", now=now, limit=limit)
        return answer


class _Owning(Wrapper):
    async def load_owner(self, owner: str, *, now: float) -> list[Record]:
        answer: list[Record] = await self._pass("load_owner", owner=owner, now=now)
        return answer

    async def delete_owner(self, owner: str, *, keep: str | None = None) -> int:
        answer: int = await self._pass("delete_owner", owner=owner, keep=keep)
        return answer


class _Bounding(Wrapper):
    @property
    def deadline(self) -> float:
        return cast("SupportsDeadline", self.inner).deadline


class _LoadingFresh(Wrapper):
    async def load_fresh(self, id: str, *, now: float) -> Record | None:
        answer: Record | None = await self._pass("load_fresh", id=id, now=now)
        return answer


class _InOneProcess(Wrapper):
    @property
    def one_process(self) -> bool:
        return cast("SupportsOneProcess", self.inner).one_process


_MIXINS: tuple[tuple[type[Any], type[Wrapper]], ...] = (
    (SupportsOpen, _Opening),
    (SupportsLoadNowait, _LoadingNowait),
    (SupportsSweep, _Sweeping),
    (SupportsOwners, _Owning),
    (SupportsDeadline, _Bounding),
    (SupportsFreshLoad, _LoadingFresh),
    (SupportsOneProcess, _InOneProcess),
)


def _is(store: object, kind: type[Any]) -> bool:
    return isinstance(store, kind)


_CLASSES: dict[tuple[Any, ...], type[Any]] = {}


def _class_with(base: type[Wrapper], mixins: tuple[type[Wrapper], ...]) -> type[Any]:
    made = _CLASSES.get((base, mixins))
    if made is None:
        made = type(base.__name__, (base, *mixins), {"__module__": base.__module__})
        _CLASSES[base, mixins] = made
    return made


class Call(Struct, frozen=True):
    """One call of a store: its name, its arguments by name, and what came of it."""

    name: str
    arguments: Arguments
    result: object = None
    error: BaseException | None = None

    def __str__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.arguments.items())
        answer = self.result.name if isinstance(self.result, Outcome) else repr(self.result)
        outcome = f"raised {type(self.error).__name__}" if self.error else answer
        return f"{self.name}({arguments}) -> {outcome}"


class RecordingStore(Wrapper):
    """Remembers each call in ``calls``, in the order in which they ended."""

    def __init__(self, inner: Store, calls: list[Call] | None = None) -> None:
        super().__init__(inner)
        self.calls: list[Call] = [] if calls is None else calls

    async def around(self, name: str, arguments: Arguments, call: Callable[[], Awaitable[T]]) -> T:
        """See ``Wrapper``."""
        try:
            result = await call()
        except BaseException as error:
            self.calls.append(Call(name, arguments, error=error))
            raise
        self.calls.append(Call(name, arguments, result))
        return result

    def around_nowait(self, name: str, arguments: Arguments, call: Callable[[], T]) -> T:
        """See ``Wrapper``."""
        result = call()
        self.calls.append(Call(name, arguments, result))
        return result

    @property
    def names(self) -> list[str]:
        """The names of the methods that were called; every way to load is "load"."""
        return ["load" if call.name.startswith("load_") else call.name for call in self.calls]

    @property
    def records(self) -> list[Record]:
        """Every record that went in, in order."""
        given = (call.arguments.get("record") for call in self.calls)
        return [record for record in given if isinstance(record, Record)]


class Failing(Protocol):
    """Decides whether the call with this number (from 1) and this name fails."""

    def __call__(self, number: int, name: str) -> bool:
        """True: it fails."""
        ...


class FailingStore(Wrapper):
    """Raises instead of answering: at the calls with these numbers, or where a function says so.

    - ``fails``: numbers of calls, from 1, or a function of number and name.
    - ``error``: makes what is raised; StoreUnavailableError if it is not given.
    - ``after``: the call takes effect, and only its answer is lost.
    """

    def __init__(
        self,
        inner: Store,
        fails: Collection[int] | Failing,
        *,
        error: Callable[[], BaseException] = lambda: StoreUnavailableError("made to fail"),
        after: bool = False,
    ) -> None:
        super().__init__(inner)
        self.count: int = 0
        self._fails, self._error, self._after = fails, error, after

    async def around(self, name: str, arguments: Arguments, call: Callable[[], Awaitable[T]]) -> T:
        """See ``Wrapper``."""
        if not self._is_next(name):
            return await call()
        if self._after:
            await call()
        raise self._error()

    def around_nowait(self, name: str, arguments: Arguments, call: Callable[[], T]) -> T:
        """See ``Wrapper``."""
        if self._is_next(name):
            raise self._error()
        return call()

    def _is_next(self, name: str) -> bool:
        self.count += 1
        if callable(self._fails):
            return self._fails(self.count, name)
        return self.count in self._fails


class SlowStore(Wrapper):
    """Waits before each call (``seconds``; ``inf``: never answers), so it must be awaited."""

    abilities: Collection[type[Any]] = (
        SupportsOpen,
        SupportsSweep,
        SupportsOwners,
        SupportsFreshLoad,
    )

    def __init__(self, inner: Store, seconds: float = math.inf) -> None:
        super().__init__(inner)
        self._seconds = seconds

    async def around(self, name: str, arguments: Arguments, call: Callable[[], Awaitable[T]]) -> T:
        """See ``Wrapper``."""
        await anyio.sleep(self._seconds)
        return await call()
