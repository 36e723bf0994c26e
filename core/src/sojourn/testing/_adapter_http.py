"""The part of ``AdapterTests`` about requests: the table, and sequences of requests."""

from __future__ import annotations

import pytest

from ._adapter_client import Reply
from ._adapter_fixtures import (
    SECOND_COOKIE,
    AdapterFixtures,
    Serve,
    cookie_headers,
    cookies_of,
    known,
    make_manager,
    make_second,
    stored,
)
from ._adapter_rows import Rows, RowsAtHand, until
from ._adapter_site import FILE_TEXT, Setup
from ._adapter_table import CASES, EXPECTED, Case, Effect, Holds

_BY_NAME = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
_VISITORS = pytest.mark.parametrize("is_known", [False, True], ids=["stranger", "known"])


@pytest.mark.anyio
class HTTPTests(AdapterFixtures):
    """One request each, and sequences of them."""

    @_BY_NAME
    @_VISITORS
    async def test_the_table(
        self, serve: Serve, setup: Setup, rows: Rows, case: Case, *, is_known: bool
    ) -> None:
        """Each kind of response writes, sets a cookie and names Cookie exactly when it should."""
        self.need(case.needs)
        headers = await known(rows) if is_known else []
        async with serve(setup) as client:
            reply = await client.request(case.method, case.path, headers)
        assert reply.status in case.statuses, reply
        expected = EXPECTED[case.effect, is_known]
        _check(reply, rows, expected)
        if case.effect is Effect.REST and (not is_known or isinstance(rows, RowsAtHand)):
            assert not rows.calls, "a request that touches nothing costs no store call"
        if expected.set_cookie:
            (_, sent), *_ = cookie_headers(reply)
            assert not (await stored(rows, [(b"Cookie", sent)])).is_new

    async def test_opt_out(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """A route that is excluded from sessions does not even load the one of a known visitor."""
        self.need("opt_out")
        headers = await known(rows)
        async with serve(setup) as client:
            assert (await client.request("GET", "/opt-out", headers)).status == 200
        assert rows.calls == []

    async def test_head_elsewhere(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """Where HEAD is not served for GET routes, it touches nothing."""
        if self.capabilities.head:
            pytest.skip("the framework answers HEAD")
        async with serve(setup) as client:
            reply = await client.request("HEAD", "/text/write", [])
        assert reply.status == 405
        _check(reply, rows, EXPECTED[Effect.REST, False])

    async def test_head_has_no_body(self, serve: Serve, setup: Setup) -> None:
        """The headers that are added to a HEAD response do not bring a body."""
        self.need("head")
        async with serve(setup) as client:
            assert (await client.request("HEAD", "/text/write", [])).body == b""

    async def test_junk_costs_nothing(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """A cookie that cannot be ours never reaches the store, and is no error."""
        junk = [(b"Cookie", b'__Host-session="\xff; ;=;__Host-session=' + b"A" * 64 + b"!")]
        async with serve(setup) as client:
            reply = await client.request("GET", "/text/read", junk)
        assert (reply.status, reply.text) == (200, "0")
        assert rows.calls == []
        assert cookies_of(reply) == []

    async def test_own_headers_stay(self, serve: Serve, setup: Setup) -> None:
        """What the application says in the same headers is kept, and ours is added to it."""
        async with serve(setup) as client:
            reply = await client.request("GET", "/headers/write", [])
        assert {"accept", "cookie"} <= set(reply.members("Vary"))
        assert {"private", "no-store"} <= set(reply.members("Cache-Control"))
        assert sum(line.startswith("theme=dark") for line in reply.all("Set-Cookie")) == 1
        assert len(cookies_of(reply)) == 1

    async def test_values_come_back(self, serve: Serve, setup: Setup) -> None:
        """What one request sets, the next one reads, by the cookie alone."""
        async with serve(setup) as client:
            first = await client.request("GET", "/text/write", [])
            second = await client.request("GET", "/text/write", cookie_headers(first))
            third = await client.request("GET", "/text/read", cookie_headers(first))
        assert [first.text, second.text, third.text] == ["1", "2", "2"]

    async def test_cookie_header_lines(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """Cookies may come in several header lines (RFC 9113 8.2.3), ours in any of them."""
        headers = [(b"Cookie", b"a=1"), *await known(rows), (b"Cookie", b"b=2")]
        async with serve(setup) as client:
            assert (await client.request("GET", "/text/read", headers)).text == "41"

    async def test_typed(self, serve: Serve, setup: Setup) -> None:
        """``session.data`` is the model, and its fields are the session's keys."""
        async with serve(setup) as client:
            first = await client.request("GET", "/typed", [])
            second = await client.request("GET", "/typed", cookie_headers(first))
        assert [first.text, second.text] == ["1", "2"]

    async def test_flash_across_redirect(self, serve: Serve, setup: Setup) -> None:
        """A flash value survives a redirect, and is read once."""
        async with serve(setup) as client:
            first = await client.request("GET", "/redirect/flash", [])
            assert first.status == 303
            (target,) = first.all("Location")
            assert target.endswith("/text/take")
            texts = [
                (await client.request("GET", "/text/take", cookie_headers(first))).text
                for _ in range(2)
            ]
        assert texts == ["saved", "None"]

    async def test_login_and_logout(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """A login replaces the secret, a logout removes row and cookie."""
        before = await known(rows)
        async with serve(setup) as client:
            login = await client.request("GET", "/redirect/login", before)
            after = cookie_headers(login)
            assert (await client.request("GET", "/text/read", before)).text == "0"
            assert (await client.request("GET", "/text/read", after)).text == "41"
            logout = await client.request("GET", "/redirect/logout", after)
            assert (await client.request("GET", "/text/read", after)).text == "0"
        (line,) = cookies_of(logout)
        assert "Max-Age=0" in line
        assert rows.rows == {}

    @pytest.mark.parametrize("shape", ["stream", "sse"])
    async def test_sealed_in_the_body(self, serve: Serve, setup: Setup, shape: str) -> None:
        """A stream's body goes out after the commit, so it cannot change the session any more."""
        async with serve(setup) as client:
            reply = await client.request("GET", f"/{shape}/write", [])
        assert "sealed" in reply.text
        assert "end" in reply.text

    async def test_file_is_whole(self, serve: Serve, setup: Setup) -> None:
        """A file and a static file arrive as they are."""
        async with serve(setup) as client:
            replies = [await client.request("GET", p, []) for p in _FILES]
        assert [reply.text for reply in replies] == [FILE_TEXT, FILE_TEXT]

    async def test_explicit_commit_stays(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """What the handler committed is kept, whatever becomes of the response."""
        headers = await known(rows)
        async with serve(setup) as client:
            assert (await client.request("GET", "/crash/save", headers)).status == 500
        assert (await stored(rows, headers))["n"] == 42

    async def test_background(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """A task after the response finds the handle sealed, and works with ``manager.edit``."""
        self.need("background")
        async with serve(setup) as client:
            reply = await client.request("GET", "/background/write", [])
            await until(lambda: rows.writes == ["create", "replace"])
        assert setup.notes == ["sealed"]
        assert (await stored(rows, cookie_headers(reply)))["n"] == 100

    @_VISITORS
    async def test_double_installation(
        self, serve: Serve, rows: Rows, setup: Setup, *, is_known: bool
    ) -> None:
        """Installed twice, it loads once, writes once and sets one cookie."""
        headers = await known(rows) if is_known else []
        async with serve(Setup(setup.manager, setup.folder, twice=True)) as client:
            reply = await client.request("GET", "/text/write", headers)
        assert rows.calls == (["load", "replace"] if is_known else ["create"])
        _check(reply, rows, EXPECTED[Effect.WRITE, is_known])

    async def test_two_managers(self, serve: Serve, rows: Rows, setup: Setup) -> None:
        """Two managers with two cookies know nothing of each other."""
        self.need("two_managers")
        other = Rows()
        both = Setup(setup.manager, setup.folder, second=make_second(other))
        async with serve(both) as client:
            first = await client.request("GET", "/text/write", [])
            assert (len(rows.rows), len(other.rows)) == (1, 0)
            second = await client.request("GET", "/second/write", [])
            assert (len(rows.rows), len(other.rows)) == (1, 1)
            headers = cookie_headers(first, second)
            assert (await client.request("GET", "/text/write", headers)).text == "2"
            assert (await client.request("GET", "/second/read", headers)).text == "1"
        assert len(cookies_of(first)) == len(first.all("Set-Cookie")) == 1
        assert len(cookies_of(second, SECOND_COOKIE)) == len(second.all("Set-Cookie")) == 1

    async def test_restart(self, serve: Serve, setup: Setup, rows: Rows) -> None:
        """The store opens and closes with the application, and sessions outlive it."""
        async with serve(setup) as client:
            first = await client.request("GET", "/text/write", [])
            was_open = rows.is_open
        assert (was_open, rows.is_open) == (True, False)
        async with serve(Setup(make_manager(rows), setup.folder)) as client:
            second = await client.request("GET", "/text/write", cookie_headers(first))
        assert second.text == "2"


_FILES = ("/file/write", "/static/page.txt")


def _check(reply: Reply, rows: Rows, expected: Holds) -> None:
    assert bool(rows.writes) is expected.written, rows.calls
    assert len(cookies_of(reply)) == int(expected.set_cookie), reply.headers
    if expected.vary is not None:
        assert ("cookie" in reply.members("Vary")) is expected.vary, reply.headers
    assert ("no-store" in reply.members("Cache-Control")) is expected.no_store, reply.headers
