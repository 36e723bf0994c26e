"""The README's program, as it stands."""

import pytest
from sanic import Sanic
from tests.adapters._readme import load, programs

pytestmark = pytest.mark.anyio


@pytest.fixture
def program():
    """The program; Sanic keeps the names of all applications of a process."""
    (program,) = programs("adapters/sanic/README.md")
    Sanic.test_mode = True
    return program


async def test_program(program, serve, tmp_path):
    """The program runs, and begins a session for a browser that speaks https."""
    async with serve(load(tmp_path, program).app) as client:
        response = await client.get("/")
    assert {"visits": 1} == response.json()
    assert response.headers["set-cookie"].startswith("__Host-session=")


async def test_plain_http(program, serve, tmp_path):
    """With the change that the README names for plain http, it counts visits there."""
    installed = 'Sessions(app, "memory://")'
    assert installed in program
    plain = program.replace(installed, 'Sessions(app, "memory://", cookie=PLAIN)')
    plain = plain.replace('Sanic("shop")', 'Sanic("plain")')
    options = "from sojourn import CookieOptions\nPLAIN = CookieOptions(secure=False)"
    app = load(tmp_path, options, plain).app
    async with serve(app) as client:
        replies = [(await client.get("/")).json() for _ in range(2)]
    assert [{"visits": 1}, {"visits": 2}] == replies
