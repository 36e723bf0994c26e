"""PostgreSQL and PgBouncer as programs that a test starts, kills, and starts again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import pytest

_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
# On a Unix socket only; tests kill the server and never the machine, so the disk may be lazy.
_SETTINGS = {"listen_addresses": "", "fsync": "off", "max_connections": "60", "wal_keep_size": "64"}
_HBA = "local all app scram-sha-256\nlocal all all trust\nlocal replication all trust\n"
_PATIENCE = 20.0

# PostgreSQL and PgBouncer refuse to run as root.
_AS_USER: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}


class PostgresServer:
    """A cluster of databases; the superuser is ``sojourn``, and only ``app`` needs a password."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = dict(_SETTINGS)

    @classmethod
    def made_in(cls, folder: Path) -> Self:
        """A new one, not started."""
        server = cls(_owned(folder))
        server._run("initdb", "-A", "trust", "-U", "sojourn", "--no-sync", "-D", server.data)
        (folder / "data" / "pg_hba.conf").write_text(_HBA)
        return server

    def copied_to(self, folder: Path) -> Self:
        """Another one with the same content."""
        server = type(self)(_owned(folder))
        subprocess.run(["cp", "-r", self.data, server.data], check=True, **_AS_USER)
        return server

    def replica_in(self, folder: Path, port: int) -> Self:
        """A hot standby, which reaches this server at a port of 127.0.0.1; not started."""
        server = type(self)(_owned(folder))
        source = ["-h", str(self.folder), "-U", "sojourn"]
        self._run("pg_basebackup", *source, "-D", server.data, "-c", "fast", "--no-sync")
        (server.folder / "data" / "standby.signal").touch()
        server.settings["wal_retrieve_retry_interval"] = "100ms"
        server.settings["primary_conninfo"] = f"host=127.0.0.1 port={port} user=sojourn"
        return server

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    @property
    def data(self) -> str:
        """Where it keeps its files."""
        return str(self.folder / "data")

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.folder / ".s.PGSQL.5432"

    @property
    def url(self) -> str:
        """The same for a store."""
        return f"postgresql://sojourn@/postgres?host={self.folder}"

    def start(self) -> None:
        """Run it, and wait until it answers."""
        settings = " ".join(f"-c {name}='{value}'" for name, value in self.settings.items())
        log = str(self.folder / "log")
        self._control("-w", "-o", f"{settings} -k {self.folder}", "-l", log, "start")

    def stop(self) -> None:
        """Kill it, as a crash would; nothing happens if it does not run."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self._control("-m", "immediate", "stop")

    def promote(self) -> None:
        """Make a replica the primary, and wait until it is."""
        self._control("-w", "promote")

    def sql(self, command: str) -> str:
        """Run a statement, and give its first value as text."""
        source = ["-h", str(self.folder), "-U", "sojourn", "-d", "postgres"]
        return self._run("psql", *source, "-XAtqv", "ON_ERROR_STOP=1", "-c", command)

    def dump(self) -> str:
        """Everything in it, as text."""
        return self._run("pg_dumpall", "-h", str(self.folder), "-U", "sojourn", "--data-only")

    def until(self, condition: str) -> None:
        """Wait until this SQL is true here."""
        deadline = time.monotonic() + _PATIENCE
        while self.sql(f"SELECT {condition}") != "t":
            if time.monotonic() > deadline:
                raise TimeoutError(condition)

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", self.data, *arguments)

    def _run(self, program: str, *arguments: str) -> str:
        # Not PIPE for pg_ctl, whose server would keep it open.
        output = subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE
        command = [postgres_tool(program), *arguments]
        done = subprocess.run(command, check=True, stdout=output, text=True, cwd="/", **_AS_USER)
        return (done.stdout or "").strip()


class PgBouncer:
    """PgBouncer in transaction mode, with fewer connections to the server than clients make."""

    def __init__(self, folder: Path, server: PostgresServer) -> None:
        self.folder = _owned(folder)
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        self.program = program or missing("PgBouncer", "pgbouncer")
        (folder / "ini").write_text(f"""\
[databases]
postgres = host={server.folder} user=sojourn
[pgbouncer]
unix_socket_dir = {folder}
listen_port = 6432
auth_type = any
pool_mode = transaction
default_pool_size = 3
logfile = {folder}/log
""")

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"postgresql://sojourn@/postgres?host={self.folder}&port=6432&prepare=false"

    def __enter__(self) -> Self:
        self.process = subprocess.Popen([self.program, "-q", self.folder / "ini"], **_AS_USER)
        deadline = time.monotonic() + _PATIENCE
        while not self._listens():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())
        return self

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        self.process.wait()

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.folder / ".s.PGSQL.6432")) == 0


def postgres_tool(name: str) -> str:
    """One of PostgreSQL's programs."""
    for place in _PLACES:
        if (place / name).exists():
            return str(place / name)
    return shutil.which(name) or missing("PostgreSQL server", "postgresql")


def missing(what: str, package: str) -> str:
    """Skip without this program, or fail where everything has to run."""
    reason = f"no {what} here: apt-get install {package}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _owned(folder: Path) -> Path:
    """A new folder of the user that servers run as."""
    folder.mkdir()
    if _AS_USER:
        shutil.chown(folder, "postgres")
    return folder
