"""SQLite: the embedded default. One file, many readers, one writer at a time."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from sqlalchemy import Select, event
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql.dml import ReturningInsert

from adapters.sql.database import Transaction, answers_by, row_by, store_troubles, whole_by, writing_by
from application.ports.monitoring import ConnectionsInUse

_READERS = 5
_BUSY_SECONDS = 5
"""How long to wait for a lock or a connection before saying `Unavailable`."""
_LOCK_POLL_SECONDS = 0.05


class SqliteDatabase:
    """`adapters.sql.database.Database` on one file.

    The writers of this process queue for the one connection of their pool, so that `BEGIN IMMEDIATE` meets no lock
    but another process's; that is seven times as fast as SQLite's own waiting (M9, DESIGN section 4).
    """

    schema = None

    def __init__(self, url: str) -> None:
        self.readers = _engine(url, pool_size=_READERS)
        self.writer = _engine(url, pool_size=1)
        event.listen(self.writer.sync_engine, "begin", _begin_immediate)

    @property
    def dialect(self) -> Dialect:
        return self.writer.dialect

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        with store_troubles():
            async with self.readers.connect() as connection:
                yield connection

    async def row(self, statement: Select[Any], **parameters: object) -> Mapping[str, Any] | None:
        return await row_by(self, statement, parameters)

    async def whole(self, statement: ReturningInsert[Any], rows: int, parameters: Mapping[str, object]) -> bool:
        return await whole_by(self, statement, rows, parameters)

    def writing(self) -> AbstractAsyncContextManager[Transaction]:
        return writing_by(self.writer)

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[Transaction]:
        await self._use_wal()
        async with self.writing() as transaction:
            yield transaction

    async def answers(self) -> bool:
        return await answers_by(self)

    @property
    def connections(self) -> ConnectionsInUse:
        pools: list[Any] = [engine.sync_engine.pool for engine in (self.readers, self.writer)]
        return ConnectionsInUse(in_use=sum(pool.checkedout() for pool in pools), most=_READERS + 1)

    async def close(self) -> None:
        await self.readers.dispose()
        await self.writer.dispose()

    async def _use_wal(self) -> None:
        """Switch the file to write-ahead logging, for good: readers and the writer are not in each other's way then.

        SQLite does not wait for locks at this one statement, so we do.
        """
        with store_troubles():
            async with self.readers.connect() as connection:
                deadline = asyncio.get_running_loop().time() + _BUSY_SECONDS
                while True:
                    try:
                        await connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                    except OperationalError as trouble:
                        if "locked" not in str(trouble.orig) or asyncio.get_running_loop().time() > deadline:
                            raise
                        await asyncio.sleep(_LOCK_POLL_SECONDS)
                    else:
                        return


def _engine(url: str, *, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_BUSY_SECONDS,
        hide_parameters=True,  # an error message is no place for an address or a hash
        connect_args={"isolation_level": None, "timeout": _BUSY_SECONDS},
    )
    event.listen(engine.sync_engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first and writes later loses to any other (M9)."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
