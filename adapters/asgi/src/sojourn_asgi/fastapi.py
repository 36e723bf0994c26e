"""FastAPI's dependency: ``session: SessionDep``, or ``session: SessionDep[Visit]`` with a model.

The docs of the API show the cookie as a security scheme.
"""

# No postponed annotations: older FastAPI cannot resolve those of a dependency that is an object.

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.openapi.models import SecurityBase as SecurityScheme
from fastapi.requests import HTTPConnection
from fastapi.security.base import SecurityBase

from sojourn import CookieOptions, Session, SessionManager

from ._access import get_session

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    M = TypeVar("M", default=Any)
else:
    from typing import TypeVar

    M = TypeVar("M")


class CurrentSession(SecurityBase):
    """The dependency behind ``SessionDep``, for one manager of several or another cookie's name.

    ::

        AdminSession = Annotated[Session[Admin], Depends(CurrentSession(admins))]
    """

    def __init__(self, manager: SessionManager[Any] | None = None) -> None:
        cookie = CookieOptions() if manager is None else manager.cookie
        self.model: SecurityScheme = APIKey.model_validate(
            {"in": APIKeyIn.cookie, "name": cookie.name}
        )
        self.scheme_name: str = cookie.name
        self._manager = manager

    # A plain function would cost a hop to a thread.
    async def __call__(self, connection: HTTPConnection) -> Session[Any]:
        """The session of this request or websocket."""
        return get_session(connection, self._manager)


SessionDep = Annotated[Session[M], Depends(CurrentSession())]
"""The session of this request; ``SessionDep[Visit]`` where the manager has a model."""
