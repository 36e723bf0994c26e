"""Quart's own settings, where a store and no more is given."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quart import Quart, session

from sojourn import (
    Backend,
    ConfigurationError,
    CookieOptions,
    KeyRing,
    SessionManager,
    Store,
    StoreContext,
    Timeouts,
    UnknownStoreError,
    Unsealed,
)
from sojourn_memory import MemoryStore
from sojourn_quart import Sessions


def manager_with(store: str | Store | Backend = "memory://", **config: Any) -> SessionManager[Any]:
    """The manager that an application with these settings gets."""
    app = Quart("site")
    app.config.update(config)
    return Sessions(app, store).manager


class _Spy:
    """A backend's factory cannot be installed for a test, so this looks at what one would get."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.contexts: list[StoreContext] = []
        monkeypatch.setattr("sojourn_memory.open_store", self)

    def __call__(self, url: str, context: StoreContext) -> Store:
        self.contexts.append(context)
        return MemoryStore()


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> _Spy:
    """Sees the keys and timeouts that a store of memory:// is offered."""
    return _Spy(monkeypatch)


def test_defaults() -> None:
    """Quart's defaults, laxer than ours, do not weaken the cookie."""
    assert manager_with().cookie == CookieOptions()
    assert manager_with().cookie.name == "__Host-session"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"SESSION_COOKIE_NAME": "sid"}, CookieOptions(name="sid")),
        (
            {"SESSION_COOKIE_DOMAIN": "example.org"},
            CookieOptions(name="__Secure-session", domain="example.org"),
        ),
        ({"SESSION_COOKIE_PATH": "/shop"}, CookieOptions(name="__Secure-session", path="/shop")),
        ({"APPLICATION_ROOT": "/shop"}, CookieOptions(name="__Secure-session", path="/shop")),
        (
            {"APPLICATION_ROOT": "/shop", "SESSION_COOKIE_PATH": "/all"},
            CookieOptions(name="__Secure-session", path="/all"),
        ),
        (
            {"SESSION_COOKIE_NAME": "sid", "SESSION_COOKIE_PATH": "/shop"},
            CookieOptions(name="sid", path="/shop"),
        ),
        ({"SESSION_COOKIE_HTTPONLY": False}, CookieOptions(http_only=False)),
        ({"SESSION_COOKIE_SECURE": True}, CookieOptions()),
        ({"SESSION_COOKIE_SECURE": False}, CookieOptions()),
        ({"SESSION_COOKIE_SAMESITE": "Strict"}, CookieOptions(same_site="strict")),
        ({"SESSION_COOKIE_SAMESITE": "None"}, CookieOptions(same_site="none")),
        ({"SESSION_COOKIE_SAMESITE": None}, CookieOptions(same_site="lax")),
        ({"SESSION_COOKIE_PARTITIONED": True}, CookieOptions(partitioned=True)),
        ({"SESSION_COOKIE_DOMAIN": False}, CookieOptions()),
        ({"SESSION_COOKIE_PATH": ""}, CookieOptions()),
    ],
)
def test_cookie(config: dict[str, Any], expected: CookieOptions) -> None:
    """Each SESSION_COOKIE_ setting that says more than Quart's default is honoured."""
    assert manager_with(**config).cookie == expected


def test_bad_cookie() -> None:
    """What a browser would drop is refused, and the message leads to the settings."""
    with pytest.raises(ConfigurationError, match=r"SESSION_COOKIE_.*same_site"):
        manager_with(SESSION_COOKIE_SAMESITE="sometimes")


def test_options_win(spy: _Spy) -> None:
    """What is given as an option is not looked up in the settings."""
    app = Quart("site")
    app.config.update(SESSION_COOKIE_NAME="theirs", PERMANENT_SESSION_LIFETIME=60)
    cookie = CookieOptions(name="ours", secure=False)
    assert (
        Sessions(app, "memory://", cookie=cookie, timeouts=Timeouts(idle=90)).manager.cookie
        == cookie
    )
    assert spy.contexts[0].policy.idle == 90


def test_ready_manager() -> None:
    """A ready manager has its own cookie: no setting is read."""
    app = Quart("site")
    app.config.update(SESSION_COOKIE_NAME="theirs", SESSION_COOKIE_SAMESITE="nonsense")
    manager = SessionManager(MemoryStore())
    assert Sessions(app, manager).manager is manager
    assert manager.cookie == CookieOptions()


def test_options_beside_a_manager() -> None:
    """Options beside a ready manager are refused at once, not when the application comes."""
    manager: Any = SessionManager(MemoryStore())
    with pytest.raises(ConfigurationError, match="SessionManager itself: model"):
        Sessions(manager, model=None)


@pytest.mark.parametrize(
    ("lifetime", "idle", "absolute"),
    [
        (600, 600, 43200),
        (timedelta(minutes=10), 600, 43200),
        (timedelta(days=7), 604800, 604800),
        (timedelta(days=31), 1800, 43200),
    ],
    ids=["seconds", "timedelta", "long", "default"],
)
def test_lifetime(spy: _Spy, lifetime: Any, idle: float, absolute: float) -> None:
    """PERMANENT_SESSION_LIFETIME is the idle timeout, and if it is longer the absolute one too."""
    manager_with(PERMANENT_SESSION_LIFETIME=lifetime)
    policy = spy.contexts[0].policy
    assert (policy.idle, policy.absolute) == (idle, absolute)


@pytest.mark.parametrize("lifetime", [0, -1, timedelta(0)])
def test_bad_lifetime(lifetime: Any) -> None:
    """A lifetime that is none is refused by the setting's name."""
    with pytest.raises(ConfigurationError, match="PERMANENT_SESSION_LIFETIME"):
        manager_with(PERMANENT_SESSION_LIFETIME=lifetime)


def test_keys(spy: _Spy) -> None:
    """Secret keys that are keys make the ring: SECRET_KEY seals, the fallbacks open."""
    new, old = KeyRing.generate(), KeyRing.generate()
    manager_with(SECRET_KEY=new, SECRET_KEY_FALLBACKS=[old, new])
    ring = spy.contexts[0].keys
    assert ring is not None
    sealed = KeyRing(old).box("cookie").seal(b"text", nonce=b"n" * 24)
    fresh = KeyRing(new).box("cookie").seal(b"text", nonce=b"n" * 24)
    assert ring.box("cookie").open(sealed) == Unsealed(b"text", stale=True)
    assert ring.box("cookie").open(fresh) == Unsealed(b"text", stale=False)


def test_given_keys_win(spy: _Spy) -> None:
    """Keys given as an option are the only ones."""
    app = Quart("site")
    app.secret_key = KeyRing.generate()
    Sessions(app, "memory://", keys=KeyRing(KeyRing.generate()))
    ring = spy.contexts[0].keys
    assert ring is not None
    assert len(ring) == 1


@pytest.mark.parametrize(
    "secret",
    ["dev", "0" * 64, b"a passphrase of thirty-two bytes", "correct horse, battery staple"],
)
def test_passphrases(spy: _Spy, secret: Any) -> None:
    """A passphrase seals nothing, and hurts nobody whose store needs no key."""
    manager_with(SECRET_KEY=secret)
    manager_with(SECRET_KEY=KeyRing.generate(), SECRET_KEY_FALLBACKS=[secret])
    assert [context.keys for context in spy.contexts] == [None, None]


@settings(deadline=None)  # a busy machine is not slow code
@given(secret=st.text(max_size=60) | st.binary(max_size=60))
def test_any_secret(secret: Any) -> None:
    """Whatever stands in SECRET_KEY, an application whose store needs no key starts."""
    assert manager_with(MemoryStore(), SECRET_KEY=secret).cookie == CookieOptions()


def test_message_for_passphrases() -> None:
    """A store that needs a key gets no passphrase, and the error says what to do."""
    secret = "my passphrase"
    with pytest.raises(ConfigurationError) as caught:
        manager_with("cookie://", SECRET_KEY=secret)
    (note,) = caught.value.__notes__
    assert "SECRET_KEY" in note
    assert "python -m sojourn key" in note
    assert secret not in note


def test_sealed_by_the_secret_key() -> None:
    """A SECRET_KEY that is a key is all that the cookie store needs."""
    manager = manager_with("cookie://", SECRET_KEY=KeyRing.generate())
    assert manager.cookie == CookieOptions()


def test_no_note_without_secret() -> None:
    """Who has set no SECRET_KEY hears nothing of it."""
    with pytest.raises(UnknownStoreError) as caught:
        manager_with("unheard-of://")
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.anyio
async def test_settings_reach_the_browser() -> None:
    """The cookie that goes out is the one that the settings describe."""
    app = Quart("site")
    app.config.update(
        SESSION_COOKIE_NAME="sid",
        SESSION_COOKIE_DOMAIN="example.org",
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_SAMESITE="Strict",
        PERMANENT_SESSION_LIFETIME=600,
    )
    Sessions(app, "memory://")

    @app.route("/")
    async def index() -> str:
        session["a"] = 1
        return ""

    line = (await app.test_client().get("/")).headers["Set-Cookie"]
    name, *attributes = line.split("; ")
    assert name.startswith("sid=")
    assert attributes[0] in ("Max-Age=600", "Max-Age=599")
    assert attributes[1:] == [
        "Path=/",
        "Domain=example.org",
        "Secure",
        "HttpOnly",
        "SameSite=Strict",
    ]


@pytest.fixture
def anyio_backend() -> str:
    """Settings know no event loop."""
    return "asyncio"
