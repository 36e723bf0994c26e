"""``SQLiteStore``: rows in one SQLite file."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from sojourn import ConfigurationError, Outcome, Record

from . import _rows
from ._driver import Cursor
from ._errors import SQLiteStoreError, Trouble, is_busy, ours
from ._file import File
from ._reader import InlineReader, ReadingWorker
from ._schema import Durability
from ._waiting import Job, Outbox
from ._worker import Worker
from ._writer import Writer

T = TypeVar("T")
Reads = Literal["inline", "thread"]
_LONGEST_DEADLINE = 3600.0


class LoadNowait(Protocol):
    """See ``sojourn.SupportsLoadNowait``."""

    def __call__(self, id: str, *, now: float) -> Record | None:
        """The row with this id; None if it is missing or expired."""
        ...


class SQLiteStore:
    """Sessions in one SQLite file, shared by all processes of one machine.

    - ``path``: of the file, which is created with mode 0600 in a folder that must exist. Relative
      paths count from the working directory at this call.
    - ``durability``: "full" means that an acknowledged write survives a power cut. With "normal"
      a power cut may undo the last writes, a logout too; a killed process undoes nothing in either.
    - ``reads``: "inline" reads on the caller's thread, in microseconds when the file is in the
      system's cache; "thread" is for slow disks, and sessions then are loaded before the handler.
    - ``deadline``: seconds after which a call raises StoreUnavailableError.

    It may be used by several event loops and threads, and across a fork. Failures raise
    SQLiteStoreError with the path and the remedy. Raises ConfigurationError for options that it
    does not know, and opens nothing yet.
    """

    deadline: float
    one_process: bool = False
    load_nowait: LoadNowait
    """See ``SupportsLoadNowait``; only there when reads are inline."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durability: Durability = "full",
        reads: Reads = "inline",
        deadline: float = 2.0,
    ) -> None:
        if durability not in ("full", "normal"):
            raise ConfigurationError('SQLiteStore(durability=...): "full" or "normal"')
        if reads not in ("inline", "thread"):
            raise ConfigurationError('SQLiteStore(reads=...): "inline" or "thread"')
        if not 0 < deadline <= _LONGEST_DEADLINE:
            raise ConfigurationError("SQLiteStore(deadline=...): seconds, more than 0, up to 3600")
        if not os.fspath(path) or os.fspath(path) == ":memory:":
            raise ConfigurationError(
                'SQLiteStore: give the path of a file; sessions in memory are "memory://"'
            )
        self.path: Path = Path(path).absolute()
        self.deadline = deadline
        self._file = File(self.path, durability)
        self._inline = InlineReader(self._file.connect_reader, deadline)
        self._writer = Writer(self._file.connect_writer)
        self._reading = ReadingWorker(self._file.connect_reader)
        self._is_inline = reads == "inline"
        if self._is_inline:
            self.load_nowait = self._load_nowait
        # A store that nobody closed must not leave its threads behind.
        weakref.finalize(self, _abandon, self._inline, self._reading, self._writer)

    # Reading

    def _load_nowait(self, id: str, *, now: float) -> Record | None:
        try:
            return self._inline.load(id, now)
        except Exception as error:
            if not is_busy(error):
                raise ours(self.path, error) from error
        try:
            return self._inline.load_when_free(id, now)
        except Exception as error:
            raise ours(self.path, error) from error

    async def load(self, id: str, *, now: float) -> Record | None:
        # To prepare a file may take a while, so the thread does that.
        if self._is_inline and self._file.is_prepared:
            try:
                return self._inline.load(id, now)
            except Exception as error:
                if not is_busy(error):
                    raise ours(self.path, error) from error
        return await self._do(self._reading, _rows.load, id, now)

    async def load_owner(self, owner: str, *, now: float) -> list[Record]:
        return await self._do(self._reading, _rows.load_owner, owner, now)

    # Writing

    async def create(self, record: Record) -> bool:
        return await self._do(self._writer, _rows.create, record)

    async def replace(self, record: Record, *, version: int, now: float) -> Outcome:
        return await self._do(self._writer, _rows.replace, record, version, now)

    async def touch(self, id: str, *, version: int, expires_at: float, now: float) -> Outcome:
        return await self._do(self._writer, _rows.touch, id, version, expires_at, now)

    async def delete(self, id: str) -> bool:
        return await self._do(self._writer, _rows.delete, id)

    async def delete_owner(self, owner: str, *, keep: str | None = None) -> int:
        return await self._do(self._writer, _rows.delete_owner, owner, keep)

    async def sweep(self, *, now: float, limit: int) -> int:
        return await self._do(self._writer, self._writer.sweep, now, limit)

    async def _do(self, worker: Worker, operation: Callable[..., T], *arguments: Any) -> T:
        job = Job(operation, arguments, self.deadline)
        try:
            answered = await worker.outbox.wait_for(job)
        except RuntimeError as error:  # no more threads
            raise ours(self.path, error) from error
        if not answered:
            raise SQLiteStoreError(self.path, Trouble.SLOW)
        if job.error is not None:
            raise ours(self.path, job.error) from job.error
        result: T = job.result
        return result

    # Life

    async def aopen(self) -> None:
        await self._do(self._writer, _nothing)
        await self._do(self._reading, _nothing)

    async def aclose(self) -> None:
        self._inline.close()
        try:
            await Outbox(self._reading.stop).wait_for(_end(self.deadline))
        finally:
            # Even if this is cancelled. The last connection to a file empties and removes the WAL.
            await Outbox(self._writer.stop).wait_for(_end(self.deadline))
            self._file.is_prepared = False


def _nothing(cursor: Cursor) -> None:
    """Let the worker connect."""


def _end(seconds: float) -> Job:
    return Job(_nothing, (), seconds)


def _abandon(inline: InlineReader, *workers: Worker) -> None:
    inline.close()
    for worker in workers:
        worker.stop([_end(0)])
