"""The store's life within the application's, also where the application knows of no lifespan."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from sojourn import SessionError, SessionManager

from ._types import ASGIApp, Message, Receive, Scope, Send


class Lifespan:
    """Opens the store before the application starts, and closes it after the application's end."""

    def __init__(self, app: ASGIApp, manager: SessionManager[Any]) -> None:
        self._app, self._manager = app, manager
        self._store = AsyncExitStack()
        self._has_answered = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        startup = await receive()
        async with self._store:
            try:
                await self._store.enter_async_context(self._manager)
            except SessionError as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await self._run(scope, startup, receive, send)

    async def _run(self, scope: Scope, startup: Message, receive: Receive, send: Send) -> None:
        messages = [startup]

        async def replay() -> Message:
            return messages.pop() if messages else await receive()

        async def answer(message: Message) -> None:
            self._has_answered = True
            if message["type"].startswith("lifespan.shutdown."):
                # The server may end the process as soon as it has this message.
                await self._store.aclose()
            await send(message)

        try:
            await self._app(scope, replay, answer)
        except Exception:
            if self._has_answered:
                raise
            # An application that does not know the protocol raises (ASGI, "Lifespan").
            await answer({"type": "lifespan.startup.complete"})
            await receive()
            await answer({"type": "lifespan.shutdown.complete"})
