"""A power cut between any two calls that reach the disk, replayed from a record of them.

The model: what was written to a file before its last sync is there. Of each later write, truncation
and deletion, in any combination, the disk did all, nothing, or the first sectors of it. A new name
in the folder is there once the file was synced, which SQLite has seen to. That the disk does what
it says of a sync is not shown here.
"""

import collections
import functools
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_sqlite import SQLiteStore, _schema, _writer

from ._disk import Call, watched
from ._rows import NOW, new, using

_SECTOR = 512


@dataclass
class Recording:
    """What reached the disk, and what the store's user knew in the meantime.

    ``states[n]``: versions by id after step n. ``acknowledged[i]``: the last step that had been
    acknowledged when call i was made.
    """

    calls: list[Call] = field(default_factory=list)
    states: list[dict[str, int]] = field(default_factory=lambda: [{}])
    acknowledged: list[int] = field(default_factory=list)


def _steps():
    """What users do, one after the other: each a call on the store, and the rows after it."""
    rows, state = [new(owner="o" if n % 3 == 0 else None) for n in range(12)], {}
    big = [new(payload=bytes(9000), expires_at=NOW + 1) for _ in range(6)]
    for row in (*rows, *big):
        state = state | {row.id: 1}
        yield functools.partial(SQLiteStore.create, record=row), state
    for row in rows[1:6]:
        state = state | {row.id: 2}
        change = {"expires_at": NOW + 500, "version": 1, "now": NOW}
        yield functools.partial(SQLiteStore.touch, id=row.id, **change), state
    for row in rows[6:10]:
        state = {id: version for id, version in state.items() if id != row.id}
        yield functools.partial(SQLiteStore.delete, id=row.id), state
    state = {id: version for id, version in state.items() if id not in {row.id for row in big}}
    yield functools.partial(SQLiteStore.sweep, now=NOW + 1, limit=100), state
    state = {id: version for id, version in state.items() if id not in {r.id for r in rows[::3]}}
    yield functools.partial(SQLiteStore.delete_owner, owner="o"), state
    for row in rows[1:3]:
        state = {id: version for id, version in state.items() if id != row.id}
        yield functools.partial(SQLiteStore.delete, id=row.id), state


@functools.cache
def recorded(durability):
    """All steps, with many checkpoints among them, and the closing of the file."""
    recording = Recording()

    async def work(path):
        async with using(SQLiteStore(path, durability=durability)) as store:
            for call, state in _steps():
                recording.states.append(state)
                assert await call(store)
                done.append(len(recording.states) - 1)

    done = [0]
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory() as folder,
        watched() as disk,
    ):
        patch.setattr(_writer, "_CHECKPOINT_AFTER", 5)
        patch.setattr(_writer, "_VACUUM_ABOVE", 2)

        def watch(call):
            if call.kind != "read":
                recording.acknowledged.append(done[-1])
            return False

        disk.watch = watch
        anyio.run(work, Path(folder) / "a.db")
        recording.calls = disk.calls
    # After the last call everybody knows everything.
    recording.acknowledged.append(done[-1])
    assert len(recording.acknowledged) == len(recording.calls) + 1
    return recording


def _image(calls, keep):
    """The files after a cut behind these calls. ``keep(i)``: sectors of call i that the disk did.

    None: all of it.
    """
    synced, files, former = _synced(calls), {}, set()
    for i, call in enumerate(calls):
        sectors = None if i < synced[_KEY[call.kind](call)] else keep(i)
        content = files.setdefault(call.name, bytearray())
        if call.kind == "delete":
            # If the disk did not: a new file of that name is nowhere, the former one still is.
            (former.add if sectors is not None else former.discard)(call.name)
            if sectors is None:
                del files[call.name]
        elif call.name in former:
            continue
        elif call.kind == "write":
            data = call.data if sectors is None else call.data[: sectors * _SECTOR]
            content.extend(bytes(max(0, call.offset + len(data) - len(content))))
            content[call.offset : call.offset + len(data)] = data
        elif call.kind == "truncate" and sectors is None:
            del content[call.offset :]
    return {name: bytes(content) for name, content in files.items() if content}


_FOLDER = ""
_KEY = dict.fromkeys(("write", "truncate", "sync"), lambda call: call.name)
_KEY["delete"] = lambda _: _FOLDER


def _synced(calls):
    """By file, and for the folder: before which call all is on the disk."""
    synced, known = collections.Counter(), {"a.db"}
    for i, call in enumerate(calls):
        if call.kind == "sync":
            synced[call.name] = i + 1
            # With the first sync of a new file SQLite syncs the folder.
            if call.name not in known:
                known.add(call.name)
                synced[_FOLDER] = i + 1
        elif call.kind == "delete":
            known.discard(call.name)
            if call.offset:  # asks for a sync of the folder
                synced[_FOLDER] = i + 1
    return synced


def _recovered(image, folder):
    """Versions by id in the store that starts on these files."""
    for name, content in image.items():
        (folder / name).write_bytes(content)
    connection = _schema.open_writer(folder / "a.db", "full")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = connection.execute("SELECT id, version FROM sessions").fetchall()
    finally:
        connection.close()
    return {id.hex(): version for id, version in rows}


def _state_after(recording, cut, keep, seen):
    """The step whose state a cut before call ``cut`` leaves, and the last acknowledged one."""
    image = _image(recording.calls[:cut], keep)
    key = frozenset(image.items())
    if key not in seen:
        with tempfile.TemporaryDirectory() as folder, watched():
            seen[key] = _recovered(image, Path(folder))
    # Each state differs from all others: an id comes once, and goes once.
    assert seen[key] in recording.states
    return recording.states.index(seen[key]), recording.acknowledged[cut]


def _everything(_i):
    return None


def _nothing(_i):
    return 0


@pytest.mark.parametrize("durability", ["full", "normal"])
@pytest.mark.parametrize("keep", [_everything, _nothing])
def test_a_cut_anywhere(durability, keep):
    """A cut between any two calls leaves a whole file, in the state after one of the steps.

    With "full" no acknowledged step is missing, a logout least of all. With "normal" the last ones
    may be, and are if the disk did nothing that it was not made to do.
    """
    recording, seen, lost = recorded(durability), {}, 0
    for cut in range(len(recording.calls) + 1):
        found, acknowledged = _state_after(recording, cut, keep, seen)
        assert found <= acknowledged + 1
        lost = max(lost, acknowledged - found)
    assert (lost > 0) == (durability == "normal" and keep is _nothing)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("durability", ["full", "normal"])
def test_a_cut_in_disorder(durability, data):
    """The same if the disk did any of the writes that it was not made to do, whole or in part."""
    recording = recorded(durability)
    cut = data.draw(st.integers(0, len(recording.calls)))
    chances = data.draw(st.randoms(use_true_random=False))
    kept = [chances.choice((None, 0, 1, 4)) for _ in range(cut)]
    found, acknowledged = _state_after(recording, cut, kept.__getitem__, {})
    assert found <= acknowledged + 1
    if durability == "full":
        assert acknowledged <= found


def test_the_replay_notices_a_missing_sync():
    """Without the syncs of its log, "full" loses what it acknowledged: the replay would tell."""
    recording = recorded("full")
    calls = [c for c in recording.calls if (c.kind, c.name) != ("sync", "a.db-wal")]
    kept = [i for i, c in enumerate(recording.calls) if (c.kind, c.name) != ("sync", "a.db-wal")]
    lazy = Recording(calls, recording.states, [recording.acknowledged[i] for i in kept])
    seen = {}

    def is_bad(cut):
        try:
            found, acknowledged = _state_after(lazy, cut, _nothing, seen)
        except (AssertionError, apsw.Error):
            return True
        return found < acknowledged

    assert any(is_bad(cut) for cut in range(len(calls)))
