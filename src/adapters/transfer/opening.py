"""Telling a server from a file, and one kind of file from another."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.transfer.csv_rows import read_csv
from adapters.transfer.dump import read_dump
from adapters.transfer.files import Kind, kind_of
from adapters.transfer.json_rows import read_json
from adapters.transfer.live import Dsn, open_live
from adapters.transfer.rows import Misread, Row, Tables, in_turn, let_go
from adapters.transfer.sqlite_rows import open_sqlite


@asynccontextmanager
async def open_tables(source: Path | Dsn) -> AsyncIterator[Tables]:
    """Open a PostgreSQL server, an SQLite file, a plain dump, JSON or CSV. Raises `SourceUnreadable`."""
    if isinstance(source, Dsn):
        async with open_live(source) as live:
            yield live
        return
    kind = kind_of(source)
    if kind is Kind.SQLITE:
        with open_sqlite(source) as file:
            yield file
    elif kind is Kind.SQL:
        yield _FileTables(lambda table: read_dump(source, table))
    else:
        yield _FileTables(lambda table: read_json(source) if kind is Kind.JSON else read_csv(source))


async def open_rows(source: Path | Dsn, table: str) -> AsyncIterator[Row | Misread]:
    """One table's rows. Raises `SourceUnreadable`."""
    async with open_tables(source) as tables, let_go(tables.rows(table)) as them:
        async for row in them:
            yield row


class _FileTables:
    """`adapters.transfer.rows.Tables`; the file is read anew for each."""

    def __init__(self, read: Callable[[str], Iterator[Row | Misread]]) -> None:
        self._read = read

    def rows(self, table: str) -> AsyncIterator[Row | Misread]:
        return in_turn(self._read(table))
