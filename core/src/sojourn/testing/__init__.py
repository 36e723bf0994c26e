"""The proof that a store keeps the promises: for ours, and for everybody's.

``StoreTests`` is the suite; the rest is for tests of applications, stores and adapters. Needs the
extra ``testing``: ``pip install "sojourn-core[testing]"``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._browser import client_cookie
    from ._clock import ManualClock
    from ._promises import BrokenPromiseError
    from ._store_tests import StoreTests
    from ._wrappers import Call, FailingStore, RecordingStore, SlowStore, Wrapper

_PLACES = {
    "BrokenPromiseError": "_promises",
    "Call": "_wrappers",
    "FailingStore": "_wrappers",
    "ManualClock": "_clock",
    "RecordingStore": "_wrappers",
    "SlowStore": "_wrappers",
    "StoreTests": "_store_tests",
    "Wrapper": "_wrappers",
    "client_cookie": "_browser",
}

__all__ = (
    "BrokenPromiseError",
    "Call",
    "FailingStore",
    "ManualClock",
    "RecordingStore",
    "SlowStore",
    "StoreTests",
    "Wrapper",
    "client_cookie",
)


def __getattr__(name: str) -> Any:
    # The pytest plugin stands in this package: loading it must not load the suites.
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{place}"), name)
