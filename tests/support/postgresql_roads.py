"""The roads into a PostgreSQL database, and what an administrator, a network or a neighbour does meanwhile."""

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import bindparam, select

from adapters.sql.installation import installation_key
from adapters.sql.postgresql import PostgresqlDatabase
from adapters.sql.tables import sessions
from domain.email_address import EmailAddress
from domain.retention import Retention
from tests.support.postgresql import run
from tests.support.store_kinds import over
from tests.support.store_samples import NOW, a_sign_up, charge, wait_in_line

CANARY = EmailAddress("canary-3f9a@example.com")
PASSWORD = "canary-61c9"
SOON = timedelta(seconds=0.5)
"""Patience in a test: nobody waits longer for a connection."""

FIND_SESSION = select(sessions.c.id).where(sessions.c.id == bindparam("session_id"))


async def sign_up(database: PostgresqlDatabase) -> None:
    await wait_in_line(over(database).units, a_sign_up(email=CANARY))


async def spend(database: PostgresqlDatabase) -> None:
    await over(database).limits.spend([charge(CANARY.canonical, 500)], NOW)


async def purge(database: PostgresqlDatabase) -> None:
    await over(database).purge(NOW, 10, Retention())


async def key(database: PostgresqlDatabase) -> None:
    await installation_key(database, bytes(32))


async def proof_reading(database: PostgresqlDatabase) -> None:
    async with over(database).units.proof_reading() as unit:
        await unit.sign_ups.get(uuid4())


async def quick_read(database: PostgresqlDatabase) -> None:
    await database.row(FIND_SESSION, session_id=uuid4())


WRITES = [sign_up, spend, purge, key]
Way = Callable[[PostgresqlDatabase], Coroutine[Any, Any, None]]
each_write = pytest.mark.parametrize("write", WRITES, ids=lambda way: way.__name__)
ROADS = [sign_up, proof_reading, quick_read, spend]
each_way = pytest.mark.parametrize("way", ROADS, ids=lambda way: way.__name__)
"""The roads into the database: writing and reading, the usual way and the shortest."""


async def outside(url: str, *statements: str) -> list[Any]:
    """What an administrator does meanwhile."""
    return await asyncio.to_thread(run, url, *statements)


OURS = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'ostiary'"


async def connections(url: str) -> int:
    """How many connections of ours the server sees."""
    ((count,),) = await outside(url, f"SELECT count(*) {OURS}")
    return int(count)


async def until(reached: Callable[[], Awaitable[bool]], what: str) -> None:
    """Come back as soon as it is so."""
    deadline = time.monotonic() + 10
    while not await reached():
        assert time.monotonic() < deadline, f"waited in vain for {what}"


async def close_behind_our_back(url: str) -> None:
    """An administrator, a proxy or a failover ends every connection."""
    await outside(url, f"SELECT pg_terminate_backend(pid) {OURS}")

    async def gone() -> bool:
        return await connections(url) == 0

    await until(gone, "the connections to go")


@asynccontextmanager
async def locked(url: str, table: str, mode: str = "ACCESS EXCLUSIVE") -> AsyncIterator[None]:
    """Somebody else holds a lock on a table."""
    other = await asyncpg.connect(url)
    try:
        async with other.transaction():
            await other.execute(f"LOCK TABLE ostiary.{table} IN {mode} MODE")
            yield
    finally:
        await other.close()


def everything_said_about(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__cause__) + str(error.__cause__)


async def blocked(url: str, count: int) -> None:
    """Wait until so many of our statements wait for a lock."""

    async def waiting() -> bool:
        ((found,),) = await outside(url, f"SELECT count(*) {OURS} AND wait_event_type = 'Lock'")
        return bool(found == count)

    await until(waiting, f"{count} statements to be held up")


class Wire:
    """What lies between us and the server: it can fall silent, as when a firewall forgot our connections."""

    def __init__(self, url: str) -> None:
        self._socket = Path(dict(parse_qsl(urlsplit(url).query))["host"]) / ".s.PGSQL.5432"
        self._copying: set[asyncio.Task[None]] = set()
        self._ends: list[asyncio.StreamWriter] = []

    def forget(self) -> None:
        """Nothing passes any more over the connections there are, and nobody is told."""
        for task in self._copying:
            task.cancel()

    def close(self) -> None:
        """Of course it all ends when the test does."""
        self.forget()
        for end in self._ends:
            end.close()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A new connection."""
        there_reader, there_writer = await asyncio.open_unix_connection(self._socket)
        self._ends += writer, there_writer
        for source, sink in ((reader, there_writer), (there_reader, writer)):
            task = asyncio.create_task(self._copy(source, sink))
            self._copying.add(task)
            task.add_done_callback(self._copying.discard)

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
        sink.close()


@asynccontextmanager
async def wire_to(url: str, folder: Path) -> AsyncIterator[tuple[Wire, str]]:
    """A wire, and the URL that leads over it."""
    wire = Wire(url)
    listening = await asyncio.start_unix_server(wire.carry, folder / ".s.PGSQL.5432")
    async with listening:
        yield wire, urlsplit(url)._replace(query=urlencode({"host": str(folder)})).geturl()
        wire.close()
