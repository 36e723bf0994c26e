"""Sojourn's sessions for Litestar.

>>> Litestar([index], plugins=[SessionPlugin("sqlite:///sessions.db")])

gives handlers ``session: SessionDep`` (or ``SessionDep[MyStruct]``), and ``request.session``.
"""

from ._access import SessionDep, get_session
from ._middleware import SessionMiddleware
from ._plugin import SessionPlugin

__all__ = ("SessionDep", "SessionMiddleware", "SessionPlugin", "get_session")
