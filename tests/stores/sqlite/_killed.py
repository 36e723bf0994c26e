"""Processes that write to one file and are killed, and a journal of what they acknowledged."""

import subprocess
import sys

import anyio

from sojourn_sqlite import SQLiteStore

from ._rows import using

_WRITING = """
import sys
import anyio
from sojourn import Record
from sojourn_sqlite import SQLiteStore

async def write(store, task):
    for number in range(10**6):
        id = f"{task:016x}{number:016x}"
        await store.create(Record(id, b"h" * 32, b"1", 1, 0.0, 9e9))
        await store.replace(Record(id, b"h" * 32, b"2", 2, 0.0, 9e9), version=1, now=1.0)
        gone = number % 3 == 0
        if gone:
            await store.delete(id)
        # One write to a pipe: what arrives was acknowledged.
        sys.stdout.write(f"{id} {gone}\\n")
        sys.stdout.flush()

async def main():
    store = SQLiteStore(sys.argv[1], deadline=30)
    async with anyio.create_task_group() as group:
        for task in range(8):
            group.start_soon(write, store, int(sys.argv[2]) * 8 + task)

anyio.run(main)
"""


def kill_again_and_again(path, *, times):
    """Start a process that writes, kill -9 it in the midst, and look at the file; so many times."""
    journal = []
    for attempt in range(times):
        command = [sys.executable, "-c", _WRITING, str(path), str(attempt)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            # Another moment each time.
            lines = (process.stdout.readline().strip() for _ in range(40 + attempt * 13 % 200))
            journal.extend(lines)
            process.kill()
            rest = process.stdout.read()
        journal += rest.split("\n")[:-1]
        assert "" not in journal  # it did not end by itself
        assert len(journal) >= 40 * (attempt + 1)
        if attempt % 10 == 4:
            anyio.run(_check, path, journal)


async def _check(path, journal):
    """Each write of the journal was done, and the file is whole."""
    async with using(SQLiteStore(path)) as store:

        def check(connection):
            return connection.execute("PRAGMA integrity_check").fetchall()

        assert await store._do(store._reading, check) == [("ok",)]
        for line in journal:
            id, gone = line.split(" ")
            row = await store.load(id, now=1.0)
            assert (row and (row.payload, row.version)) == (None if gone == "True" else (b"2", 2))
