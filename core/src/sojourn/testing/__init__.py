"""The proof that a store keeps the promises: for ours, and for everybody's.

``StoreTests`` is the suite; the rest is for tests of applications, stores and adapters. Needs the
extra ``testing``: ``pip install "sojourn-core[testing]"``.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._adapter_client import Client, Reply, Socket
    from ._adapter_fixtures import Serve
    from ._adapter_servers import ASGI_SERVERS, in_process, on_hypercorn, on_uvicorn, over_tcp
    from ._adapter_site import OWN_HEADERS, Setup, Visit, act, afterwards, chunks
    from ._adapter_table import Capabilities
    from ._adapter_tests import AdapterTests
    from ._browser import Browser, client_cookie
    from ._clock import ManualClock
    from ._history import HistoryStore, Operation
    from ._linear import check_history
    from ._promises import BrokenPromiseError, remedy
    from ._schedule import explore, explore_waiting
    from ._store_tests import StoreTests
    from ._strategies import cookie_headers, patches, records, states
    from ._workload import check_appends, check_rows
    from ._wrappers import Call, FailingStore, RecordingStore, SlowStore, Wrapper

_PLACES = {
    "Operation": "_history",
    "HistoryStore": "_history",
    "check_rows": "_workload",
    "check_history": "_linear",
    "check_appends": "_workload",
    "ASGI_SERVERS": "_adapter_servers",
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
    "Browser": "_browser",
    "Call": "_wrappers",
    "FailingStore": "_wrappers",
    "ManualClock": "_clock",
    "RecordingStore": "_wrappers",
    "SlowStore": "_wrappers",
    "StoreTests": "_store_tests",
    "Wrapper": "_wrappers",
    "client_cookie": "_browser",
    "cookie_headers": "_strategies",
    "explore": "_schedule",
    "explore_waiting": "_schedule",
    "patches": "_strategies",
    "records": "_strategies",
    "remedy": "_promises",
    "states": "_strategies",
}

__all__ = (
    "ASGI_SERVERS",
    "OWN_HEADERS",
    "AdapterTests",
    "BrokenPromiseError",
    "Browser",
    "Call",
    "Capabilities",
    "Client",
    "FailingStore",
    "HistoryStore",
    "ManualClock",
    "Operation",
    "RecordingStore",
    "Reply",
    "Serve",
    "Setup",
    "SlowStore",
    "Socket",
    "StoreTests",
    "Visit",
    "Wrapper",
    "act",
    "afterwards",
    "check_appends",
    "check_history",
    "check_rows",
    "chunks",
    "client_cookie",
    "cookie_headers",
    "explore",
    "explore_waiting",
    "in_process",
    "on_hypercorn",
    "on_uvicorn",
    "over_tcp",
    "patches",
    "records",
    "remedy",
    "states",
)


def __getattr__(name: str) -> Any:
    # The pytest plugin stands in this package: loading it must not load the suites.
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if place == "_store_tests" and "pytest" in sys.modules:
        # Failed asserts of the suite show their values, with or without the plugin.
        import_module(f"{__name__}.plugin")
    return getattr(import_module(f"{__name__}.{place}"), name)
