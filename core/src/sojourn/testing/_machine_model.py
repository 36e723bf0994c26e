"""What the state machine believes: a dict of sessions, and how requests change it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from anyio import from_thread
from hypothesis.stateful import RuleBasedStateMachine
from msgspec import Struct

from sojourn import SessionManager, Store, Timeouts

from ._browser import Browser
from ._clock import ManualClock
from ._promises import BrokenPromiseError
from ._wrappers import RecordingStore

IDLE, ABSOLUTE = 100.0, 350.0
"""Seconds that the machine's sessions live."""


class Row(Struct):
    """What the model knows of one session."""

    data: dict[str, int]
    created_at: float
    expires_at: float
    owner: str | None = None
    version: int = 0


class Model(RuleBasedStateMachine):
    """Browsers and a store, and beside them what must be true of them."""

    make_store: Callable[[], Store]

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.store = RecordingStore(self.make_store())
        self.manager: SessionManager[Any] = SessionManager(
            self.store,
            timeouts=Timeouts(idle=IDLE, absolute=ABSOLUTE, auto_extend=False),
            clock=self.clock,
            sweep_every=None,
        )
        self.browsers = [Browser(self.manager) for _ in range(3)]
        self.rows: dict[str, Row] = {}
        self.dead: set[str] = set()
        self.opens: dict[str, str] = {}  # token -> the session that it must open
        self.stale: list[str] = []  # tokens that must open nothing
        self.tokens: list[str] = []
        from_thread.run(self.manager.__aenter__)

    def teardown(self) -> None:
        """Leave no rows behind, since another example may get the same ones."""
        for id in [*self.rows, *self.dead]:
            from_thread.run(self.store.delete, id)
        from_thread.run(self.manager.__aexit__, None, None, None)

    def run(self, call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Await the call on the test's event loop."""
        return from_thread.run(call)

    def ensure(self, truth: bool, promise: str, remedy: str) -> None:  # noqa: FBT001
        """Fail with the sequence of calls unless it is true."""
        if not truth:
            raise BrokenPromiseError(promise, calls=self.store.calls, remedy=remedy)

    # What the model expects

    def expected(self, browser: Browser) -> Row | None:
        """The live row that this browser's cookie must open."""
        row = self.rows.get(self.opens.get(browser.token, ""))
        return row if row is not None and row.expires_at > self.clock() else None

    def request(self, number: int, deed: Callable[[Any], object]) -> None:
        """One request of one browser: what it sees is checked, and what it writes is modelled."""
        browser = self.browsers[number]
        row, before = self.expected(browser), browser.token

        async def go() -> None:
            async with browser.request() as session:
                self.check_seen(session, row)
                deed(session)

        self.run(go)
        if browser.token != before and browser.token:
            self.tokens.append(browser.token)

    def check_seen(self, session: Any, row: Row | None) -> None:
        """The session is the model's row, or new."""
        if row is None:
            self.ensure(
                session.is_new,
                "a session that ended, or a secret that was replaced, opens nothing (8, 15, 20)",
                "Load nothing that was deleted or is expired at now; write hashes as given.",
            )
            return
        seen = (dict(session), session.owner, session.expires_at)
        self.ensure(
            seen == (row.data, row.owner, row.expires_at),
            "a live session is exactly what was last written: data, owner and deadline (6, 20)",
            "Store every field of a record as it is, and lose no APPLIED write.",
        )

    def remember(self, browser: Browser, row: Row, *, rotated: bool, before: str) -> None:
        """The model after a write that the browser made."""
        id = self.opens.get(before) if before in self.opens and not rotated else None
        if id is None:
            id = self.run(self._id_of(browser))
        if rotated and before:
            self.opens.pop(before, None)
            self.stale.append(before)
        self.opens[browser.token] = id
        self.rows[id] = row

    def _id_of(self, browser: Browser) -> Callable[[], Coroutine[Any, Any, str]]:
        async def go() -> str:
            session = await browser.load()
            self.ensure(session.id is not None, "a created session loads", "Keep created rows.")
            return str(session.id)

        return go

    # The model's own steps

    def begun(self) -> Row:
        """A session that begins now."""
        return Row({}, self.clock(), self.clock() + min(IDLE, ABSOLUTE))

    def bury(self, id: str) -> None:
        """The session ended."""
        self.rows.pop(id, None)
        self.dead.add(id)
