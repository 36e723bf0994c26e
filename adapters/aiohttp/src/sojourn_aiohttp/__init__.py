"""Sojourn's sessions for aiohttp.web: ``setup(app, manager)``, ``await get_session(request)``."""

from ._setup import MANAGER, get_session, setup

__all__ = ("MANAGER", "get_session", "setup")
