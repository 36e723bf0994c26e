"""Backends with fixed keys and counted randomness."""

import pytest

from sojourn import KeyRing, Policy, Timeouts
from sojourn_cookie import CookieBackend

KEY = bytes(range(32))


class Counted:
    """Bytes that never repeat, and are the same in each run."""

    def __init__(self):
        self.calls = 0

    def __call__(self, size):
        """So many bytes."""
        self.calls += 1
        return self.calls.to_bytes(size, "big")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """The event loop that a test runs on."""
    return request.param


@pytest.fixture
def make_backend():
    """Makes a backend; by default with one key, the default cookie and the default timeouts."""

    def make(*keys, cookie="__Host-session", entropy=None, **timeouts):
        return CookieBackend(
            KeyRing(*(keys or [KEY])),
            cookie=cookie,
            policy=Policy.of(Timeouts(**timeouts)),
            entropy=entropy or Counted(),
        )

    return make
