"""``AdapterTests``: the promises that every adapter keeps, whatever its framework.

Supply the fixture ``serve``: a function that builds an application for a ``Setup``, runs it, and
gives a ``Client`` of it, as an async context manager. Run the suite in this process, and in real
servers. The application has one handler per shape; what the handlers do is ``act``, ``chunks`` and
``afterwards``, which the suite brings::

    from sojourn.testing import (
        ASGI_SERVERS, OWN_HEADERS, AdapterTests, Capabilities, Serve, Setup,
        act, afterwards, chunks, in_process,
    )

    def build(setup: Setup) -> Starlette: ...      # the routes below, and the adapter

    class TestStarlette(AdapterTests):
        capabilities = Capabilities(opt_out=False)

        @pytest.fixture
        def serve(self) -> Serve:
            return lambda setup: in_process(build(setup))

    # How a store is asked does not depend on who serves.
    @pytest.mark.parametrize("rows", ["awaited"], indirect=True)
    class TestStarletteServed(TestStarlette):

        @pytest.fixture(params=ASGI_SERVERS)
        def server(self, request: pytest.FixtureRequest) -> Any:
            return ASGI_SERVERS[request.param]

        @pytest.fixture
        def anyio_backend(self, server: Any) -> str:
            return server[0]

        @pytest.fixture
        def serve(self, server: Any) -> Serve:
            return lambda setup: server[1](build(setup))

The routes, all for GET only; ``{action}`` goes to ``text = await act(session, action)``, first:

- ``/text/{action}``: 200 with ``text``. Its session is the one that handlers usually get.
- ``/typed``: 200 with ``await act(session, "typed")``; the session asked for in the typed way, with
  the model ``Visit``.
- ``/headers/{action}``: 200 with ``text`` and the headers ``OWN_HEADERS``.
- ``/redirect/{action}``: 303 to ``/text/take``.
- ``/error/{action}``: raise the framework's own HTTP error 403.
- ``/crash/{action}``: raise RuntimeError.
- ``/stream/{action}``: a streamed text of ``chunks(session)``.
- ``/sse/{action}``: server-sent events, one for each of ``chunks(session)``.
- ``/file/{action}``: the file ``setup.folder / "page.txt"``, as the framework sends files.
- ``/static/...``: ``setup.folder`` as static files.
- ``/missing/{action}``: no route; the application's page for all 404s has ``text``, for this path.
- ``/sub/text/{action}``: ``/text/{action}`` in a mounted application, blueprint or router.
- ``/background/{action}``: 200, and ``afterwards(session, setup)`` as a task after the response.
- ``/opt-out``: 200, on a route that is excluded from sessions.
- ``/second/{action}``: as ``/text``, with the session of ``setup.second`` (if it is not None).
- websocket ``/ws/{action}``: act, accept, and then for each text message: "close": close; "crash":
  raise RuntimeError; anything else: answer ``await act(session, message)``.
- websocket ``/deny/{action}``: act, and then refuse the handshake.

What a framework cannot do, ``Capabilities`` says. The test class runs on the ``anyio_backend``
fixture's event loops; define it in the class to choose. ``over_tcp(host, port)`` is the client for
a server that is started in another way::

        @pytest.fixture
        def serve(self) -> Serve:
            @asynccontextmanager
            async def run(setup: Setup) -> AsyncIterator[Client]:
                runner = web.AppRunner(build(setup))
                await runner.setup()
                site = web.TCPSite(runner, "127.0.0.1", 0)
                await site.start()
                try:
                    async with over_tcp(*runner.addresses[0]) as client:
                        yield client
                finally:
                    await runner.cleanup()
            return run
"""

from __future__ import annotations

from ._adapter_failures import FailureTests
from ._adapter_golden import GoldenTests
from ._adapter_http import HTTPTests
from ._adapter_sockets import WebSocketTests


class AdapterTests(HTTPTests, FailureTests, WebSocketTests, GoldenTests):
    """Everything that an adapter has to prove."""
