"""PostgreSQL, by asyncpg: the same promises for many processes on many machines."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
from sqlalchemy import Select, event, text
from sqlalchemy.engine import Dialect, ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.dml import ReturningInsert

from adapters.sql.database import Transaction, answers_by, row_by, store_troubles, whole_by, writing_by
from adapters.sql.short_road import ShortRoad
from application.ports.monitoring import ConnectionsInUse

_ASK_AFTER_SECONDS = 10.0
"""A connection that lay unused for longer is asked whether it still lives before it is relied on."""

_ANSWER_SECONDS = 1.0
"""One that says nothing for so long then is taken for dead: a firewall or a failover tells nobody."""

_IDLE_TRANSACTION_SECONDS = 60
"""A transaction that does nothing for so long is ended by the server: who vanished holds no locks for hours."""

_SHARE_OF_THE_SHORT_ROAD = 3
"""One connection in so many is kept for what is asked again and again."""

_LOCK_SECONDS = 2
"""A change of the schema waits so long for a table in use, and everybody else queues behind it; then it gives up."""

_MIGRATION_LOCK = 0x6F737469
"""The advisory lock of migrations: `osti`, so that whoever meets it in `pg_locks` can tell whose it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresqlServer:
    """Where the server is, and how long to wait for it."""

    dsn: str = field(repr=False)
    """As libpq and asyncpg read it; holds the password."""
    schema: str = "ostiary"
    pooled: bool = False
    """Whether a pooler stands between that hands each transaction to another connection (PgBouncer and its kind): then
    nothing is expected to outlive a transaction, neither settings nor prepared statements."""
    connections: int = 10
    patience: timedelta = timedelta(seconds=5)
    """For a connection, be it new or one of ours that is in use; and for a quick read."""
    statement_timeout: timedelta | None = timedelta(seconds=10)


class PostgresqlDatabase:
    """`adapters.sql.database.Database` on a PostgreSQL server.

    A connection found dead is replaced before it is used, so a server that was away and came back costs refusals while
    it was away and no restart.
    """

    def __init__(self, server: PostgresqlServer) -> None:
        kept = 0 if server.pooled else max(server.connections // _SHARE_OF_THE_SHORT_ROAD, 1)
        self._server = server
        self.schema = server.schema
        self.engine = create_async_engine(
            "postgresql+asyncpg://",
            pool_size=max(server.connections - kept, 1),
            max_overflow=0,
            pool_timeout=server.patience.total_seconds(),
            hide_parameters=True,  # an error message is no place for an address or a hash
            connect_args={"async_creator_fn": partial(_connect, server), **_statement_names(pooled=server.pooled)},
            execution_options={"schema_translate_map": {None: server.schema}},
        )
        event.listen(self.engine.sync_engine, "checkout", _replace_the_dead)
        event.listen(self.engine.sync_engine, "checkin", _note_the_time)
        event.listen(self.engine.sync_engine, "handle_error", _forget_the_values)
        # A read needs no transaction: what a statement sees is settled when it starts. Behind a pooler it is what keeps
        # preparing a statement and running it on one connection.
        self._readers = self.engine if server.pooled else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._short_road = (
            ShortRoad(partial(_connect, server), self.engine, connections=kept, patience=server.patience)
            if kept
            else None
        )

    @property
    def dialect(self) -> Dialect:
        return self.engine.dialect

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        with store_troubles():
            async with self._readers.connect() as connection:
                yield connection

    async def row(self, statement: Select[Any], **parameters: object) -> Mapping[str, Any] | None:
        if self._short_road is None:
            return await row_by(self, statement, parameters)
        return await self._short_road.row(statement, parameters)

    async def whole(self, statement: ReturningInsert[Any], rows: int, parameters: Mapping[str, object]) -> bool:
        if self._short_road is None:
            return await whole_by(self, statement, rows, parameters)
        return await self._short_road.whole(statement, rows, parameters)

    def writing(self) -> AbstractAsyncContextManager[Transaction]:
        return writing_by(self.engine)

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[Transaction]:
        async with self.writing() as transaction:
            run = transaction.connection.exec_driver_sql
            await run(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            await run(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
            if await transaction.connection.scalar(text("SELECT to_regnamespace(:s)"), {"s": self.schema}) is None:
                await run(f'CREATE SCHEMA "{self.schema}"')
            # What migrations say in plain SQL means our tables too.
            await run(f'SET LOCAL search_path = "{self.schema}"')
            yield transaction

    async def answers(self) -> bool:
        return await answers_by(self)

    @property
    def connections(self) -> ConnectionsInUse:
        pool: Any = self.engine.sync_engine.pool
        on_short_road = self._short_road.in_use if self._short_road is not None else 0
        return ConnectionsInUse(in_use=pool.checkedout() + on_short_road, most=self._server.connections)

    async def close(self) -> None:
        if self._short_road is not None:
            await self._short_road.close()
        await self.engine.dispose()


async def _connect(server: PostgresqlServer) -> "asyncpg.Connection[asyncpg.Record]":
    limit = server.statement_timeout
    settings = {
        "application_name": "ostiary",
        "idle_in_transaction_session_timeout": str(int(_IDLE_TRANSACTION_SECONDS * 1000)),
    }
    if limit is not None:
        settings["statement_timeout"] = str(int(limit.total_seconds() * 1000))
    return await asyncpg.connect(
        server.dsn,
        timeout=server.patience.total_seconds(),
        # The server keeps the time itself and says so politely; where it cannot, nobody waits for ever.
        command_timeout=limit.total_seconds() + 1 if limit is not None else None,
        # A pooler refuses settings that it cannot carry over to another connection.
        server_settings=None if server.pooled else settings,
        statement_cache_size=0 if server.pooled else 100,
    )


def _statement_names(*, pooled: bool) -> dict[str, Any]:
    """A named statement would be looked for on a connection that never heard of it."""
    return {"prepared_statement_cache_size": 0, "prepared_statement_name_func": str} if pooled else {}


def _note_the_time(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _forget_the_values(context: ExceptionContext) -> None:
    """PostgreSQL quotes the row or key it refused; an error message is no place for them either."""
    said: Any = context.original_exception
    for error in (said, said.__cause__):
        if hasattr(error, "detail"):
            error.detail = None


def _replace_the_dead(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Have the pool try another connection instead of one that is closed, or silent after a long pause (pre-ping, at a
    price that only the first request after a pause pays)."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError
    if time.monotonic() - record.info.get("used_at", time.monotonic()) > _ASK_AFTER_SECONDS:
        try:
            connection.run_async(_answer)
        except Exception as trouble:
            connection.driver_connection.terminate()  # without the good-bye that a silent one would keep us waiting for
            raise DisconnectionError from trouble


async def _answer(connection: "asyncpg.Connection[Any]") -> None:
    await connection.execute("", timeout=_ANSWER_SECONDS)
