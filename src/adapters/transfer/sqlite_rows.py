"""A table of somebody else's SQLite file, which is opened for reading only."""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from adapters.transfer.rows import Misread, Row, TableName, in_turn, named
from application.ports.transfer import SourceUnreadable


class SqliteTables:
    """`adapters.transfer.rows.Tables`, all as of one moment."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def rows(self, table: str) -> AsyncIterator[Row | Misread]:
        return in_turn(self._rows(TableName.parse(table).name))

    def _rows(self, table: str) -> Iterator[Row | Misread]:
        with _troubles(self._path):
            present = [
                name for (name,) in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            if table not in present:
                raise SourceUnreadable(f"{self._path}: there is no table {table}; there are {named(present)}.")
            quoted = table.replace('"', '""')
            with closing(self._connection.execute(f'SELECT * FROM "{quoted}"')) as cursor:  # noqa: S608 - a name, quoted
                columns = [description[0] for description in cursor.description]
                for line, row in enumerate(cursor, 1):
                    yield Row(line, dict(zip(columns, row, strict=True)))


@contextmanager
def open_sqlite(path: Path) -> Iterator[SqliteTables]:
    """Raises `SourceUnreadable`, also for what goes wrong while it is read."""
    with _troubles(path):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    with closing(connection):
        # What is no UTF-8 is found where the value is looked at, so that it costs one row and not all.
        connection.text_factory = lambda value: value.decode(errors="surrogateescape")
        with _troubles(path):
            connection.execute("BEGIN")
        yield SqliteTables(path, connection)


@contextmanager
def _troubles(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:  # which names tables and columns, and no values
        raise SourceUnreadable(f"{path} cannot be read as an SQLite file: {error}.") from None
