"""Several processes on one server."""

from functools import partial

from sojourn.testing import check_rows
from sojourn_redis import open_store


def test_linearizable(server):
    """Whatever several processes do to a row could have happened one call at a time."""
    make_store = partial(open_store, server.url, None)
    assert check_rows(make_store, processes=2, tasks=5, calls=20) > 100


def test_linearizable_with_faults(server):
    """That holds as well when calls, or their answers, get lost."""
    make_store = partial(open_store, server.url, None)
    assert check_rows(make_store, processes=2, tasks=5, calls=20, faults=0.1) > 50
