"""What the suite's browsers do and see, and what must not be found in a store."""

from __future__ import annotations

import base64
from typing import Any

from sojourn import SessionManager

from ._browser import Browser, client_cookie
from ._store_races import together
from ._wrappers import RecordingStore

Manager = SessionManager[Any]


async def logged_in(manager: Manager) -> Browser:
    """A browser with a session that holds a name."""
    return Browser(manager, await client_cookie(manager, {"name": "Anna"}))


async def count_together(browsers: list[Browser]) -> None:
    """Each counts one up and leaves a mark; all have loaded before the first one writes."""
    sessions = [await browser.load() for browser in browsers]
    for number, session in enumerate(sessions):
        session.modify("count", lambda count: count + 1, 0)
        session[f"visit {number}"] = number
    pairs = zip(browsers, sessions, strict=True)
    await together([browser.respond(session) for browser, session in pairs])


async def content(browser: Browser) -> dict[str, Any]:
    """What the browser's session holds."""
    async with browser.request() as session:
        return dict(session)


def attributes(line: str) -> set[str]:
    """A Set-Cookie line's attributes, but for those that say when it ends."""
    parts = [part.strip() for part in line.split(";")[1:]]
    return {part for part in parts if not part.startswith(("Max-Age", "Expires"))}


def leaks(store: RecordingStore, tokens: list[str]) -> list[str]:
    """The ids of records that hold a secret of one of these tokens, in whatever spelling."""
    found: list[str] = []
    for record in store.records:
        texts = (record.owner or "").encode() + record.payload
        stored = texts + record.secret_hash + (record.previous_hash or b"")
        for token in tokens:
            secret = base64.urlsafe_b64decode(token)[16:]
            spellings = (secret, token.encode(), token[-40:].encode(), secret.hex().encode())
            found += [record.id] if any(spelling in stored for spelling in spellings) else []
    return found
