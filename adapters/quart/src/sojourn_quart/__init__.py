"""Sojourn's sessions for Quart, on asyncio and on trio (quart-trio).

>>> Sessions(app, "sqlite:///sessions.db")

makes ``quart.session`` a Sojourn session; ``get_session()`` is the same one, typed.
"""

from ._session import QuartSession
from ._sessions import Sessions, get_session

__all__ = ("QuartSession", "Sessions", "get_session")
