"""What every adapter proves, on Litestar."""

from __future__ import annotations

from typing import Any, cast

import pytest

from sojourn.testing import AdapterTests, Capabilities, Serve, in_process, on_hypercorn, on_uvicorn

from ._site import build


class TestLitestar(AdapterTests):
    """In this process, and in real servers."""

    capabilities = Capabilities(head=False)

    @pytest.fixture(params=["in process", "uvicorn", "hypercorn"])
    def serve(self, request, anyio_backend_name) -> Serve:
        """Each way to run it, where it runs on this event loop."""
        if request.param == "uvicorn" and anyio_backend_name != "asyncio":
            pytest.skip("uvicorn runs on asyncio")
        if request.param == "hypercorn" and anyio_backend_name != "trio":
            pytest.skip("uvicorn stands for the servers on asyncio")
        if request.param != "in process" and "at hand" in request.node.callspec.id:
            pytest.skip("how a store is asked does not depend on the server")
        way = {"in process": in_process, "uvicorn": on_uvicorn, "hypercorn": on_hypercorn}
        return lambda setup: way[request.param](cast("Any", build(setup)))
