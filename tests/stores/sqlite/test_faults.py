"""The n-th statement fails, and the n-th call that reaches the disk, for every n."""

import collections
import itertools
from contextlib import contextmanager
from typing import ClassVar

import apsw
import pytest

from sojourn import Outcome, StoreUnavailableError
from sojourn_sqlite import SQLiteStore, _rows, _writer

from ._disk import watched
from ._rows import NOW, new

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    """One of them: what fails here fails in threads, which the loops share."""
    return "asyncio"


@pytest.fixture(autouse=True)
def busy_with_itself(monkeypatch):
    """Checkpoints and shrinks often and in the same order each time, so that these fail as well."""
    monkeypatch.setattr(_writer, "_CHECKPOINT_AFTER", 10)
    monkeypatch.setattr(_writer, "_VACUUM_ABOVE", 1)
    monkeypatch.setattr(_writer, "_VACUUM_STEPS", 1)


class Visits:
    """One of each call on a store, and what may have become of the rows.

    ``possible``: by id the versions that the row may have; None: it may be absent.
    """

    def __init__(self, store):
        self.store = store
        self.possible = collections.defaultdict(lambda: {None})
        self.failures = []

    async def run(self):
        """Make all calls. Each gives the right answer, or the store's own error."""
        store, one, two = self.store, new(), new(owner="o")
        three, big = new(owner="o", expires_at=NOW + 1), new(payload=bytes(20_000), expires_at=NOW)
        with self._tolerant():
            await store.aopen()
        for row in (one, two, three, big):
            await self._write(row.id, 1, store.create(row), True)
        await self._read(one.id)
        changed = new(id=one.id, version=2)
        await self._write(one.id, 2, store.replace(changed, version=1, now=NOW), Outcome.APPLIED)
        longer = new(id=one.id, version=3, expires_at=NOW + 200)
        await self._write(one.id, 3, store.replace(longer, version=2, now=NOW), Outcome.APPLIED)
        touch = store.touch(two.id, version=1, expires_at=NOW + 500, now=NOW)
        await self._write(two.id, 2, touch, Outcome.APPLIED)
        self.possible[three.id].add(None)
        await self._write(big.id, None, store.sweep(now=NOW + 2, limit=9), 2)
        await self._write(two.id, None, store.delete_owner("o"), 1)
        await self._write(one.id, None, store.delete(one.id), True)
        nobody, last = new(), new()
        touch = store.touch(nobody.id, version=1, expires_at=NOW + 500, now=NOW)
        await self._write(nobody.id, None, touch, Outcome.GONE)
        await self._write(last.id, 1, store.create(last), True)
        await store.aclose()

    @contextmanager
    def _tolerant(self):
        try:
            yield
        except StoreUnavailableError as error:
            self.failures.append(error)

    async def _write(self, id, version, call, expected):
        before = set(self.possible[id])
        self.possible[id].add(version)
        with self._tolerant():
            if await call == expected:
                self.possible[id] = {version}
            else:
                # An earlier call failed, and had done its work or not.
                assert self.failures
                self.possible[id] = before | {version}

    async def _read(self, id):
        # First what the writer left to do after its answers, so that the order is always the same.
        with self._tolerant():
            await self.store._do(self.store._writer, lambda _: None)
        with self._tolerant():
            record = await self.store.load(id, now=NOW)
            assert (record and record.version) in self.possible[id]
            assert self.store.load_nowait(id, now=NOW) == record
            for each in await self.store.load_owner("o", now=NOW):
                assert each.version in self.possible[each.id]

    async def check(self):
        """Nothing fails any more: the same store works, and its rows are what they may be."""
        assert all(str(self.store.path) in str(error) for error in self.failures)
        for id, versions in self.possible.items():
            record = await self.store.load(id, now=0.0)
            assert (record and record.version) in versions
        row = new()
        assert await self.store.create(row)
        assert await self.store.load(row.id, now=NOW) == row
        await self.store.aclose()
        connection = apsw.Connection(str(self.store.path))
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


class Faulty(apsw.Cursor):
    """Runs statements, and fails at one of them. ``late``: after it did its work."""

    seen: ClassVar[list[str]] = []
    failing: ClassVar[tuple[int, bool]] = (0, False)

    def execute(self, sql, *bindings):
        """``apsw.Cursor.execute``."""
        # It follows each write, at any time among the statements of another thread.
        if sql == "PRAGMA wal_checkpoint(NOOP)":
            return super().execute(sql, *bindings)
        self.seen.append(sql)
        at, late = self.failing
        if len(self.seen) == at and not late:
            raise apsw.exception_for(apsw.SQLITE_IOERR)
        super().execute(sql, *bindings)
        if len(self.seen) == at:
            self.fetchall()
            raise apsw.exception_for(apsw.SQLITE_IOERR)
        return self


def _use_faulty(connection):
    connection.cursor_factory = Faulty


def _statements():
    """The text of every operation, from the table that the store runs."""
    texts = {value for name, value in vars(_rows).items() if name.isupper() and type(value) is str}
    return texts - {_rows._COLUMNS}


@pytest.mark.parametrize("late", [False, True])
async def test_every_statement_fails_once(tmp_path, monkeypatch, late):
    """Whichever statement fails, the answer is an error or right, and the store goes on."""
    monkeypatch.setattr(apsw, "connection_hooks", [_use_faulty])
    failed, unnoticed = [], []
    for at in itertools.count(1):
        Faulty.seen, Faulty.failing = [], (at, late)
        visits = Visits(SQLiteStore(tmp_path / f"{at}.db"))
        with watched():
            await visits.run()
            reached, Faulty.failing = len(Faulty.seen) >= at, (0, False)
            await visits.check()
        if not reached:
            assert visits.failures == []
            break
        (failed if visits.failures else unnoticed).append(Faulty.seen[at - 1])
    assert _statements() <= set(failed)
    # What is done after the answers may fail without an error: nothing is lost by it.
    assert {sql.split("(")[0] for sql in unnoticed} == {
        "PRAGMA freelist_count",
        "PRAGMA incremental_vacuum",
        "PRAGMA wal_checkpoint",
    }


@pytest.mark.parametrize("lasting", [False, True])
async def test_every_call_to_the_disk_fails(tmp_path, lasting):
    """The same if the disk fails: a read, a write or a sync, once or from then on."""
    kinds = set()
    for at in itertools.count(1, 7 if lasting else 1):
        calls = []

        def watch(call, at=at, calls=calls):
            calls.append(call.kind)
            return len(calls) >= at if lasting else len(calls) == at

        visits = Visits(SQLiteStore(tmp_path / f"{at}.db"))
        with watched() as disk:
            disk.watch = watch
            await visits.run()
            disk.watch = lambda _: False
            await visits.check()
        if len(calls) < at:
            assert visits.failures == []
            break
        kinds.add(calls[at - 1])
    assert lasting or kinds == {"read", "write", "sync", "truncate", "delete"}


async def test_what_follows_an_answer_fails(tmp_path, monkeypatch):
    """A writer that cannot look at its WAL connects anew; what it wrote and will write is kept."""
    failed = []

    def fail(_cursor, sql, _bindings):
        if "NOOP" in sql and len(failed) < 3:
            failed.append(sql)
            raise apsw.exception_for(apsw.SQLITE_IOERR)
        return True

    monkeypatch.setattr(apsw, "connection_hooks", [lambda new: new.set_exec_trace(fail)])
    store, rows = SQLiteStore(tmp_path / "a.db"), [new() for _ in range(5)]
    for row in rows:
        assert await store.create(row)
    assert [await store.load(row.id, now=NOW) for row in rows] == rows
    await store.aclose()
    assert len(failed) == 3
