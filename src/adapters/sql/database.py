"""Connections and transactions. Whatever goes wrong with the store becomes `Unavailable`, and nothing is half done."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from domain.errors import Unavailable

_READERS = 5
_BUSY_SECONDS = 5
_LOCK_POLL_SECONDS = 0.05
"""How long to wait for a lock or a connection before saying `Unavailable`."""


class Database:
    """One SQLite file: many readers, and one writer at a time.

    The writers of this process queue for the one connection of their pool, so that `BEGIN IMMEDIATE` meets no lock
    but another process's; that is seven times as fast as SQLite's own waiting (M9, DESIGN section 4).
    """

    def __init__(self, url: str) -> None:
        self.readers = _engine(url, pool_size=_READERS)
        self.writer = _engine(url, pool_size=1)
        event.listen(self.writer.sync_engine, "begin", _begin_immediate)

    @property
    def dialect(self) -> Dialect:
        """Which SQL is spoken."""
        return self.writer.dialect

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reads; each statement sees what is committed when it starts."""
        with _store_troubles():
            async with self.readers.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator["Transaction"]:
        """A transaction that is rolled back unless it is committed."""
        with _store_troubles():
            async with self.writer.connect() as connection:
                # Begun, but not as a context of its own, which would commit: giving the connection back rolls back.
                await connection.begin()
                yield Transaction(connection)

    async def use_wal(self) -> None:
        """Switch the file to write-ahead logging, for good: readers and the writer are not in each other's way then.

        SQLite does not wait for locks at this one statement, so we do.
        """
        with _store_troubles():
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

    async def answers(self) -> bool:
        """Whether a statement gets through."""
        try:
            async with self.reading() as connection:
                await connection.execute(text("SELECT 1"))
        except Unavailable:
            return False
        return True

    async def close(self) -> None:
        """Let go of all connections."""
        await self.readers.dispose()
        await self.writer.dispose()


class Transaction:
    """What a unit of work stands on: its connection, and the one way to make its work true."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.connection = connection

    async def commit(self) -> None:
        """Make it true."""
        try:
            await self.connection.commit()
        except DBAPIError:
            # SQLite keeps a transaction open whose commit failed; the next writer gets a connection of its own.
            await self.connection.invalidate()
            raise


@contextmanager
def _store_troubles() -> Iterator[None]:
    """Say `Unavailable` for a store that is locked, full, read-only, broken or gone; pass mistakes of ours on."""
    try:
        yield
    except (IntegrityError, ProgrammingError, DataError):
        raise
    except (DBAPIError, PoolTimeout) as trouble:
        raise Unavailable from trouble


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
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first and writes later loses to any other (M9)."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
