"""``SessionPlugin``: everything that an application needs, in one line."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Unpack

from litestar import Litestar
from litestar.config.app import AppConfig
from litestar.di import Provide
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins import InitPlugin
from litestar.types import Scope

from sojourn import (
    Backend,
    ConfigurationError,
    ManagerOptions,
    Session,
    SessionError,
    SessionManager,
    Store,
    manager_of,
)

from ._access import session_in
from ._errors import error_page
from ._middleware import OPT_OUT, SessionMiddleware


class SessionPlugin(InitPlugin):
    """Sessions for a Litestar application; opens and closes the store with it.

    - ``manager``: a SessionManager, or what it takes: a URL, a Store or a Backend with the
      manager's keywords.
    - ``dependency_key``: the name under which handlers ask for the session.
    - ``opt_out_key``: a handler with this key in its ``opt`` has no session and pays nothing.

    A second plugin needs a cookie and a dependency key of its own; ``request.session`` is the
    first one's.
    """

    def __init__(
        self,
        manager: SessionManager[Any] | str | Store | Backend,
        *,
        dependency_key: str = "session",
        opt_out_key: str = OPT_OUT,
        **options: Unpack[ManagerOptions],
    ) -> None:
        self.manager: SessionManager[Any] = manager_of(manager, **options)
        self.dependency_key = dependency_key
        middleware = SessionMiddleware(self.manager, opt_out_key=opt_out_key)
        self.middleware: SessionMiddleware = middleware

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """See ``InitPlugin``."""
        if self.dependency_key in app_config.dependencies:
            raise ConfigurationError(
                f"SessionPlugin: the application has a dependency {self.dependency_key!r} already; "
                "give SessionPlugin(dependency_key=...) another name"
            )
        config: Any = app_config  # Litestar types its parts only partly
        # After the sessions that are there, so that the first plugin's are request.session.
        place = sum(isinstance(m, SessionMiddleware) for m in app_config.middleware)
        app_config.middleware.insert(place, self.middleware)
        config.lifespan.append(self._lifespan)
        app_config.dependencies[self.dependency_key] = Provide(self._provide, sync_to_thread=False)
        config.exception_handlers.setdefault(SessionError, error_page)
        self._describe(app_config)
        return app_config

    def _provide(self, scope: Scope) -> Session[Any]:
        return session_in(scope, self.manager)

    @asynccontextmanager
    async def _lifespan(self, _app: Litestar) -> AsyncGenerator[None]:
        async with self.manager:
            yield

    def _describe(self, app_config: AppConfig) -> None:
        """Tell OpenAPI about the cookie."""
        if app_config.openapi_config is None:
            return
        scheme = SecurityScheme(
            type="apiKey", name=self.manager.cookie.name, security_scheme_in="cookie"
        )
        ours = Components(security_schemes={f"{self.dependency_key}Cookie": scheme})
        present = app_config.openapi_config.components
        components = present if isinstance(present, list) else [present]
        app_config.openapi_config.components = [*components, ours]
