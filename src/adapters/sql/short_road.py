"""What is asked again and again, by the shortest road: compiled once by SQLAlchemy, run by asyncpg itself."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.database import is_a_mistake_of_ours
from domain.errors import Unavailable

_IDLE_SECONDS = 10.0
"""A connection that lay unused for longer is not relied on: it would have to be asked first whether it still lives."""


class ShortRoad:
    """A third of the usual time, for what each request of a signed-in caller and each sign-in asks (DESIGN section 9).

    Its connections come back as they went, in no transaction and without settings, so there is nothing to reset: the
    driver's own pool would take as long as the statement. `patience` is for a connection, and for an answer.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable["asyncpg.Connection[asyncpg.Record]"]],
        engine: AsyncEngine,
        *,
        connections: int,
        patience: timedelta,
    ) -> None:
        self._connect = connect
        self._engine = engine
        self._seconds = patience.total_seconds()
        self._idle: list[tuple[asyncpg.Connection[asyncpg.Record], float]] = []
        self._turns = asyncio.Semaphore(connections)
        self.in_use = 0
        self._compiled: dict[Executable, tuple[str, Mapping[str, object]]] = {}

    async def row(self, statement: Executable, parameters: Mapping[str, object]) -> Mapping[str, Any] | None:
        """`adapters.sql.database.Database.row`."""
        sql, constants = self._compiled.get(statement) or self._compile(statement)
        async with self._connection() as connection:
            found: Mapping[str, Any] | None = await connection.fetchrow(
                sql, *{**constants, **parameters}.values(), timeout=self._seconds
            )
        return found

    async def whole(self, statement: Executable, rows: int, parameters: Mapping[str, object]) -> bool:
        """`adapters.sql.database.Database.whole`."""
        sql, constants = self._compiled.get(statement) or self._compile(statement)
        async with self._connection() as connection:
            # Others see it at once. Only a crash of the server may take it back: no reason to wait for its disk.
            await connection.execute("BEGIN; SET LOCAL synchronous_commit = off", timeout=self._seconds)
            returned = await connection.fetch(sql, *{**constants, **parameters}.values(), timeout=self._seconds)
            done = len(returned) == rows
            await connection.execute("COMMIT" if done else "ROLLBACK", timeout=self._seconds)
        return done

    async def close(self) -> None:
        """Let go of the connections."""
        while self._idle:
            connection, _ = self._idle.pop()
            await connection.close(timeout=self._seconds)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        try:
            async with asyncio.timeout(self._seconds if self._turns.locked() else None):
                await self._turns.acquire()
            self.in_use += 1
            try:
                connection = await self._living()
                try:
                    yield connection
                except BaseException:  # whoever goes away in the middle leaves something behind
                    connection.terminate()
                    raise
                self._idle.append((connection, time.monotonic()))
            finally:
                self.in_use -= 1
                self._turns.release()
        except asyncpg.PostgresError as trouble:
            if is_a_mistake_of_ours(trouble.sqlstate):
                raise
            raise Unavailable from trouble
        except (asyncpg.InterfaceError, OSError) as trouble:
            if isinstance(trouble, asyncpg.DataError):  # the driver will not send such a value
                raise
            raise Unavailable from trouble

    async def _living(self) -> "asyncpg.Connection[asyncpg.Record]":
        while self._idle:
            connection, used_at = self._idle.pop()
            if not connection.is_closed():
                if time.monotonic() - used_at <= _IDLE_SECONDS:
                    return connection
                connection.terminate()
        return await self._connect()

    def _compile(self, statement: Executable) -> tuple[str, Mapping[str, object]]:
        """The SQL, and its parameters in order with the values of those that never change."""
        translation = self._engine.get_execution_options()["schema_translate_map"]
        compiled: Any = statement.compile(  # type: ignore[attr-defined]
            dialect=self._engine.dialect, schema_translate_map=translation, render_schema_translate=True
        )
        self._compiled[statement] = compiled.string, {name: compiled.params[name] for name in compiled.positiontup}
        return self._compiled[statement]
