"""From one version to the next: who may start on which schema, and what a migration does to those who are served."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import asyncpg
import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from adapters.sql.migrations import HEAD, SchemaMismatch, check_schema, current_revision, migrate
from adapters.sql.tables import metadata
from domain.errors import Unavailable
from entrypoints.store_trouble import in_its_words
from tests.support import postgresql
from tests.support.http_mail import MailServer, run_mail_server
from tests.support.http_requests import run_command
from tests.support.next_version import NEXT, Installation, contracted, new_installation, next_version, run
from tests.support.promises import Promises, live_a_life
from tests.support.server import Server, run_server

pytestmark = pytest.mark.usefixtures("no_threads_left")

CROWD = 4
SERIALS = count()


@pytest.fixture(params=["sqlite", "postgresql"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """A database that was never migrated, of each kind."""
    with new_installation(request.param, tmp_path) as installation:
        yield installation


@pytest.fixture
def on_postgresql(tmp_path: Path) -> Iterator[Installation]:
    with new_installation("postgresql", tmp_path) as installation:
        yield installation


# -- Who may start --


async def test_a_database_without_tables_or_behind_is_refused_by_a_sentence_that_says_what_to_do(
    new: Installation,
) -> None:
    async with new.opened() as database:
        with pytest.raises(SchemaMismatch, match="no tables yet; run `ostiary migrate` first"):
            await check_schema(database)
        await migrate(database)
        await check_schema(database)
        await run(database, "UPDATE ~alembic_version SET version_num = '0000'")
        with pytest.raises(SchemaMismatch, match=f"schema 0000, behind {HEAD}; run `ostiary migrate` first"):
            await check_schema(database)


async def test_a_newer_schema_that_only_expanded_is_accepted_and_left_as_it_is(new: Installation) -> None:
    async with new.opened() as database:
        await migrate(database)
        with next_version(new.folder):
            assert await migrate(database) == NEXT
        await check_schema(database)
        assert await migrate(database) == NEXT, "nothing is taken back"


async def test_a_newer_schema_that_contracted_is_refused_unless_this_version_is_new_enough_for_it(
    new: Installation,
) -> None:
    async with new.opened() as database:
        await migrate(database)
        with next_version(new.folder):
            await migrate(database)
        await contracted(database, oldest=HEAD)
        await check_schema(database)
        await run(database, "DELETE FROM ~installation")
        await contracted(database, oldest=NEXT)
        for refusing in (check_schema, migrate):
            with pytest.raises(SchemaMismatch, match="cannot work with any more"):
                await refusing(database)


def test_the_service_does_not_migrate_a_server_by_itself_and_says_who_does(on_postgresql: Installation) -> None:
    variables = {**on_postgresql.variables, "OSTIARY_PORT": "0"}
    refused = run_command("serve", folder=on_postgresql.folder, variables=variables)
    assert refused.returncode == 2
    assert refused.stderr == "The database has no tables yet; run `ostiary migrate` first.\n"
    migrated = run_command("migrate", folder=on_postgresql.folder, variables=variables)
    assert (migrated.returncode, migrated.stdout) == (0, f"The database is at schema revision {HEAD}.\n")
    with run_server(on_postgresql.folder, on_postgresql.variables) as server:
        assert httpx.get(f"{server.url}/health/ready").status_code == 200


# -- Migrating --


async def test_a_migrated_server_is_exactly_what_the_tables_say() -> None:
    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with postgresql.open_database() as database:
        async with database.migrating() as transaction:
            assert await transaction.connection.run_sync(differences) == []
        await run(database, "DROP INDEX ostiary.ix_letters_done_at", "ALTER TABLE ~users ADD shoe_size INTEGER")
        async with database.migrating() as transaction:
            assert len(await transaction.connection.run_sync(differences)) == 2, "the comparison is not blind"


async def test_every_constraint_of_the_tables_is_on_the_migrated_server() -> None:
    """Autogenerate is blind to some; the two ways to make the schema are compared by what the server holds."""
    parts = """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = '{schema}'::regnamespace
        UNION SELECT tablename, indexname, replace(indexdef, '{schema}.', '') FROM pg_indexes
        WHERE schemaname = '{schema}'
        UNION SELECT table_name, column_name, concat_ws(' ', data_type, is_nullable, character_maximum_length)
        FROM information_schema.columns WHERE table_schema = '{schema}'
    """
    with postgresql.fresh_database() as url:
        async with postgresql.open_database(url, schema="created") as database:
            await run(database, "CREATE SCHEMA created")
            async with database.writing() as transaction:
                await transaction.connection.run_sync(metadata.create_all)
                await transaction.commit()
        found = {
            schema: {
                tuple(value.replace(f"{schema}.", "") for value in row)
                for row in postgresql.run(url, f"SET search_path = {schema}", parts.format(schema=schema))
                if row[0] != "alembic_version"
            }
            for schema in ("ostiary", "created")
        }
    assert found["ostiary"] == found["created"]
    assert len(found["ostiary"]) > 50


def test_four_programs_that_migrate_one_new_server_at_once_all_succeed(on_postgresql: Installation) -> None:
    with ThreadPoolExecutor(4) as at_once:
        attempts = [
            at_once.submit(run_command, "migrate", folder=on_postgresql.folder, variables=on_postgresql.variables)
            for _ in range(4)
        ]
        endings = [(attempt.result().returncode, attempt.result().stderr) for attempt in attempts]
    assert endings == [(0, "")] * 4


@pytest.mark.parametrize("attempt", range(5))
async def test_four_that_migrate_at_the_same_moment_all_succeed(new: Installation, attempt: int) -> None:
    async with new.opened() as one, new.opened() as two, new.opened() as three, new.opened() as four:
        assert await asyncio.gather(*map(migrate, (one, two, three, four))) == [HEAD] * 4


async def test_a_migration_that_fails_on_its_way_leaves_nothing_and_is_simply_repeated(new: Installation) -> None:
    async with new.opened() as database:
        await migrate(database)
        with (
            next_version(new.folder, '\n    op.create_table("shoes", sa.Column("size", sa.Integer()))\n    1 / 0\n'),
            pytest.raises(ZeroDivisionError),
        ):
            await migrate(database)
        assert await current_revision(database) == HEAD
        assert "shoes" not in await tables(database)
        with next_version(new.folder):
            assert await migrate(database) == NEXT
        assert "shoes" in await tables(database)


async def tables(database: object) -> set[str]:
    """The names of all tables."""

    def look(connection: Connection) -> set[str]:
        return set(inspect(connection).get_table_names(schema=database.schema))  # type: ignore[attr-defined]

    async with database.reading() as connection:  # type: ignore[attr-defined]
        found: set[str] = await connection.run_sync(look)
    return found


# -- Under traffic --


@contextmanager
def served_under_load(server: Server, mail: MailServer) -> Iterator[Promises]:
    """People live their lives meanwhile, and whatever is not granted to one of them fails the test."""
    promises, over = Promises(), threading.Event()

    def live_on() -> None:
        while not over.is_set():
            live_a_life(server, mail, promises, SERIALS)

    with ThreadPoolExecutor(CROWD) as crowd:
        lives = [crowd.submit(live_on) for _ in range(CROWD)]
        try:
            promises.wait_for_answers(CROWD)
            yield promises
            promises.wait_for_answers(5 * CROWD)
        finally:
            over.set()
            wait(lives)
        for life in lives:
            life.result()


def migrate_to_next(installation: Installation) -> str:
    async def run_migrations() -> str:
        async with installation.opened() as database:
            return await migrate(database)

    with next_version(installation.folder):
        return asyncio.run(run_migrations())


def test_an_expanding_migration_under_traffic_fails_no_request_and_the_old_version_restarts_on_it(
    new: Installation,
) -> None:
    assert run_command("migrate", folder=new.folder, variables=new.variables).returncode == 0
    with run_mail_server() as mail:
        variables = {**new.variables, **mail.variables}
        with run_server(new.folder, variables) as server:
            with served_under_load(server, mail) as promises:
                if "DATABASE_URL" in variables:  # an index for a large table is built beforehand, as the notes say
                    index = "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_letters_shoe ON ostiary.letters (attempts)"
                    postgresql.run(variables["DATABASE_URL"], index)
                assert migrate_to_next(new) == NEXT
            assert promises.answers >= 6 * CROWD
            assert "unavailable" not in server.log.read_text()
        with run_server(new.folder, variables) as server, served_under_load(server, mail):
            pass


def test_a_migration_that_meets_a_long_transaction_gives_up_in_a_sentence_and_fails_nobody_else(
    on_postgresql: Installation,
) -> None:
    assert run_command("migrate", folder=on_postgresql.folder, variables=on_postgresql.variables).returncode == 0
    with run_mail_server() as mail:
        variables = {**on_postgresql.variables, **mail.variables}
        with run_server(on_postgresql.folder, variables) as server, served_under_load(server, mail):
            with in_a_long_transaction(variables["DATABASE_URL"]):
                started = time.monotonic()
                with pytest.raises(Unavailable) as gave_up:
                    migrate_to_next(on_postgresql)
                assert time.monotonic() - started < 10
            assert "somebody else's is in the way; nothing was changed" in in_its_words(gave_up.value)
            assert migrate_to_next(on_postgresql) == NEXT


@contextmanager
def in_a_long_transaction(url: str) -> Iterator[None]:
    """A report, a dump, a forgotten terminal: somebody has read from the users and not finished."""
    began, end = threading.Event(), threading.Event()

    async def stay() -> None:
        connection = await asyncpg.connect(url)
        async with connection.transaction():
            await connection.execute("SELECT count(*) FROM ostiary.users")
            began.set()
            await asyncio.to_thread(end.wait)
        await connection.close()

    with ThreadPoolExecutor(1) as thread:
        staying = thread.submit(asyncio.run, stay())
        began.wait(10)
        try:
            yield
        finally:
            end.set()
            staying.result()
