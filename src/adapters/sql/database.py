"""Connections and transactions. Whatever goes wrong with the store becomes `Unavailable`, and nothing is half done."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Protocol

from sqlalchemy import Dialect, Select, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.dml import ReturningInsert

from application.ports.monitoring import ConnectionsInUse
from domain.errors import Unavailable

_MISTAKES = (IntegrityError, DataError, ProgrammingError)
"""Ours, where the driver knows no better."""

_OF_THE_STORE = frozenset({"42501", "42P01", "3F000"})
"""Not our statements' fault, although PostgreSQL has it so, but the store's: no rights, no table, no schema."""


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


class Database(Protocol):
    """One database and the ways into it. Each raises `Unavailable` when the store does not answer."""

    @property
    def dialect(self) -> Dialect:
        """Which SQL is spoken."""

    @property
    def schema(self) -> str | None:
        """Where the tables live; None where there are no schemas."""

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection for reads; each statement sees what is committed when it starts."""

    async def row(self, statement: Select[Any], **parameters: object) -> Mapping[str, Any] | None:
        """The one row of a statement that is asked again and again, by the shortest road there is."""

    async def whole(self, statement: ReturningInsert[Any], rows: int, parameters: Mapping[str, object]) -> bool:
        """Run one statement in a transaction of its own, kept only if it returns so many rows; whether it was kept.

        By the shortest road as well, and for what may be forgotten when the database's own machine crashes: counts.
        """

    def writing(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that is rolled back unless it is committed."""

    def migrating(self) -> AbstractAsyncContextManager[Transaction]:
        """The same for changes of the schema: one program at a time, the others wait."""

    async def answers(self) -> bool:
        """Whether a statement gets through."""

    @property
    def connections(self) -> ConnectionsInUse:
        """How busy this process' connections are."""

    async def close(self) -> None:
        """Let go of all connections."""


async def row_by(
    database: Database, statement: Select[Any], parameters: Mapping[str, object]
) -> Mapping[str, Any] | None:
    """`Database.row` by the usual road."""
    async with database.reading() as connection:
        result = await connection.execute(statement, parameters)
        found: Mapping[str, Any] | None = result.mappings().one_or_none()
        return found


async def whole_by(
    database: Database, statement: ReturningInsert[Any], rows: int, parameters: Mapping[str, object]
) -> bool:
    """`Database.whole` by the usual road."""
    async with database.writing() as transaction:
        if len((await transaction.connection.execute(statement, parameters)).all()) != rows:
            return False
        await transaction.commit()
        return True


@asynccontextmanager
async def writing_by(engine: AsyncEngine) -> AsyncIterator[Transaction]:
    """`Database.writing` on one of its engine's connections."""
    with store_troubles():
        async with engine.connect() as connection:
            # Begun, but not as a context of its own, which would commit: giving the connection back rolls back.
            await connection.begin()
            yield Transaction(connection)


async def answers_by(database: Database) -> bool:
    """`Database.answers` by the road that reads take."""
    try:
        async with database.reading() as connection:
            await connection.execute(text("SELECT 1"))
    except Unavailable:
        return False
    return True


@contextmanager
def store_troubles() -> Iterator[None]:
    """Say `Unavailable` for a store that is locked, full, read-only, broken or gone; pass mistakes of ours on."""
    try:
        yield
    except DBAPIError as trouble:
        sqlstate = getattr(trouble.orig, "sqlstate", None)
        if is_a_mistake_of_ours(sqlstate) if sqlstate else isinstance(trouble, _MISTAKES):
            raise
        raise Unavailable from trouble
    except (PoolTimeout, OSError) as trouble:
        # OSError, because a server that is gone is told by the socket, not by the driver.
        raise Unavailable from trouble


def is_a_mistake_of_ours(sqlstate: str | None) -> bool:
    """Whether PostgreSQL blames a value, a constraint or a statement, rather than itself or who keeps it."""
    return sqlstate is not None and sqlstate[:2] in ("22", "23", "42") and sqlstate not in _OF_THE_STORE
