"""What all parts of a manager share: its settings, resolved once at start-up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from ._backend import Backend
from ._codec import ValueCodec
from ._events import Emitter
from ._model import ModelCodec
from ._set_cookie import SetCookie
from ._timeouts import Policy

Clock = Callable[[], float]
"""Seconds since the epoch."""

OnStoreError = Literal["raise", "anonymous"]
OnInvalidValue = Literal["drop", "raise"]


class Settings(Struct, frozen=True):
    """See ``SessionManager`` for the meaning of each."""

    backend: Backend
    policy: Policy
    set_cookie: SetCookie
    clock: Clock
    emit: Emitter
    codec: ValueCodec
    model_codec: ModelCodec[Any] | None
    cache_control: str | None
    commit_on_error: bool
    on_store_error: OnStoreError
    on_invalid_value: OnInvalidValue
    commit_deadline: float
