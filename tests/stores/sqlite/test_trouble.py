"""What is wrong with a file is told with its path and a remedy, and reads go on where they can."""

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

from sojourn import Outcome, StoreError
from sojourn_sqlite import SQLiteStore, SQLiteStoreError, Trouble, _place
from sojourn_sqlite._place import file_system

from ._rows import NOW, new, using

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    """Both kinds of loop."""
    return request.param


async def _refused(path, **options):
    """The error of a first write, after which the first read gives the same one."""
    found = set()
    for call in (
        lambda store: store.create(new()),
        lambda store: store.load("0" * 32, now=NOW),
        _load_nowait,
    ):
        store = SQLiteStore(path, deadline=0.3, **options)
        with pytest.raises(SQLiteStoreError) as refused:
            await call(store)
        await store.aclose()
        assert str(path) in str(refused.value)
        found.add(refused.value.trouble)
    assert len(found) == 1
    return found.pop()


async def _load_nowait(store):
    return store.load_nowait("0" * 32, now=NOW)


async def test_missing_folder(tmp_path):
    """A folder that is missing is not made."""
    assert await _refused(tmp_path / "no" / "a.db") is Trouble.UNREACHABLE
    assert list(tmp_path.iterdir()) == []


async def test_not_a_database(tmp_path):
    """A file of something else is refused, and stays as it was."""
    path = tmp_path / "a.db"
    path.write_text("these are my notes\n" * 100)
    assert await _refused(path) is Trouble.NOT_A_DATABASE
    assert path.read_text() == "these are my notes\n" * 100


async def test_the_database_of_another_program(tmp_path):
    """Another program's tables are refused, and its file stays as it was."""
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    before = path.read_bytes()
    assert await _refused(path) is Trouble.FOREIGN
    assert path.read_bytes() == before


async def test_a_newer_schema(tmp_path):
    """A file of a later version is refused."""
    path = tmp_path / "a.db"
    async with using(SQLiteStore(path)):
        pass
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert await _refused(path) is Trouble.NEWER


async def test_locked_by_another_process(tmp_path, lock):
    """A lock is waited for up to the deadline and told as one; reads do not notice."""
    async with using(SQLiteStore(tmp_path / "a.db", deadline=0.3)) as store:
        row = new()
        await store.create(row)
        unlock = lock()
        begin = time.monotonic()
        with pytest.raises(SQLiteStoreError, match="locked by another program") as refused:
            await store.touch(row.id, version=1, expires_at=NOW + 999, now=NOW)
        assert 0.25 < time.monotonic() - begin < 1
        assert refused.value.trouble is Trouble.LOCKED
        assert await store.load(row.id, now=NOW) == row
        assert store.load_nowait(row.id, now=NOW) == row
        unlock()
        touched = await store.touch(row.id, version=1, expires_at=NOW + 999, now=NOW)
        assert touched is Outcome.APPLIED


async def test_a_file_that_is_closed_just_now(tmp_path, lock):
    """A file that the last other process is closing is read by load_nowait a moment later."""
    row, tries = new(), []
    async with using(SQLiteStore(tmp_path / "a.db")) as store:
        await store.create(row)
    store = SQLiteStore(tmp_path / "a.db", deadline=30)
    connect, unlock = store._inline._connect, lock("EXCLUSIVE")

    def counted():
        tries.append(connect)
        if len(tries) == 20:
            unlock()
        return connect()

    store._inline._connect = counted
    assert store.load_nowait(row.id, now=NOW) == row
    assert len(tries) >= 20
    await store.aclose()


async def test_a_file_that_stays_locked(tmp_path, lock):
    """Only the first of the reads that cannot be awaited waits for the whole deadline."""
    async with using(SQLiteStore(tmp_path / "a.db")):
        pass
    store = SQLiteStore(tmp_path / "a.db", deadline=1)
    unlock = lock("EXCLUSIVE")
    took = []
    for _ in range(2):
        begin = time.monotonic()
        with pytest.raises(SQLiteStoreError, match="locked by another program"):
            store.load_nowait("0" * 32, now=NOW)
        took.append(time.monotonic() - begin)
    assert took[1] < 1 <= took[0]
    unlock()
    await store.aclose()


_WITHOUT_PRIVILEGE = """
import ctypes, os, sys
if os.geteuid() == 0:
    # PR_CAPBSET_DROP of CAP_DAC_OVERRIDE (capabilities(7)), by which root writes everywhere: what
    # is executed from here on is without.
    assert ctypes.CDLL(None).prctl(24, 1, 0, 0, 0) == 0
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
_WRITE_AND_READ = """
import sys
import anyio
from sojourn_sqlite import SQLiteStore, SQLiteStoreError

path, id, backend = sys.argv[1:]

async def tell(what, call):
    try:
        record = await call
        print(what, record and record.payload.decode())
    except SQLiteStoreError as error:
        print(what, error.trouble.value, path in str(error))

async def main():
    store = SQLiteStore(path)
    await tell("delete", store.delete(id))
    await tell("load", store.load(id, now=1.0))
    await store.aclose()

anyio.run(main, backend=backend)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="drops a privilege of Linux")
@pytest.mark.parametrize(
    ("folder_mode", "expected"),
    [
        (0o700, "delete read-only True\nload payload\n"),
        # SQLite needs to create a file beside it, even to read.
        (0o500, "delete read-only True\nload read-only True\n"),
    ],
    ids=["file", "folder"],
)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_read_only_file(tmp_path, backend, folder_mode, expected):
    """A file that cannot be written refuses writes and goes on giving its rows, where it can."""
    folder, row = tmp_path / "folder", new()
    folder.mkdir()
    anyio.run(_filled, folder / "a.db", row)
    (folder / "a.db").chmod(0o400)
    folder.chmod(folder_mode)
    script = ["-c", _WITHOUT_PRIVILEGE, "-c", _WRITE_AND_READ]
    command = [sys.executable, *script, folder / "a.db", row.id, backend]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    folder.chmod(0o700)
    assert (expected, "") == (done.stdout, done.stderr)


async def _filled(path, *rows):
    async with using(SQLiteStore(path)) as store:
        for row in rows:
            await store.create(row)


async def test_one_bad_record_harms_no_other(tmp_path):
    """Of the writes that share a transaction, only the one that SQLite refuses is refused."""
    async with using(SQLiteStore(tmp_path / "a.db")) as store:
        refused, rows = [], [new(secret_hash=b"short" if n == 7 else b"h" * 32) for n in range(20)]
        rows.append(new(owner="\ud800"))

        async def create(row):
            try:
                assert await store.create(row)
            except StoreError:
                refused.append(row)

        async with anyio.create_task_group() as group:
            for row in rows:
                group.start_soon(create, row)
        assert refused in ([rows[7], rows[20]], [rows[20], rows[7]])
        for row in rows:
            assert (await store.load(row.id, now=NOW) is None) == (row in refused)


async def test_a_full_disk(tmp_path):
    """A file that cannot grow refuses what does not fit, keeps what is there, and recovers."""
    async with using(SQLiteStore(tmp_path / "a.db")) as store:
        small = new()
        assert await store.create(small)

        def limit(connection, pages):
            connection.execute(f"PRAGMA max_page_count = {pages}")

        await store._do(store._reading, lambda _: None)
        original = store._writer._connect

        def connect():
            connection = original()
            limit(connection, 12)
            return connection

        store._writer.disconnect()
        store._writer._connect = connect
        with pytest.raises(SQLiteStoreError) as refused:
            await store.create(new(payload=bytes(200_000)))
        assert refused.value.trouble is Trouble.FULL
        assert await store.create(new())
        assert await store.load(small.id, now=NOW) == small
        store._writer._connect = original
        store._writer.disconnect()
        assert await store.create(new(payload=bytes(200_000)))


async def test_a_disk_quota(tmp_path):
    """If the system lets no file grow, writes are refused as on a full disk, and reads go on."""
    resource = pytest.importorskip("resource", reason="sets a limit of POSIX")
    async with using(SQLiteStore(tmp_path / "a.db")) as store:
        row = new()
        await store.create(row)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(SQLiteStoreError, match="free some space") as refused:
                await store.create(new(payload=bytes(200_000)))
            assert refused.value.trouble is Trouble.FULL
            assert store.load_nowait(row.id, now=NOW) == row
            assert await store.delete(row.id)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert await store.create(new(payload=bytes(200_000)))


async def test_a_network_file_system(tmp_path, monkeypatch):
    """A folder that the system says is mounted from a network is refused before a file is made."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nnas:/x {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr(_place, "_MOUNTS", mounts)
    assert await _refused(tmp_path / "a.db") is Trouble.NETWORK
    assert list(tmp_path.iterdir()) == [mounts]


def test_the_file_system_is_that_of_the_deepest_mount(tmp_path):
    """Of several mounts above a folder the deepest counts, and of two on one point the last."""
    mounts = "/dev/a / ext4 rw 0 0\nnas:/x /srv/my\\040data nfs4 rw 0 0\nb /srv tmpfs rw 0 0\n"
    assert file_system(Path("/srv/my data/deep"), mounts) == "nfs4"
    assert file_system(Path("/srv/my"), mounts) == "tmpfs"
    assert file_system(Path("/srv2"), mounts) == "ext4"
