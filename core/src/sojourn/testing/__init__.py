"""The proof that a store keeps the promises: for ours, and for everybody's.

``StoreTests`` is the suite; the rest is for tests of applications, stores and adapters. Needs the
extra ``testing``: ``pip install "sojourn-core[testing]"``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._adapter_client import Client, Reply, Socket
    from ._adapter_fixtures import Serve
    from ._adapter_servers import in_process, on_hypercorn, on_uvicorn, over_tcp
    from ._adapter_site import OWN_HEADERS, Setup, Visit, act, afterwards, chunks
    from ._adapter_table import Capabilities
    from ._adapter_tests import AdapterTests
    from ._browser import client_cookie
    from ._clock import ManualClock
    from ._promises import BrokenPromiseError
    from ._store_tests import StoreTests
    from ._wrappers import Call, FailingStore, RecordingStore, SlowStore, Wrapper

_PLACES = {
    "AdapterTests": "_adapter_tests",
    "Capabilities": "_adapter_table",
    "Client": "_adapter_client",
    "OWN_HEADERS": "_adapter_site",
    "Reply": "_adapter_client",
    "Serve": "_adapter_fixtures",
    "Setup": "_adapter_site",
    "Socket": "_adapter_client",
    "Visit": "_adapter_site",
    "act": "_adapter_site",
    "afterwards": "_adapter_site",
    "chunks": "_adapter_site",
    "in_process": "_adapter_servers",
    "on_hypercorn": "_adapter_servers",
    "on_uvicorn": "_adapter_servers",
    "over_tcp": "_adapter_servers",
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
    "AdapterTests",
    "Capabilities",
    "Client",
    "OWN_HEADERS",
    "Reply",
    "Serve",
    "Setup",
    "Socket",
    "Visit",
    "act",
    "afterwards",
    "chunks",
    "in_process",
    "on_hypercorn",
    "on_uvicorn",
    "over_tcp",
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
