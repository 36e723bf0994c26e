"""The part of ``AdapterTests`` about bytes: one configuration gives the same cookie everywhere."""

from __future__ import annotations

import pytest

from sojourn import CookieOptions, Timeouts

from ._adapter_client import RawHeaders
from ._adapter_fixtures import NOW, AdapterFixtures, Serve, cookies_of, make_manager
from ._adapter_rows import Rows
from ._adapter_site import Setup

TOKEN = "AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"  # noqa: S105 - public
"""The token that an entropy of 0, 1, 2, ... gives."""

GOLDEN: tuple[tuple[CookieOptions, str, str], ...] = (
    (
        CookieOptions(),
        f"__Host-session={TOKEN}; Max-Age=1800; Path=/; Secure; HttpOnly; SameSite=Lax",
        (
            "__Host-session=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
            "; Path=/; Secure; HttpOnly; SameSite=Lax"
        ),
    ),
    (
        CookieOptions(secure=False),
        f"session={TOKEN}; Max-Age=1800; Path=/; HttpOnly; SameSite=Lax",
        (
            "session=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly"
            "; SameSite=Lax"
        ),
    ),
    (
        CookieOptions(
            name="__Secure-id",
            domain="example.org",
            path="/text",
            same_site="none",
            http_only=False,
            partitioned=True,
            persistent=False,
        ),
        f"__Secure-id={TOKEN}; Path=/text; Domain=example.org; Secure; SameSite=None; Partitioned",
        (
            "__Secure-id=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/text"
            "; Domain=example.org; Secure; SameSite=None; Partitioned"
        ),
    ),
)
"""Options, the line that sets the cookie, the line that removes it."""

_EACH = pytest.mark.parametrize(
    ("options", "sets", "removes"), GOLDEN, ids=[options.name for options, *_ in GOLDEN]
)


@pytest.mark.anyio
class GoldenTests(AdapterFixtures):
    """Any adapter's cookie is every adapter's cookie."""

    @_EACH
    async def test_golden_cookie(
        self,
        serve: Serve,
        rows: Rows,
        setup: Setup,
        *,
        options: CookieOptions,
        sets: str,
        removes: str,
    ) -> None:
        """The Set-Cookie lines are these bytes, to set and to remove, and the cookie is read."""
        manager = make_manager(rows, cookie=options, entropy=lambda size: bytes(range(size)))
        sent: RawHeaders = [(b"Cookie", sets.split(";", maxsplit=1)[0].encode("ascii"))]
        async with serve(Setup(manager, setup.folder)) as client:
            first = await client.request("GET", "/text/write", [])
            second = await client.request("GET", "/text/read", sent)
            third = await client.request("GET", "/text/logout", sent)
        assert cookies_of(first, options.name) == [sets]
        assert (second.text, cookies_of(second, options.name)) == ("1", [])
        assert cookies_of(third, options.name) == [removes]

    async def test_golden_cookie_of_another(self, serve: Serve, rows: Rows, setup: Setup) -> None:
        """A cookie that another adapter wrote is read, and written on."""
        writer = make_manager(rows, entropy=lambda size: bytes(range(size)))
        session = await writer.load([])
        session["n"] = 7
        await writer.commit(session)
        sent: RawHeaders = [(b"Cookie", f"__Host-session={TOKEN}".encode("ascii"))]
        async with serve(setup) as client:
            assert (await client.request("GET", "/text/write", sent)).text == "8"
        assert (await writer.load([sent[0][1]]))["n"] == 8

    async def test_golden_age(self, serve: Serve, rows: Rows, setup: Setup) -> None:
        """Activity that extends the session sends the cookie again, with its new age."""
        timeouts = Timeouts(idle=1800, absolute=43200, extend_after=60)
        clock = {"now": NOW}
        manager = make_manager(rows, timeouts=timeouts, clock=lambda: clock["now"])
        async with serve(Setup(manager, setup.folder)) as client:
            first = await client.request("GET", "/text/write", [])
            (line,) = cookies_of(first)
            sent: RawHeaders = [(b"Cookie", line.split(";")[0].encode("ascii"))]
            clock["now"] += 59
            assert cookies_of(await client.request("GET", "/text/read", sent)) == []
            clock["now"] += 1
            (again,) = cookies_of(await client.request("GET", "/text/read", sent))
        assert again == line
