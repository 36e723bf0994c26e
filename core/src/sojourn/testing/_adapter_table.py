"""The one table of what must hold for each kind of response, and what a framework can do."""

# ruff: noqa: FBT003 - the booleans stand in a table with headed columns

from __future__ import annotations

import enum
from typing import NamedTuple

from msgspec import Struct


class Capabilities(Struct, frozen=True):
    """What a framework lets its adapter do. A false one changes or skips the cases that need it.

    - ``head``: HEAD is answered wherever GET is; otherwise with 405.
    - ``missing_pages``: the application's own page for a path that nobody serves has the session.
    - ``opt_out``: a route may be excluded from sessions.
    - ``two_managers``, ``sub_app``, ``background``: as their names say.
    - ``stream_failure``: a failed commit of a stream becomes an error response; otherwise the
      connection may be dropped.
    - ``websocket``: there are websockets. ``websocket_cookie``: the answer to the handshake can
      carry a cookie. ``websocket_deny``: the application can refuse the handshake.
    """

    head: bool = True
    missing_pages: bool = True
    opt_out: bool = True
    two_managers: bool = True
    sub_app: bool = True
    background: bool = True
    stream_failure: bool = True
    websocket: bool = True
    websocket_cookie: bool = True
    websocket_deny: bool = True


class Effect(enum.Enum):
    """What becomes of the session."""

    REST = "rest"  # nobody looked
    LOOK = "look"  # somebody looked
    WRITE = "write"  # it was changed
    DROP = "drop"  # it was changed, and the response failed


class Holds(NamedTuple):
    """What must be true afterwards; None: either."""

    written: bool
    set_cookie: bool
    vary: bool | None
    no_store: bool


EXPECTED: dict[tuple[Effect, bool], Holds] = {
    # (effect, whether the visitor is known)
    #                          written set_cookie vary  no_store
    (Effect.REST, False): Holds(False, False, False, False),
    (Effect.REST, True): Holds(False, False, False, False),
    (Effect.LOOK, False): Holds(False, False, True, False),
    (Effect.LOOK, True): Holds(False, False, True, False),
    (Effect.WRITE, False): Holds(True, True, True, True),
    (Effect.WRITE, True): Holds(True, False, True, False),
    # An outer layer may make the error page, so its Vary is not ours to ask for.
    (Effect.DROP, False): Holds(False, False, None, False),
    (Effect.DROP, True): Holds(False, False, None, False),
}


class Case(NamedTuple):
    """A request and its effect. ``statuses``: those that are right."""

    name: str
    path: str
    statuses: tuple[int, ...]
    effect: Effect
    method: str = "GET"
    needs: str = ""


_REST, _LOOK, _WRITE, _DROP = Effect

CASES = (
    Case("200, untouched", "/text/nothing", (200,), _REST),
    Case("200, read", "/text/read", (200,), _LOOK),
    Case("200, written", "/text/write", (200,), _WRITE),
    Case("200, committed by the handler", "/text/save", (200,), _WRITE),
    Case("flash", "/text/flash", (200,), _WRITE),
    Case("own headers, untouched", "/headers/nothing", (200,), _REST),
    Case("typed", "/typed", (200,), _WRITE),
    Case("redirect, untouched", "/redirect/nothing", (303,), _REST),
    Case("redirect, read", "/redirect/read", (303,), _LOOK),
    Case("redirect, written", "/redirect/write", (303,), _WRITE),
    Case("raised HTTP error, untouched", "/error/nothing", (403,), _REST),
    Case("raised HTTP error, read", "/error/read", (403,), _LOOK),
    Case("raised HTTP error, written", "/error/write", (403,), _WRITE),
    Case("unhandled error", "/crash/write", (500,), _DROP),
    Case("too large", "/text/big", (500,), _DROP),
    Case("404", "/nowhere", (404,), _REST),
    Case("404, own page, read", "/missing/read", (404,), _LOOK, needs="missing_pages"),
    Case("404, own page, written", "/missing/write", (404,), _WRITE, needs="missing_pages"),
    Case("405", "/text/write", (405,), _REST, method="DELETE"),
    Case("OPTIONS", "/text/write", (200, 204, 405), _REST, method="OPTIONS"),
    Case("HEAD, untouched", "/text/nothing", (200,), _REST, method="HEAD", needs="head"),
    Case("HEAD, written", "/text/write", (200,), _WRITE, method="HEAD", needs="head"),
    Case("stream, untouched", "/stream/nothing", (200,), _REST),
    Case("stream, read", "/stream/read", (200,), _LOOK),
    Case("stream, written", "/stream/write", (200,), _WRITE),
    Case("SSE, written", "/sse/write", (200,), _WRITE),
    Case("file, untouched", "/file/nothing", (200,), _REST),
    Case("file, written", "/file/write", (200,), _WRITE),
    Case("static mount", "/static/page.txt", (200,), _REST),
    Case("static mount, 404", "/static/none.txt", (404,), _REST),
    Case("sub-app, untouched", "/sub/text/nothing", (200,), _REST, needs="sub_app"),
    Case("sub-app, written", "/sub/text/write", (200,), _WRITE, needs="sub_app"),
    Case("opt-out", "/opt-out", (200,), _REST, needs="opt_out"),
)
