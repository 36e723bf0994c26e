import falcon
import pytest
from falcon.asgi import App, SSEvent
from sojourn_falcon import Sessions, get_session

from sojourn.testing import (
    OWN_HEADERS,
    AdapterTests,
    Capabilities,
    act,
    afterwards,
    chunks,
    in_process,
    on_uvicorn,
)


class Site:
    def __init__(self, setup):
        self.setup = setup

    async def on_get_text(self, req, resp, action):
        resp.text = await act(get_session(req), action)

    async def on_get_second(self, req, resp, action):
        resp.text = await act(get_session(req, self.setup.second), action)

    async def on_get_typed(self, req, resp):
        resp.text = await act(get_session(req), "typed")

    async def on_get_headers(self, req, resp, action):
        await self.on_get_text(req, resp, action)
        for name, value in OWN_HEADERS:
            resp.append_header(name, value)

    async def on_get_redirect(self, req, resp, action):
        await self.on_get_text(req, resp, action)
        raise falcon.HTTPSeeOther("/text/take")

    async def on_get_error(self, req, resp, action):
        await self.on_get_text(req, resp, action)
        raise falcon.HTTPForbidden

    async def on_get_crash(self, req, resp, action):
        await self.on_get_text(req, resp, action)
        raise RuntimeError

    async def on_get_stream(self, req, resp, action):
        await act(get_session(req), action)
        resp.stream = (chunk.encode() async for chunk in chunks(get_session(req)))

    async def on_get_sse(self, req, resp, action):
        await act(get_session(req), action)
        resp.sse = (SSEvent(text=chunk) async for chunk in chunks(get_session(req)))

    async def on_get_file(self, req, resp, action):
        await act(get_session(req), action)
        resp.data = (self.setup.folder / "page.txt").read_bytes()

    async def missing(self, req, resp, error, params):
        resp.status, resp.text = 404, "nothing"
        if req.path.startswith("/missing/"):
            resp.text = await act(get_session(req), req.path.rpartition("/")[2])

    async def on_get_background(self, req, resp, action):
        await self.on_get_text(req, resp, action)

        async def task():
            await afterwards(get_session(req), self.setup)

        resp.schedule(task)


def build(setup):
    app, site = App(), Site(setup)
    managers = [setup.manager] * (2 if setup.twice else 1)
    for manager in [*managers, *([setup.second] if setup.second else [])]:
        Sessions(app, manager)
    for name in dir(site):
        shape = name.removeprefix("on_get_")
        if shape != name:
            path = "/typed" if shape == "typed" else f"/{shape}/{{action}}"
            app.add_route(path, site, suffix=shape)
    app.add_error_handler(falcon.HTTPNotFound, site.missing)
    app.add_static_route("/static", setup.folder)
    return app


class TestFalcon(AdapterTests):
    capabilities = Capabilities(head=False, opt_out=False, sub_app=False, websocket=False)

    @pytest.fixture
    def anyio_backend(self):
        return "asyncio"

    @pytest.fixture(params=[in_process, on_uvicorn])
    def serve(self, request):
        return lambda setup: request.param(build(setup))
