"""One file, and how to connect to it. Holds no store, so that threads keep no store alive."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw

from ._driver import Connection, checkpoint
from ._errors import SQLiteStoreError, Trouble, trouble_of
from ._schema import Durability, open_reader, open_writer


class File:
    """Where the rows are. Waits for no lock: whoever wants a connection may try again."""

    def __init__(self, path: Path, durability: Durability) -> None:
        self.path = path
        self.is_prepared = False
        self._durability: Durability = durability

    def connect_writer(self) -> Connection:
        """A connection that writes, to a file that it prepares. Raises as ``open_writer``."""
        connection = open_writer(self.path, self._durability)
        self.is_prepared = True
        return connection

    def connect_reader(self) -> Connection:
        """A connection that reads; prepares the file if nobody did. Raises as ``open_writer``."""
        if not self.is_prepared:
            self._prepare()
        return open_reader(self.path)

    def _prepare(self) -> None:
        """Let a writer look at the file first. Several at once do no harm, as several processes."""
        try:
            with closing(self.connect_writer()) as connection:
                checkpoint(connection)
        except (SQLiteStoreError, apsw.Error) as error:
            # It can be read all the same.
            if trouble_of(error) is not Trouble.READ_ONLY:
                raise
