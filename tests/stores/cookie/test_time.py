import pytest

from sojourn import Opened, Rejection

from ._sessions import NOW, opened, state, token


@pytest.mark.parametrize(
    ("at", "expected"),
    [(NOW, Opened), (NOW + 1799.9, Opened), (NOW + 1800, Rejection), (NOW + 1e6, Rejection)],
)
def test_expiry_is_inside_the_seal(make_backend, at, expected):
    """A browser that keeps the cookie for longer gains nothing: at the deadline it is over."""
    backend = make_backend()
    found = opened(backend, token(backend, state({"k": 1})), at)
    assert isinstance(found, expected)
    assert found is Rejection.EXPIRED or isinstance(found, Opened)


def test_a_shorter_absolute_timeout_ends_older_cookies(make_backend):
    """The absolute timeout counts from the sealed beginning, with today's settings."""
    long, short = make_backend(absolute=None, idle=90_000), make_backend(absolute=100, idle=50)
    text = token(long, state({"k": 1}, expires_at=NOW + 90_000))
    assert isinstance(opened(short, text, NOW + 99), Opened)
    assert opened(short, text, NOW + 100) is Rejection.EXPIRED


@pytest.mark.parametrize("field", ["created_at", "renewed_at"])
@pytest.mark.parametrize(
    ("ahead", "expected"), [(0, True), (60, True), (60.5, False), (1e8, False)]
)
def test_a_seal_from_the_future_is_refused(make_backend, field, ahead, expected):
    """A clock may be a minute ahead of another one; what is from later opens nothing."""
    backend = make_backend()
    changes = {field: NOW + ahead, "expires_at": NOW + 2e8}
    found = opened(backend, token(backend, state({"k": 1}, **changes)))
    assert isinstance(found, Opened) is expected
    assert expected or found is Rejection.EXPIRED
