"""What the applications of ``AdapterTests`` do, whatever their framework."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from sojourn import SessionManager, SessionSealedError

OWN_HEADERS = (("Vary", "Accept"), ("Cache-Control", "private"), ("Set-Cookie", "theme=dark"))
"""What the ``headers`` route's response has of its own; nothing of it may be lost."""

FILE_TEXT = "a file\n"


class Visit(Struct):
    """The model of the managers."""

    n: int = 0
    visits: int = 0


class Setup(Struct, frozen=True):
    """An application to build.

    - ``manager``: install it. ``twice``: install it two times, as far as the framework lets one.
    - ``second``: if not None, another manager with another cookie; install it, too.
    - ``folder``: holds ``page.txt``, for the ``file`` and ``static`` routes.
    - ``notes``: what ``afterwards`` saw.
    """

    manager: SessionManager[Any]
    folder: Path
    second: SessionManager[Any] | None = None
    twice: bool = False
    notes: list[str] = []


async def act(session: Any, action: str) -> str:
    """Do to the session what the route's last segment says; the result is the response's text."""
    if action == "save":
        return await _save(session)
    if action not in _ACTIONS:
        raise ValueError(f"AdapterTests knows no action {action!r}")
    return _ACTIONS[action](session)


def _read(session: Any) -> str:
    return str(session.get("n", 0))


def _write(session: Any) -> str:
    session["n"] = session.get("n", 0) + 1
    return str(session["n"])


def _flash(session: Any) -> str:
    session.flash("notice", "saved")
    return "flashed"


def _take(session: Any) -> str:
    return str(session.get("notice"))


def _login(session: Any) -> str:
    session.bind("ada")
    return "ada"


def _logout(session: Any) -> str:
    session.destroy()
    return "bye"


def _typed(session: Any) -> str:
    session.data.visits += 1
    return str(session.data.visits)


def _big(session: Any) -> str:
    session["big"] = "x" * 300_000
    return "big"


_ACTIONS: dict[str, Callable[[Any], str]] = {
    "nothing": lambda _: "nothing",
    "read": _read,
    "write": _write,
    "flash": _flash,
    "take": _take,
    "login": _login,
    "logout": _logout,
    "typed": _typed,
    "big": _big,
}


async def _save(session: Any) -> str:
    _write(session)
    try:
        await session.commit()
    except SessionSealedError:
        return "sealed"
    return str(session["n"])


async def chunks(session: Any) -> AsyncIterator[str]:
    """The body of a stream; tries to change the session after the response has started."""
    yield "begin "
    yield _try_late_change(session)
    yield " end"


async def afterwards(session: Any, setup: Setup) -> None:
    """A task after the response: the handle is sealed, and ``manager.edit`` is the way."""
    setup.notes.append(_try_late_change(session))
    if session.id is not None:
        async with setup.manager.edit(session.id) as later:
            later["n"] = 100


def _try_late_change(session: Any) -> str:
    if not session.accessed:  # who tries to change it looks at it
        return "untouched"
    try:
        session["late"] = True
    except SessionSealedError:
        return "sealed"
    return "open"
