"""Several processes on one table, and a server that dies under them."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from tests.stores._proxy import Proxy

from sojourn.testing import check_appends, check_rows
from sojourn_postgres import PostgresStore

from ._patient import patient_store, visitor
from ._rows import url_through


def test_linearizable(server):
    """Whatever several processes do to a row could have happened one call at a time."""
    make_store = partial(PostgresStore, server.url, table="history", create=True, deadline=20)
    assert 200 == check_rows(make_store, processes=2, tasks=5, calls=20)


def test_linearizable_with_faults(server):
    """That holds as well when calls, or their answers, get lost."""
    make_store = partial(PostgresStore, server.url, table="faults", create=True, deadline=20)
    assert check_rows(make_store, processes=2, tasks=5, calls=20, faults=0.1) > 50


@pytest.fixture
def own_proxy(own_server):
    """What stands between the stores and the server that will die."""
    with Proxy(own_server.socket) as proxy:
        yield proxy


def test_killed_under_rows(own_server, own_proxy):
    """A server killed and started again under load keeps every row's promises, also after that."""
    make_store = partial(patient_store, url_through(own_proxy))
    with ThreadPoolExecutor() as pool:
        work = pool.submit(check_rows, make_store, processes=2, tasks=4, calls=60)
        assert 1 == kills(work, own_server, own_proxy, most=1)
        assert 300 < work.result()


def test_killed_under_visitors(own_server, own_proxy):
    """A server killed and started again under load keeps every change that it acknowledged."""
    url = url_through(own_proxy)
    make_store, header = partial(patient_store, url), visitor(url)
    with ThreadPoolExecutor() as pool:
        work = pool.submit(check_appends, make_store, header, processes=2, tasks=4, calls=15)
        assert 1 == kills(work, own_server, own_proxy, most=1)
        assert 60 < work.result()


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_killed_again_and_again(own_server, own_proxy):
    """However often the server dies under load, no change that it acknowledged is lost."""
    url = url_through(own_proxy)
    make_store, header = partial(patient_store, url), visitor(url)
    with ThreadPoolExecutor() as pool:
        work = pool.submit(check_appends, make_store, header, processes=2, tasks=5, calls=60)
        assert 3 < kills(work, own_server, own_proxy, most=20)
        assert 300 < work.result()


def kills(work, server, proxy, *, most):
    """Kill the server whenever both processes use it, and start it; says how often."""
    count, seen = 0, proxy.accepted
    while count < most:
        proxy.wait_until(lambda proxy, seen=seen: proxy.accepted > seen + 3 or work.done())
        if work.done():
            break
        server.stop()
        count, seen = count + 1, proxy.accepted
        server.start()
    return count
