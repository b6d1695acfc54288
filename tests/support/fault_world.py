"""Ostiary over a real database whose statements fail on command, and a look at it from outside."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError

from adapters.hashing.slots import HashingSlots
from adapters.sql.database import Database, store_troubles
from adapters.sql.hash_sample import SqlHashSample
from adapters.sql.limits import SqlLimits
from adapters.sql.outbox_report import SqlOutboxReport
from adapters.sql.pepper_census import SqlPepperCensus
from adapters.sql.postgresql import PostgresqlDatabase, PostgresqlServer
from adapters.sql.purge import SqlPurge
from adapters.sql.sqlite import SqliteDatabase
from adapters.sql.units_of_work import SqlUnits
from domain.limits import Quotas
from entrypoints.composition import Replacements, Store, compose
from entrypoints.composition.stores import schema_fits
from entrypoints.settings import read_settings
from tests.support import postgresql
from tests.support.clock import SettableClock
from tests.support.hashing import quick_keyring
from tests.support.mail import Mailbox
from tests.support.store_kinds import LIMITS_KEY, fresh_file, sqlite_url
from tests.support.world import Events, World

WIDE = {f"OSTIARY_LIMIT_{quota.name.upper()}": "100/1h" for quota in fields(Quotas)}
"""Limits that are counted, as in life, and wide enough for a hundred interruptions."""


class Mishap(Enum):
    """What goes wrong at the chosen step."""

    ONCE = "the store refuses one statement"
    FROM_THEN_ON = "the store is gone until it is restarted"
    ANSWER_LOST = "a commit is done and its answer lost"


class Saboteur:
    """Counts statements and commits of a database as steps, and makes the chosen one fail."""

    def __init__(self, database: Database) -> None:
        self._left: int | None = None
        self._mishap = Mishap.ONCE
        self.struck = False
        if isinstance(database, SqliteDatabase):
            engines = [database.writer, database.readers]
        else:
            assert isinstance(database, PostgresqlDatabase)
            engines = [database.engine]
            # The short road goes by no engine.
            setattr(database, "row", self._guarded(database.row))  # noqa: B010
            setattr(database, "whole", self._guarded_write(database.whole))  # noqa: B010
        for engine in engines:
            event.listen(engine.sync_engine, "before_cursor_execute", self._at_statement)
            event.listen(engine.sync_engine, "commit", self._at_commit)

    @contextmanager
    def armed(self, step: int, mishap: Mishap) -> Iterator[None]:
        """Strike at the `step`-th step (counted from 1) of what happens in the block."""
        self._left, self._mishap, self.struck = step, mishap, False
        try:
            yield
        finally:
            self._left = None

    def _at_statement(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if self._mishap is not Mishap.ANSWER_LOST and self._strikes():
            raise self._trouble(statement)

    def _guarded(self, row: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def guarded(statement: Any, **parameters: object) -> Any:
            with store_troubles():
                self._at_statement(None, None, str(statement))
            return await row(statement, **parameters)

        return guarded

    def _guarded_write(self, whole: Callable[..., Awaitable[bool]]) -> Callable[..., Awaitable[bool]]:
        async def guarded(statement: Any, *rest: Any) -> bool:
            with store_troubles():
                self._at_statement(None, None, str(statement))
                if self._strikes():
                    if self._mishap is Mishap.ANSWER_LOST:
                        await whole(statement, *rest)
                    raise self._trouble("COMMIT")
            return await whole(statement, *rest)

        return guarded

    def _at_commit(self, connection: Connection) -> None:
        if not self._strikes():
            return
        if self._mishap is Mishap.ANSWER_LOST:
            connection.connection.commit()
        else:
            connection.connection.rollback()  # as a database does itself when a commit meets a full or failing disk
        raise self._trouble("COMMIT")

    def _strikes(self) -> bool:
        if self._left is None:
            return False
        self._left -= 1
        now = self._left == 0 or (self._left < 0 and self._mishap is Mishap.FROM_THEN_ON)
        self.struck = self.struck or now
        return now

    @staticmethod
    def _trouble(statement: str) -> OperationalError:
        return OperationalError(statement, None, sqlite3.OperationalError("disk I/O error"))


class FaultyWorld(World):
    """A world with a saboteur in it, and somebody who looks at the database on their own."""

    def __init__(self, world: World, saboteur: Saboteur, ask: Callable[[str], Any]) -> None:
        super().__init__(world.ostiary, world.clock, world.mailbox, world.events)
        self.saboteur = saboteur
        self._ask = ask

    def count(self, query: str, *parameters: object) -> int:
        """What a count says to somebody from outside."""
        return int(self._ask(_filled_in(query, parameters))[0][0])

    def execute(self, statement: str, *parameters: object) -> None:
        """What somebody else does to the database."""
        self._ask(_filled_in(statement, parameters))


def _filled_in(statement: str, parameters: tuple[object, ...]) -> str:
    """The addresses of a test need no care, and both databases read them like this."""
    for parameter in parameters:
        statement = statement.replace(
            "?", f"'{parameter}'" if isinstance(parameter, str) else str(parameter).upper(), 1
        )
    return statement


@contextmanager
def _on_sqlite(folder: Path) -> Iterator[tuple[Database, Callable[[str], Any]]]:
    file = fresh_file(folder)

    def ask(statement: str) -> list[Any]:
        with closing(sqlite3.connect(file)) as connection, connection:
            return connection.execute(statement).fetchall()

    yield SqliteDatabase(sqlite_url(file)), ask


@contextmanager
def _on_postgresql(_folder: Path) -> Iterator[tuple[Database, Callable[[str], Any]]]:
    with postgresql.empty_database() as url, postgresql.onlooker(url) as ask:
        ask("SET search_path = ostiary")
        # As behind a pooler, where every statement takes the road that the saboteur watches.
        server = PostgresqlServer(dsn=url, pooled=True)
        yield PostgresqlDatabase(server), ask


FAULTY = {"sqlite": _on_sqlite, "postgresql": _on_postgresql}
"""The databases that can be sabotaged."""


@asynccontextmanager
async def make_faulty_world(
    kind: str, folder: Path, variables: Mapping[str, str] | None = None
) -> AsyncIterator[FaultyWorld]:
    """Everything real but the mail and the clock."""
    settings = read_settings({"OSTIARY_DATA_DIR": str(folder), **WIDE, **(variables or {})}, dotenv=None)
    clock, mailbox, events, slots = SettableClock(), Mailbox(), Events(), HashingSlots(2)
    with FAULTY[kind](folder) as (database, ask):
        store = Store(
            units=SqlUnits(database, LIMITS_KEY),
            limits=SqlLimits(database, LIMITS_KEY),
            purge=SqlPurge(database),
            hashes=SqlHashSample(database),
            peppers=SqlPepperCensus(database),
            pseudonym_key=LIMITS_KEY,
            outbox=SqlOutboxReport(database),
            ready=database.answers,
            schema_fits=lambda: schema_fits(database),
            connections=None,
        )
        replace = Replacements(
            store=store,
            clock=clock,
            hasher=quick_keyring(slots),
            mail_sender=mailbox,
            events=events,
        )
        saboteur = Saboteur(database)
        try:
            async with compose(settings, replace) as ostiary:
                yield FaultyWorld(World(ostiary, clock, mailbox, events), saboteur, ask)
        finally:
            slots.close()
            await database.close()
