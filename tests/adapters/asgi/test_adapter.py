"""What every adapter proves, on Starlette and FastAPI."""

import pytest

from sojourn.testing import AdapterTests, Capabilities, Serve, in_process, on_hypercorn, on_uvicorn

from . import _fastapi_site, _starlette_site


class TestStarlette(AdapterTests):
    """In this process, and in real servers."""

    capabilities = Capabilities(opt_out=False)

    @pytest.fixture(params=["in process", "uvicorn", "hypercorn"])
    def serve(self, request, anyio_backend_name) -> Serve:
        """Each way to run it, where it runs on this event loop."""
        if request.param == "uvicorn" and anyio_backend_name != "asyncio":
            pytest.skip("uvicorn runs on asyncio")
        way = {"in process": in_process, "uvicorn": on_uvicorn, "hypercorn": on_hypercorn}
        return lambda setup: way[request.param](_starlette_site.build(setup))


class TestFastAPI(AdapterTests):
    """With ``SessionDep``, in this process: the servers see no difference."""

    capabilities = Capabilities(opt_out=False, head=False)

    @pytest.fixture
    def serve(self) -> Serve:
        """In this process."""
        return lambda setup: in_process(_fastapi_site.build(setup))
