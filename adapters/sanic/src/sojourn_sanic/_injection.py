"""Injection of ``Session`` and ``Session[Model]`` into handlers, where sanic-ext is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sojourn import Session

if TYPE_CHECKING:
    from ._sessions import App, Sessions


def install(app: App, sessions: Sessions[Any]) -> None:
    """Register the session's type before sanic-ext looks at the handlers."""
    if app.ctx.sessions is not sessions:
        return
    try:
        from sanic_ext.config import PRIORITY  # noqa: PLC0415 - an option of the application's
    except ImportError:
        return

    async def register(app: Any) -> None:
        # Installed is not in use: an application may have set AUTO_EXTEND to False.
        if not hasattr(app, "_ext"):
            return
        # sanic-ext compares annotations exactly, so each spelling needs its own entry.
        for annotation in _annotations(sessions):
            app.ext.add_dependency(annotation, sessions.get_session)

    app.register_listener(register, "before_server_start", priority=PRIORITY + 1)


def _annotations(sessions: Sessions[Any]) -> list[Any]:
    model: Any = sessions.manager.model
    generic: Any = Session
    return [generic] if model is None else [generic, generic[model]]
