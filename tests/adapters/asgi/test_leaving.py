"""What the suite's tests of leaving clients rest on: the server knows, before the store answers."""

import anyio
import pytest

from sojourn.testing import in_process, on_hypercorn, on_uvicorn


class Patient:
    """An application that answers "/held" only when its client has left."""

    def __init__(self) -> None:
        self.held = anyio.Event()
        self.left = False

    async def __call__(self, scope, receive, send):
        """ASGI."""
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{phase}.complete"})
            return
        if scope["path"] == "/held":
            self.held.set()
            while (await receive())["type"] != "http.disconnect":
                pass
            self.left = True
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.mark.anyio
@pytest.mark.parametrize("way", [in_process, on_uvicorn, on_hypercorn])
async def test_leaving_is_seen(way, anyio_backend_name):
    """Who leaves has left for the server, too, when another connection has been served."""
    if way is on_uvicorn and anyio_backend_name != "asyncio":
        pytest.skip("uvicorn runs on asyncio")
    app = Patient()
    async with way(app) as client, client.abandoned("/held", []) as leave:
        await app.held.wait()
        assert not app.left
        await leave()
        assert (await client.request("GET", "/", [])).status == 200
        assert app.left
