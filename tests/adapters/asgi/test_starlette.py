import pytest
from _starlette_site import build

from sojourn.testing import AdapterTests, Capabilities, Serve, in_process, on_hypercorn, on_uvicorn


class TestStarlette(AdapterTests):
    capabilities = Capabilities(opt_out=False)

    @pytest.fixture(params=["in process", "uvicorn", "hypercorn"])
    def serve(self, request, anyio_backend_name) -> Serve:
        if request.param == "uvicorn" and anyio_backend_name != "asyncio":
            pytest.skip("uvicorn runs on asyncio")
        way = {"in process": in_process, "uvicorn": on_uvicorn, "hypercorn": on_hypercorn}
        return lambda setup: way[request.param](build(setup))
