"""The stores that the contract suites are held against. A further one is one more line in `STORES`."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
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
from adapters.sql.limits import SqlLimits
from adapters.sql.migrations import migrate
from adapters.sql.outbox_report import SqlOutboxReport
from adapters.sql.pepper_census import SqlPepperCensus
from adapters.sql.purge import SqlPurge
from adapters.sql.sqlite import SqliteDatabase
from adapters.sql.units_of_work import SqlUnits
from application.ports.environment import Purge
from application.ports.hashing import HashSample, PepperCensus
from application.ports.limits import Limits
from application.ports.monitoring import OutboxReport
from application.ports.units_of_work import Units
from tests.support import postgresql

LIMITS_KEY = b"k" * 32


@dataclass(frozen=True, kw_only=True)
class StoreUnderTest:
    """A whole, empty database behind the ports."""

    units: Units
    limits: Limits
    purge: Purge
    outbox: OutboxReport
    hashes: HashSample
    peppers: PepperCensus


@asynccontextmanager
async def open_memory(_folder: Path) -> AsyncIterator[StoreUnderTest]:
    """The store that forgets."""
    store = MemoryStore()
    yield StoreUnderTest(
        units=MemoryUnits(store),
        limits=MemoryLimits(store),
        purge=MemoryPurge(store),
        outbox=MemoryOutboxReport(store),
        hashes=MemoryHashSample(store),
        peppers=MemoryPepperCensus(store),
    )


@asynccontextmanager
async def open_sqlite(folder: Path) -> AsyncIterator[StoreUnderTest]:
    """A file of its own, at the schema in force."""
    async with open_database(fresh_file(folder)) as database:
        yield over(database)


@asynccontextmanager
async def open_postgresql(_folder: Path) -> AsyncIterator[StoreUnderTest]:
    """A database of its own on a real server."""
    with postgresql.empty_database() as url:
        async with postgresql.open_database(url) as database:
            yield over(database)


STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[StoreUnderTest]]] = {
    "memory": open_memory,
    "sqlite": open_sqlite,
    "postgresql": open_postgresql,
}


@contextmanager
def settings_of(store: str, *, migrated: bool = True) -> Iterator[dict[str, str]]:
    """The variables that make Ostiary use a store of this kind, fresh and empty; gone afterwards."""
    if store != "postgresql":
        yield {}  # SQLite is what there is when nothing is said, and memory is not chosen by settings
        return
    with postgresql.fresh_database(migrated=migrated) as url:
        yield {"DATABASE_URL": url}


@contextmanager
def settings_in_process(store: str, folder: Path) -> Iterator[dict[str, str]]:
    """The same for Ostiary composed in this process with `folder` for its data, which is there sooner."""
    if store != "postgresql":
        if store == "sqlite" and not any(folder.iterdir()):
            fresh_file(folder)
        yield {}
        return
    with postgresql.empty_database() as url:
        yield {"DATABASE_URL": url}


def over(database: Database) -> StoreUnderTest:
    """The ports over a database."""
    return StoreUnderTest(
        units=SqlUnits(database, LIMITS_KEY),
        limits=SqlLimits(database, LIMITS_KEY),
        purge=SqlPurge(database),
        outbox=SqlOutboxReport(database),
        hashes=SqlHashSample(database),
        peppers=SqlPepperCensus(database),
    )


def sqlite_url(file: Path) -> str:
    """How `SqliteDatabase` is told about a file."""
    return f"sqlite+aiosqlite:///{file}"


@asynccontextmanager
async def open_database(file: Path) -> AsyncIterator[SqliteDatabase]:
    """A file's `Database`, let go of afterwards."""
    database = SqliteDatabase(sqlite_url(file))
    try:
        yield database
    finally:
        await database.close()


_templates: list[bytes] = []


def fresh_file(folder: Path) -> Path:
    """A migrated, empty SQLite file. Migrated once and copied, because a hundred tests want one."""
    file = folder / "ostiary.sqlite3"
    if not _templates:
        with ThreadPoolExecutor(1) as thread:  # a thread of its own, as the caller's may have a running loop
            thread.submit(asyncio.run, _migrate(file)).result()
        _templates.append(file.read_bytes())
    file.write_bytes(_templates[0])
    return file


async def _migrate(file: Path) -> None:
    async with open_database(file) as database:
        await migrate(database)
