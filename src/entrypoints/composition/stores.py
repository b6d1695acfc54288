"""The stores: a whole database behind the ports."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from adapters.memory.limits import MemoryLimits
from adapters.memory.purge import MemoryPurge
from adapters.memory.store import MemoryStore
from adapters.memory.units_of_work import MemoryUnits
from adapters.sql.database import Database
from adapters.sql.installation import installation_key
from adapters.sql.limits import SqlLimits
from adapters.sql.migrations import HEAD, migrate
from adapters.sql.purge import SqlPurge
from adapters.sql.units_of_work import SqlUnits
from application.ports.environment import Purge, Randomness
from application.ports.limits import Limits
from application.ports.units_of_work import Units
from domain.errors import Unavailable
from entrypoints.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Store:
    """A whole database behind the ports."""

    units: Units
    limits: Limits
    purge: Purge
    pseudonym_key: bytes
    ready: Callable[[], Awaitable[bool]]


@asynccontextmanager
async def sql_store(settings: Settings, randomness: Randomness) -> AsyncIterator[Store]:
    """The database that the settings name, at the schema of this program. Raises `Unavailable`."""
    database = _database(settings)
    try:
        await migrate(database)  # the embedded default keeps itself up to date
        key = await installation_key(database, randomness.bytes(32))
        yield Store(
            units=SqlUnits(database, key),
            limits=SqlLimits(database, key),
            purge=SqlPurge(database),
            pseudonym_key=key,
            ready=database.answers,
        )
    finally:
        await database.close()


def _database(settings: Settings) -> Database:
    path = Path(settings.database_url.removeprefix("sqlite:///"))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Tried here first, because a driver's thread that fails to connect outlives the event loop and complains.
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA schema_version")
    except (OSError, sqlite3.Error) as trouble:
        raise Unavailable from trouble
    return Database(f"sqlite+aiosqlite:///{path}")


async def migrate_database(settings: Settings) -> str:
    """Bring the database to the schema of this program; returns its revision."""
    database = _database(settings)
    try:
        await migrate(database)
    finally:
        await database.close()
    return HEAD


def memory_store() -> Store:
    """A store that forgets: for tests."""
    store = MemoryStore()

    async def ready() -> bool:
        return True

    return Store(
        units=MemoryUnits(store),
        limits=MemoryLimits(store),
        purge=MemoryPurge(store),
        pseudonym_key=bytes(32),
        ready=ready,
    )
