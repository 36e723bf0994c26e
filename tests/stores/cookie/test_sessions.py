"""Whole requests over the manager: what a browser's cookie can and cannot do."""

import pytest

from sojourn import (
    Backend,
    ConfigurationError,
    KeyRing,
    SessionManager,
    SessionTooLargeError,
    SupportsRows,
    Timeouts,
)
from sojourn.testing import ManualClock

pytestmark = pytest.mark.anyio


class Browser:
    """Keeps one cookie and sends it along."""

    def __init__(self, manager):
        self.manager, self.cookie, self.result = manager, None, None

    def open(self):
        """The session of the next request."""
        return self.manager.open([] if self.cookie is None else [self.cookie])

    async def send(self, session, **options):
        """The response's headers, as a browser takes them."""
        self.result = await self.manager.commit(session, **options)
        line = dict(self.result.headers).get("Set-Cookie")
        if line is not None:
            value = line.partition(";")[0].encode()
            self.cookie = None if "Max-Age=0" in line else value
        return line


@pytest.fixture
def clock():
    """The time, in the tests' hands."""
    return ManualClock()


@pytest.fixture
def browser(clock):
    """A browser at a site with sealed cookies."""
    timeouts, keys = Timeouts(idle=1000, absolute=4000, extend_after=100), KeyRing.generate()
    return Browser(SessionManager("cookie://", keys=keys, timeouts=timeouts, clock=clock))


async def test_a_session_lives_in_its_cookie(browser):
    """Values, owner, flash and id come back with the next request, from another manager too."""
    session = browser.open()
    session["visits"] = 1
    session.bind("user:42")
    session.flash("message", "Welcome")
    await browser.send(session)
    again = browser.open()
    assert (again["visits"], again.owner, again.id) == (1, "user:42", session.id)
    assert again.authenticated_at == session.authenticated_at is not None
    assert again.peek("message") == "Welcome"
    assert again["message"] == "Welcome"
    await browser.send(again)
    assert "message" not in browser.open()


async def test_ids_are_like_every_store_s(browser):
    """An id is 32 hexadecimal digits, and stays the same through changes and logins."""
    session = browser.open()
    session["k"] = 1
    await browser.send(session)
    first = session.id
    assert len(bytes.fromhex(first)) == 16
    again = browser.open()
    again.rotate()
    await browser.send(again)
    assert browser.open().id == first


async def test_nothing_is_written_for_nothing(browser):
    """An untouched session, a read and a put of the same value send no cookie."""
    assert await browser.send(browser.open()) is None
    session = browser.open()
    session["k"] = [1, 2]
    await browser.send(session)
    for act in (lambda s: None, lambda s: s["k"], lambda s: s.set("k", [1, 2])):
        session = browser.open()
        act(session)
        assert await browser.send(session) is None


async def test_activity_extends_and_silence_ends(browser, clock):
    """The idle timeout moves with activity, until the absolute one; silence ends the session."""
    session = browser.open()
    session["k"] = 1
    await browser.send(session)
    for _ in range(4):
        clock.advance(900)
        session = browser.open()
        assert session["k"] == 1
        assert await browser.send(session) is not None
    clock.advance(400)
    assert "k" not in browser.open()


async def test_logout_expires_the_cookie(browser):
    """Destroy takes the cookie away; a copy of it stays good, as the README says."""
    session = browser.open()
    session.bind("user:42")
    await browser.send(session)
    copy = browser.cookie
    session = browser.open()
    session.destroy()
    assert "Max-Age=0" in await browser.send(session)
    assert browser.cookie is None
    browser.cookie = copy
    assert browser.open().owner == "user:42"


async def test_a_destroyed_session_may_be_followed_by_another(browser):
    """What is set after destroy begins a session with another id."""
    session = browser.open()
    session["k"] = 1
    await browser.send(session)
    first = session.id
    session = browser.open()
    session.destroy()
    session["k"] = 2
    await browser.send(session)
    again = browser.open()
    assert again["k"] == 2
    assert again.id != first


@pytest.mark.parametrize("size", [2960, 3500, 100_000])
async def test_what_no_browser_would_keep_is_refused(browser, size):
    """A session that is too large raises, names its biggest keys, and the old cookie stays."""
    session = browser.open()
    session["small"] = 1
    await browser.send(session)
    session = browser.open()
    session["picture"] = "x" * size
    with pytest.raises(SessionTooLargeError, match=r"'picture' \d+ bytes") as refused:
        await browser.send(session)
    assert "xxx" not in str(refused.value)
    assert browser.open()["small"] == 1


async def test_a_line_fits_to_the_last_byte(browser):
    """The largest session that is accepted makes a line of at most 4096 bytes."""
    accepted = 0
    for size in range(2700, 3100, 5):
        session = browser.open()
        session["k"] = "x" * size
        try:
            line = await browser.send(session)
        except SessionTooLargeError:
            continue
        assert len(line) <= 4096
        accepted = max(accepted, len(line))
    assert accepted > 4080


async def test_there_are_no_rows(browser):
    """Editing, listing, revoking and sweeping say that this store has no rows."""
    manager = browser.manager
    backend = manager._settings.backend
    assert isinstance(backend, Backend)
    assert not isinstance(backend, SupportsRows)
    with pytest.raises(ConfigurationError, match="cookie"):
        manager.edit("0" * 32)
    for asked in (
        manager.sessions_of("user:42"),
        manager.revoke("0" * 32),
        manager.revoke_owner("user:42"),
        manager.sweep(),
    ):
        with pytest.raises(ConfigurationError, match="cookie"):
            await asked


async def test_waiting_and_not_waiting_agree(browser):
    """Load and load_nowait open the same session."""
    session = browser.open()
    session["k"] = 1
    await browser.send(session)
    loaded = await browser.manager.load([browser.cookie])
    assert dict(loaded) == dict(browser.open()) == {"k": 1}
    assert not browser.open().pending
