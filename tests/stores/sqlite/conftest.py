"""What several files of tests ask for."""

import subprocess
import sys

import pytest

_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(f"PRAGMA locking_mode = {sys.argv[2]}")
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path):
    """Another process that holds the write lock of a.db, or all of it, until it is told to end."""
    started = []

    def lock(mode="NORMAL"):
        command = [sys.executable, "-c", _LOCK, str(tmp_path / "a.db"), mode]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == b"locked\n"
        return process.stdin.close

    yield lock
    for process in started:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
