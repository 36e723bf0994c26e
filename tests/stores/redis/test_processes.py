"""Several processes on the same servers."""

from functools import partial

import anyio
import pytest

from sojourn import SessionManager
from sojourn.testing import check_appends, check_rows, client_cookie
from sojourn_redis import open_store


@pytest.mark.parametrize(
    ("kind", "faults"),
    [
        ("server", 0.0),
        ("server", 0.1),
        ("cluster", 0.1),
        ("sentinels", 0.1),
        pytest.param("cluster", 0.0, marks=pytest.mark.soak),
        pytest.param("sentinels", 0.0, marks=pytest.mark.soak),
    ],
)
def test_linearizable(request, kind, faults):
    """Whatever processes do to a row, answers lost or not, could have happened one by one."""
    url = request.getfixturevalue(kind).url
    make_store = partial(open_store, f"{url}{'&' if '?' in url else '?'}deadline=20", None)
    assert check_rows(make_store, processes=2, tasks=5, calls=20, faults=faults) > 50


def test_no_commit_is_lost(server, prefix):
    """Several processes with commits on one session: all are in it."""
    make_store = partial(open_store, f"{server.url}?prefix={prefix}&deadline=20", None)

    async def visitor():
        async with SessionManager(make_store(), sweep_every=None) as manager:
            return await client_cookie(manager, {"n": 1})

    header = anyio.run(visitor)
    assert 200 == check_appends(make_store, header, processes=2, tasks=5, calls=20)
