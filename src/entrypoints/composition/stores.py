"""The stores: a whole database behind the ports."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from adapters.memory.hash_sample import MemoryHashSample
from adapters.memory.limits import MemoryLimits
from adapters.memory.outbox_report import MemoryOutboxReport
from adapters.memory.pepper_census import MemoryPepperCensus
from adapters.memory.purge import MemoryPurge
from adapters.memory.store import MemoryStore
from adapters.memory.units_of_work import MemoryUnits
from adapters.sql.database import Database
from adapters.sql.hash_sample import SqlHashSample
from adapters.sql.installation import installation_key
from adapters.sql.limits import SqlLimits
from adapters.sql.migrations import SchemaMismatch, check_schema, migrate
from adapters.sql.outbox_report import SqlOutboxReport
from adapters.sql.pepper_census import SqlPepperCensus
from adapters.sql.postgresql import PostgresqlDatabase
from adapters.sql.purge import SqlPurge
from adapters.sql.sqlite import SqliteDatabase
from adapters.sql.units_of_work import SqlUnits
from application.ports.environment import Purge, Randomness
from application.ports.hashing import HashSample, PepperCensus
from application.ports.limits import Limits
from application.ports.monitoring import ConnectionsInUse, OutboxReport
from application.ports.units_of_work import Units
from domain.errors import Unavailable
from entrypoints.composition import choices
from entrypoints.settings import Settings

__all__ = ["SchemaMismatch", "Store", "memory_store", "migrate_database", "sql_store"]

_MIGRATION_TIME = timedelta(hours=1)
"""A statement of a migration may take longer than one that somebody waits for."""


@dataclass(frozen=True, kw_only=True)
class Store:
    """A whole database behind the ports."""

    units: Units
    limits: Limits
    purge: Purge
    hashes: HashSample
    peppers: PepperCensus
    pseudonym_key: bytes
    """Outlives every change of the master secret, and is the same for all processes."""
    outbox: OutboxReport
    ready: Callable[[], Awaitable[bool]]
    schema_fits: Callable[[], Awaitable[bool]]
    """Whether this program can work with the schema as it is now. Raises `Unavailable`."""
    connections: Callable[[], ConnectionsInUse] | None
    """How busy the connections are; None where there are none."""


@asynccontextmanager
async def sql_store(settings: Settings, randomness: Randomness) -> AsyncIterator[Store]:
    """The database that the settings name. Raises `Unavailable` and `SchemaMismatch`."""
    async with _database(settings) as database:
        if settings.sqlite_file is not None:
            await migrate(database)  # the embedded default keeps itself up to date
        else:
            await check_schema(database)
        key = await installation_key(database, randomness.bytes(32))
        yield Store(
            units=SqlUnits(database, key),
            limits=SqlLimits(database, key),
            purge=SqlPurge(database),
            hashes=SqlHashSample(database),
            peppers=SqlPepperCensus(database),
            pseudonym_key=key,
            outbox=SqlOutboxReport(database),
            ready=database.answers,
            schema_fits=lambda: schema_fits(database),
            connections=lambda: database.connections,
        )


async def schema_fits(database: Database) -> bool:
    """Whether this program can work with the schema as it is now, which a newer version may have moved on."""
    try:
        await check_schema(database)
    except SchemaMismatch:
        return False
    return True


async def migrate_database(settings: Settings) -> str:
    """Bring the database to the schema of this program; returns the revision it is at. Raises as `sql_store`."""
    patient = replace(settings, db_statement_timeout=_MIGRATION_TIME)
    async with _database(patient) as database:
        return await migrate(database)


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database: Database
    if settings.sqlite_file is not None:
        database = sqlite_database(settings.sqlite_file)
    else:
        database = PostgresqlDatabase(choices.postgresql(settings))
    try:
        yield database
    finally:
        await database.close()


def sqlite_database(file: Path) -> SqliteDatabase:
    """A file's database, if it is one. Raises `Unavailable`."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Tried here first, because a driver's thread that fails to connect outlives the event loop and complains.
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA schema_version")
    except (OSError, sqlite3.Error) as trouble:
        raise Unavailable from trouble
    return SqliteDatabase(f"sqlite+aiosqlite:///{file}")


def memory_store() -> Store:
    """A store that forgets: for tests."""
    store = MemoryStore()

    async def yes() -> bool:
        return True

    return Store(
        units=MemoryUnits(store),
        limits=MemoryLimits(store),
        purge=MemoryPurge(store),
        hashes=MemoryHashSample(store),
        peppers=MemoryPepperCensus(store),
        pseudonym_key=bytes(32),
        outbox=MemoryOutboxReport(store),
        ready=yes,
        schema_fits=yes,
        connections=None,
    )
