import math
import subprocess
import sys

import pytest
from honest_store import HonestStore
from hypothesis import given
from hypothesis import strategies as st

import sojourn.testing
from sojourn import (
    Outcome,
    SessionManager,
    StoreUnavailableError,
    SupportsDeadline,
    SupportsLoadNowait,
    SupportsOwners,
    SupportsSweep,
    apply,
)
from sojourn.testing import (
    FailingStore,
    ManualClock,
    RecordingStore,
    SlowStore,
    client_cookie,
    cookie_headers,
    patches,
    records,
    states,
)
from sojourn.testing._store_fixtures import new_record

both = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


def test_the_clock_moves_when_told():
    """Time stands still until ``advance``, and never goes back."""
    clock = ManualClock(10)
    assert (clock(), clock.advance(2.5), clock()) == (10, 12.5, 12.5)
    with pytest.raises(ValueError, match="one direction"):
        clock.advance(-1)


@pytest.mark.anyio
@both
async def test_a_recorder_remembers_calls(anyio_backend):
    """Each call is recorded with its arguments and its result."""
    store, record = RecordingStore(HonestStore()), new_record(0)
    await store.create(record)
    assert await store.load(record.id, now=0) == record
    assert await store.replace(record, version=7, now=0) is Outcome.CONFLICT
    assert store.names == ["create", "load", "replace"]
    assert store.records == [record, record]
    assert "payload" not in str(store.calls[0])


@pytest.mark.anyio
@both
async def test_the_nth_call_fails(anyio_backend):
    """The call with that number raises, before or after it took effect."""
    for after in (False, True):
        honest, record = HonestStore(), new_record(0)
        store = FailingStore(honest, {2}, after=after)
        await store.load(record.id, now=0)
        with pytest.raises(StoreUnavailableError):
            await store.create(record)
        assert (record.id in honest.rows) is after
        await store.load(record.id, now=0)


@pytest.mark.parametrize("wrapper", [RecordingStore, SlowStore, lambda s: FailingStore(s, ())])
def test_wrappers_have_the_abilities_of_what_they_wrap(wrapper):
    """A wrapper says of itself what the store inside says; a slow one is bounded by nobody."""
    wrapped = wrapper(HonestStore())
    assert isinstance(wrapped, SupportsOwners)
    assert isinstance(wrapped, SupportsSweep)
    assert not isinstance(wrapped, SupportsLoadNowait)
    assert isinstance(wrapped, SupportsDeadline) is not isinstance(wrapped, SlowStore)


@pytest.mark.anyio
@both
async def test_a_client_has_a_session(anyio_backend):
    """``client_cookie`` begins a session that the header opens."""
    manager = SessionManager(HonestStore())
    header = await client_cookie(manager, {"cart": [1]}, owner="user:1")
    session = await manager.load([header.encode()])
    assert (dict(session), session.owner) == ({"cart": [1]}, "user:1")
    with pytest.raises(ValueError, match="give it data"):
        await client_cookie(manager, {})


@given(records(), states(), patches(), cookie_headers())
def test_strategies_make_what_they_say(record, state, patch, headers):
    """Records live, states hold what their transitions can change, headers are bytes."""
    assert record.created_at < record.expires_at < math.inf
    for transition in patch.transitions:
        state = apply(state, transition, state.created_at)
    assert all(isinstance(header, bytes) for header in headers)


@given(st.data())
def test_the_parser_takes_any_headers(data):
    """Whatever headers come, a request begins."""
    headers = data.draw(cookie_headers())
    session = SessionManager(HonestStore()).open(headers)
    assert session.pending in (True, False)


def test_all_names_are_there():
    """Every name in ``__all__`` can be imported, and no other."""
    assert set(sojourn.testing.__all__) == set(sojourn.testing._PLACES)
    for name, place in sojourn.testing._PLACES.items():
        # What tests adapters needs the packages that serve them.
        if not place.startswith("_adapter"):
            assert getattr(sojourn.testing, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sojourn.testing.nothing  # noqa: B018


@pytest.mark.parametrize("module", ["sojourn", "sojourn.testing.plugin"])
def test_no_suite_is_loaded_before_it_is_wanted(module):
    """Importing the core loads no kit, and loading the plugin loads no suite."""
    code = f"import {module}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "hypothesis" not in loaded
    assert "sojourn.testing._store_tests" not in loaded
    assert ("sojourn.testing" in loaded) is (module != "sojourn")


def test_the_plugin_offers_fixtures(tmp_path):
    """With the plugin a test gets its clock and its cookie by name."""
    (tmp_path / "test_it.py").write_text(
        "def test_it(manual_clock, client_cookie):\n"
        "    assert manual_clock.advance(1) == manual_clock()\n"
        "    assert callable(client_cookie)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-psojourn.testing.plugin"]
    command += ["--disable-plugin-autoload", "-pno:cacheprovider", "-c/dev/null", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
