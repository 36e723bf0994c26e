"""What the parts of ``AdapterTests`` stand on: stores, managers, visitors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, ClassVar, Unpack

import pytest

from sojourn import CookieOptions, ManagerOptions, Session, SessionManager, manager_of

from ._adapter_client import Client, RawHeaders, Reply
from ._adapter_rows import Rows, RowsAtHand
from ._adapter_site import FILE_TEXT, Setup, Visit
from ._adapter_table import Capabilities
from ._browser import client_cookie

Serve = Callable[[Setup], AbstractAsyncContextManager[Client]]
"""Builds the application for a Setup, runs it, and gives a client of it."""

NOW = 1_800_000_000.0
SECOND_COOKIE = "second"


class AdapterFixtures:
    """The fixtures; ``serve`` is the one that an adapter's tests supply."""

    capabilities: ClassVar[Capabilities] = Capabilities()

    @pytest.fixture
    def serve(self) -> Serve:
        """See ``Serve``."""
        raise NotImplementedError("AdapterTests: supply the fixture `serve`")

    @pytest.fixture(params=["awaited", "at hand"])
    def rows(self, request: pytest.FixtureRequest) -> Rows:
        """A store that has to be awaited, and one that has not."""
        return {"awaited": Rows, "at hand": RowsAtHand}[request.param]()

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """The files that are served."""
        (tmp_path / "page.txt").write_text(FILE_TEXT)
        return tmp_path

    @pytest.fixture
    def setup(self, rows: Rows, folder: Path) -> Setup:
        """The usual application: one manager, installed once."""
        return Setup(make_manager(rows), folder)

    def need(self, capability: str) -> None:
        """Skip the test where the framework cannot do this."""
        if capability and not getattr(self.capabilities, capability):
            pytest.skip(f"the framework cannot: {capability}")


def make_manager(rows: Rows, **options: Unpack[ManagerOptions]) -> SessionManager[Visit]:
    """A manager over these rows, at a fixed time."""
    usual: ManagerOptions = {"model": Visit, "clock": lambda: NOW, "sweep_every": None}
    usual.update(options)
    return manager_of(rows, **usual)


def make_second(rows: Rows) -> SessionManager[Visit]:
    """A manager with another cookie."""
    return make_manager(rows, cookie=CookieOptions(name=SECOND_COOKIE))


async def known(rows: Rows, **values: Any) -> RawHeaders:
    """Begin a session beside the application, and give the headers that carry it."""
    cookie = await client_cookie(make_manager(rows), values or {"n": 41})
    rows.calls.clear()
    return [(b"Cookie", cookie.encode("ascii"))]


async def stored(rows: Rows, headers: RawHeaders) -> Session[Visit]:
    """The session of this cookie, as it is in the store now."""
    return await make_manager(rows).load([value for _, value in headers])


def cookies_of(reply: Reply, name: str = "__Host-session") -> list[str]:
    """The Set-Cookie lines of the session's cookie."""
    return [line for line in reply.all("Set-Cookie") if line.startswith(f"{name}=")]


def cookie_headers(*replies: Reply) -> RawHeaders:
    """What a browser sends after these replies."""
    pairs = [line.split(";")[0] for reply in replies for line in reply.all("Set-Cookie")]
    return [(b"Cookie", "; ".join(pairs).encode("ascii"))]
