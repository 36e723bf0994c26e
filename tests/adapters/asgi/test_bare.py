import pytest

from sojourn import SessionManager, StoreUnavailableError
from sojourn.testing import in_process
from sojourn.testing._adapter_inprocess import ASGIClient
from sojourn.testing._adapter_rows import Rows
from sojourn_asgi import SessionMiddleware, get_session


async def bare(scope, receive, send):
    if scope["type"] != "http":
        raise AssertionError("it knows of no lifespan")
    get_session(scope)["n"] = 1
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


@pytest.mark.anyio
async def test_lifespan_of_a_bare_app():
    """The middleware speaks the lifespan protocol for an application that does not."""
    rows = Rows()
    async with in_process(SessionMiddleware(bare, rows)) as client:
        assert rows.is_open
        assert (await client.request("GET", "/", [])).all("Set-Cookie") != []
    assert not rows.is_open


@pytest.mark.anyio
async def test_no_lifespan():
    """Where nobody speaks the lifespan protocol, the store opens at the first request."""
    rows = Rows()
    manager = SessionManager(rows, sweep_every=None)
    assert (
        await ASGIClient(SessionMiddleware(bare, manager)).request("GET", "/", [])
    ).status == 200
    assert rows.is_open


@pytest.mark.anyio
async def test_failed_commit_of_a_bare_app():
    """A failed commit is answered by the middleware, as nothing was sent yet."""
    rows = Rows()
    rows.down.add("create")
    async with in_process(SessionMiddleware(bare, rows)) as client:
        reply = await client.request("GET", "/", [])
    assert (reply.status, reply.text) == (StoreUnavailableError.status_code, "Service Unavailable")
    assert reply.all("Set-Cookie") == []
