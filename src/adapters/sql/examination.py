"""A look at the database from all sides, for `ostiary doctor`. Leaves nothing behind."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Table, delete, false, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from adapters.sql.database import Database, Transaction
from adapters.sql.hash_sample import SqlHashSample
from adapters.sql.migrations import SchemaMismatch, check_schema, current_revision
from adapters.sql.outbox_report import SqlOutboxReport
from adapters.sql.pepper_census import SqlPepperCensus
from adapters.sql.postgresql import PostgresqlDatabase, PostgresqlServer
from adapters.sql.sqlite import SqliteDatabase
from adapters.sql.tables import metadata
from application.ports.environment import Clock
from application.ports.examination import DatabaseFacts, FileFacts, ServerFacts
from domain.errors import Unavailable

_TRIES = 5
"""How often to look for a shared connection: a pooler with several may deal a different one each time."""


async def examine_sqlite(database: SqliteDatabase, file: Path, clock: Clock) -> DatabaseFacts:
    """The facts. Raises `Unavailable`."""
    async with database.reading() as connection:
        started = time.monotonic()
        version = await connection.scalar(text("SELECT sqlite_version()"))
        answers_in = time.monotonic() - started
        journal = await connection.scalar(text("PRAGMA journal_mode"))
    log = file.with_name(f"{file.name}-wal")
    facts = FileFacts(
        write_ahead=journal == "wal",
        log_bytes=log.stat().st_size if log.exists() else 0,
        free_bytes=shutil.disk_usage(file.parent).free,
    )
    return await _facts(database, f"SQLite {version}", answers_in, facts, clock)


async def examine_postgresql(server: PostgresqlServer, clock: Clock) -> DatabaseFacts:
    """The facts. Raises `Unavailable`."""
    with _driver_troubles():
        shared = await _shares_connections(server)
        # With a pooler in between, only what works with one finds out more.
        database = PostgresqlDatabase(replace(server, pooled=server.pooled or shared))
        try:
            async with database.reading() as connection:
                started, before = time.monotonic(), clock.now()
                there = await connection.scalar(text("SELECT clock_timestamp()"))
                answers_in = time.monotonic() - started
                version = await connection.scalar(text("SHOW server_version"))
                bounds = (await connection.execute(_CONNECTIONS)).one()
                owns = await connection.scalar(_OWNS_TABLES, {"schema": server.schema})
            facts = ServerFacts(
                connections=min(bound for bound in bounds if bound is not None),
                clock_ahead=there - before - timedelta(seconds=answers_in / 2),
                shared=shared,
                owns_tables=owns,
            )
            return await _facts(database, f"PostgreSQL {version}", answers_in, facts, clock)
        finally:
            await database.close()


_CONNECTIONS = text(
    "SELECT CAST(current_setting('max_connections') AS int)"
    " - CAST(current_setting('superuser_reserved_connections') AS int),"
    " (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),"
    " (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user)"
)


_OWNS_TABLES = text(
    "SELECT EXISTS (SELECT FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace(:schema)"
    " AND pg_has_role(relowner, 'USAGE'))"
)


async def _facts(
    database: Database, version: str, answers_in: float, of: FileFacts | ServerFacts, clock: Clock
) -> DatabaseFacts:
    problem = None
    try:
        await check_schema(database)
    except SchemaMismatch as mismatch:
        problem = str(mismatch)
    denied = tuple([denial async for denial in _denials(database)]) if problem is None else ()
    readable = problem is None and not denied
    return DatabaseFacts(
        version=version,
        answers_in=timedelta(seconds=answers_in),
        schema=await current_revision(database),
        schema_problem=problem,
        denied=denied,
        outbox=await SqlOutboxReport(database)() if problem is None else None,
        hashes=await SqlHashSample(database)() if readable else (),
        peppers=await SqlPepperCensus(database)(clock.now()) if readable else {},
        of=of,
    )


async def _denials(database: Database) -> Any:
    """Each table in a transaction of its own that is never committed, by statements that touch no row: rights, and
    whether the database can be written at all, are checked all the same."""
    for table in metadata.sorted_tables:
        try:
            async with database.writing() as transaction:
                await _try(transaction, table)
        except DBAPIError as denied:
            yield f"{table.name}: {_words(denied)}"
        except Unavailable as denied:
            yield f"{table.name}: {_words(denied.__cause__)}"


async def _try(transaction: Transaction, table: Table) -> None:
    key = table.primary_key.columns[0]
    nothing = select(table).where(false())
    for statement in (
        insert(table).from_select([column.name for column in table.columns], nothing),
        update(table).where(false()).values({key: key}),
        delete(table).where(false()),
    ):
        await transaction.connection.execute(statement)


async def _shares_connections(server: PostgresqlServer) -> bool:
    """Whether two connections of ours, both open, are ever answered by one process of the server."""
    options: dict[str, Any] = {"timeout": server.patience.total_seconds(), "statement_cache_size": 0}
    one = await asyncpg.connect(server.dsn, **options)
    try:
        other = await asyncpg.connect(server.dsn, **options)
        try:
            backends = [{await _backend(one) for _ in range(_TRIES)}, {await _backend(other) for _ in range(_TRIES)}]
        finally:
            await other.close()
    finally:
        await one.close()
    return bool(backends[0] & backends[1]) or len(backends[0]) > 1


async def _backend(connection: "asyncpg.Connection[Any]") -> int:
    async with connection.transaction():
        return int(await connection.fetchval("SELECT pg_backend_pid()"))


@contextmanager
def _driver_troubles() -> Iterator[None]:
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError, OSError) as trouble:
        raise Unavailable from trouble


def _words(trouble: BaseException | None) -> str:
    """What the driver said, in one line."""
    return " ".join(str(getattr(trouble, "orig", trouble)).split())
