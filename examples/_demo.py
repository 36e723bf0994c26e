"""What the login demos share and no framework knows.

The environment decides: ``HOST``, ``PORT``, ``SOJOURN_STORE`` (a URL) and ``SOJOURN_KEYS``.
"""

import os
import sys

from _page import Device, LoginView, render

from sojourn import ConfigurationError, CookieOptions, Session, SessionInfo, SessionManager

DEFAULT_STORE = "sqlite:///sessions.db"
PASSWORD = "correct"

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = int(os.environ.get("PORT") or 8000)

_BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
    "curl": "curl",
}
"""What gives a browser away; the first hit counts, because most claim to be others as well."""

_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Macintosh": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}
"""The same for systems."""


def make_manager() -> SessionManager:
    """The manager that the environment asks for; ends the program with 2 where that cannot be."""
    store = os.environ.get("SOJOURN_STORE") or DEFAULT_STORE
    keys = os.environ.get("SOJOURN_KEYS") or None
    try:
        return SessionManager(store, cookie=CookieOptions(name="session", secure=False), keys=keys)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None


def announce(framework: str) -> None:
    """Tell whoever started the demo where to look."""
    print(f"Sojourn on {framework}: http://{HOST}:{PORT}/", flush=True)


async def show(session: Session, manager: SessionManager) -> str:
    """The page for this visitor; reading the flash messages uses them up."""
    return render(
        LoginView(
            email=session.owner,
            message=session.get("message"),
            error=session.get("error"),
            failed_attempts=session.get("failed", 0),
            devices=await _devices(session, manager),
        )
    )


def try_login(session: Session, email: str, password: str, device: str) -> None:
    """Log in whoever knows the password; count the failures of everybody else."""
    if email and password == PASSWORD:
        _log_in(session, email, device)
    else:
        session.modify("failed", lambda count: count + 1, default=0)
        session.flash("error", "Incorrect username or password")


def _log_in(session: Session, email: str, device: str) -> None:
    session.bind(email)
    session["device"] = device
    session.forget("failed")
    session.flash("message", "Login Successful")


def logout(session: Session) -> None:
    """End the session, wherever its cookie has been copied to."""
    session.destroy()


async def revoke(session: Session, manager: SessionManager, id: str) -> None:
    """End another session of the same owner; an id that is not theirs does nothing."""
    if any(info.id == id for info in await _sessions(session, manager) or ()):
        await manager.revoke(id)


def describe(user_agent: str) -> str:
    """A few words for people, like "Chrome on Linux", whatever the header says."""
    browser = _first(_BROWSERS, user_agent, otherwise="A browser")
    return f"{browser} on {_first(_SYSTEMS, user_agent, otherwise='a device')}"


def _first(names: dict[str, str], user_agent: str, otherwise: str) -> str:
    return next((name for mark, name in names.items() if mark in user_agent), otherwise)


async def _devices(session: Session, manager: SessionManager) -> list[Device] | None:
    sessions = await _sessions(session, manager)
    return None if sessions is None else [_device(info, session.id) for info in sessions]


async def _sessions(session: Session, manager: SessionManager) -> list[SessionInfo] | None:
    """The owner's sessions, or None when this store cannot list them."""
    if session.owner is None:
        return []
    try:
        return await manager.sessions_of(session.owner)
    except ConfigurationError:
        return None


def _device(info: SessionInfo, current: str | None) -> Device:
    label = str(info.data.get("device", "Unknown device"))
    return Device(info.id, label, info.created_at, info.expires_at, current=info.id == current)
