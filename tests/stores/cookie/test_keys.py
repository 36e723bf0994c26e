import pytest

from sojourn import ConfigurationError, KeyRing, Opened, Rejection, SessionManager
from sojourn_cookie import CookieBackend, open_store

from ._sessions import opened, state, token

NEW, OLD, ELSE = (bytes((n * 7 + step) % 256 for step in range(32)) for n in (1, 2, 3))


def test_the_first_key_seals(make_backend):
    """With several keys the first one seals, whoever reads (Flask CVE-2025-47278)."""
    text = token(make_backend(NEW, OLD), state({"k": 1}))
    found = opened(make_backend(NEW), text)
    assert isinstance(found, Opened)
    assert not found.stale
    assert opened(make_backend(OLD), text) is Rejection.UNKNOWN_KEY


def test_older_keys_open(make_backend):
    """What an older key sealed opens, and is to be sealed anew."""
    found = opened(make_backend(NEW, OLD), token(make_backend(OLD), state({"k": 1})))
    assert isinstance(found, Opened)
    assert found.stale


def test_a_removed_key_opens_nothing(make_backend):
    """What a key sealed that is gone from the ring opens nothing."""
    text = token(make_backend(ELSE), state({"k": 1}))
    assert opened(make_backend(NEW, OLD), text) is Rejection.UNKNOWN_KEY


@pytest.mark.anyio
async def test_an_old_seal_is_replaced_when_the_session_is_used():
    """A request that looks at a session that an old key sealed gets a cookie of the first key."""
    old, new = KeyRing.generate(), KeyRing.generate()
    before = SessionManager("cookie://", keys=old)
    session = before.open([])
    session["k"] = 1
    cookie = cookie_of(await before.commit(session))

    both = SessionManager("cookie://", keys=[new, old])
    session = both.open([cookie])
    assert session["k"] == 1
    cookie = cookie_of(await both.commit(session))

    after = SessionManager("cookie://", keys=new)
    session = after.open([cookie])
    assert session["k"] == 1
    assert (await after.commit(session)).headers == (("Vary", "Cookie"),)


def cookie_of(result):
    """What a browser sends back."""
    return dict(result.headers)["Set-Cookie"].partition(";")[0].encode()


def test_no_keys_no_start():
    """Without keys the manager refuses, and says where keys come from."""
    with pytest.raises(ConfigurationError) as refused:
        SessionManager("cookie://")
    for remedy in ("keys=", "SOJOURN_KEYS", "python -m sojourn key"):
        assert remedy in str(refused.value)


@pytest.mark.parametrize("url", ["cookie://?keys=hunter2", "cookie://host", "cookie:///path"])
def test_the_url_has_no_options(url):
    """Anything beyond the scheme is refused, and not repeated: it may be a secret."""
    with pytest.raises(ConfigurationError, match="cookie:// takes no") as refused:
        SessionManager(url, keys=KeyRing.generate())
    assert "hunter2" not in str(refused.value)


def test_the_backend_is_found_by_its_scheme():
    """SessionManager finds the backend through its entry point, and it loads without waiting."""
    backend = SessionManager("cookie://", keys=KeyRing.generate())._settings.backend
    assert isinstance(backend, CookieBackend)
    assert backend.lazy
    assert open_store.__module__.startswith("sojourn_cookie")


@pytest.mark.anyio
async def test_entropy_that_repeats_itself_is_found_at_start(make_backend):
    """A source of randomness that is broken stops the application before it seals anything."""
    with pytest.raises(ConfigurationError, match="entropy"):
        await make_backend(entropy=bytes).aopen()
    await make_backend().aopen()
    await make_backend().aclose()


def test_nothing_secret_is_shown(make_backend):
    """Neither repr nor str of a backend or of what it opened shows a key, a token or data."""
    backend = make_backend(NEW)
    found = opened(backend, token(backend, state({"k": "hunter2"})))
    for text in (repr(backend), str(backend), repr(found), repr(backend._box)):
        assert NEW.hex() not in text
        assert repr(NEW) not in text
        assert "hunter2" not in text
