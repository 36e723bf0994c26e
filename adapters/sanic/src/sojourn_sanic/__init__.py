"""Sojourn's sessions for Sanic.

>>> Sessions(app, "sqlite:///sessions.db")

gives each request ``request.ctx.session``. Handlers may also ask for ``Session`` where sanic-ext is
installed, or call ``get_session(request)``.
"""

from ._sessions import Sessions, get_session

__all__ = ("Sessions", "get_session")
