"""Ordinary requests: what is loaded, what is committed, and what the response carries."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from sojourn import CommitDiscarded, Event, Session, SessionManager, client_cookie
from sojourn_aiohttp import get_session

pytestmark = pytest.mark.anyio


async def count(request: web.Request) -> web.Response:
    session = await get_session(request)
    session["visits"] = session.get("visits", 0) + 1
    return web.Response(text=str(session["visits"]))
