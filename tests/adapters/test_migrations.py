"""What `adapters.sql.migrations` promises: the scripts, the tables and `HEAD` are one, and migrating is harmless."""

import asyncio
import re
import sqlite3
import subprocess
import sys
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from adapters.sql import migrations
from adapters.sql.migrations import HEAD, SCRIPTS, current_revision, migrate
from adapters.sql.tables import metadata
from domain.errors import Unavailable
from tests.support.store_kinds import open_database, over, sqlite_url
from tests.support.store_samples import NOW, a_sign_up, charge, wait_in_line

pytestmark = pytest.mark.usefixtures("no_threads_left")

MIGRATE = """
import asyncio, sys
from adapters.sql.sqlite import SqliteDatabase
from adapters.sql.migrations import migrate

async def main():
    database = SqliteDatabase(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        await migrate(database)
    finally:
        await database.close()

asyncio.run(main())
"""


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return ScriptDirectory.from_config(config)


def schema_of(file: Path) -> list[tuple[str, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()


def test_the_revision_the_program_works_with_is_the_newest_script() -> None:
    assert scripts().get_heads() == [HEAD]


def test_the_scripts_are_one_line_from_nothing_to_the_newest() -> None:
    assert scripts().get_bases() == [script.revision for script in scripts().walk_revisions()][-1:]
    assert all(not script.is_branch_point and not script.is_merge_point for script in scripts().walk_revisions())


def test_an_index_on_a_table_that_is_there_may_be_built_beforehand_and_the_changelog_says_so() -> None:
    changelog = (Path(__file__).parents[2] / "CHANGELOG.md").read_text()
    for script in sorted((SCRIPTS / "versions").glob("0*.py"))[3:]:  # those before it, nobody has still to run
        text = script.read_text()
        new = set(re.findall(r'create_table\(\s*"(\w+)"', text))
        for name, table, rest in re.findall(r'create_index\(\s*"(\w+)", "(\w+)", ([^\n]*)', text):
            if table not in new:
                assert "if_not_exists=True" in rest, name
                assert f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON ostiary.{table}" in changelog


async def test_a_migrated_database_is_exactly_what_the_tables_say(tmp_path: Path) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with open_database(tmp_path / "file") as database:
        await migrate(database)
        async with database.reading() as connection:
            assert await connection.run_sync(differences) == []


async def test_the_comparison_with_the_tables_is_not_blind(tmp_path: Path) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with open_database(tmp_path / "file") as database:
        await migrate(database)
        async with database.writing() as transaction:
            await transaction.connection.execute(text("DROP INDEX ix_letters_done_at"))
            await transaction.connection.execute(text("ALTER TABLE users ADD COLUMN shoe_size INTEGER"))
            await transaction.commit()
        async with database.reading() as connection:
            assert len(await connection.run_sync(differences)) == 2


async def test_every_constraint_of_the_tables_is_in_the_migrated_database(tmp_path: Path) -> None:
    """Autogenerate is blind to some; the two ways to make the schema are compared by what SQLite holds."""
    async with open_database(tmp_path / "migrated") as database:
        await migrate(database)
    async with open_database(tmp_path / "created") as database, database.writing() as transaction:
        await transaction.connection.run_sync(metadata.create_all)
        await transaction.commit()

    def parts(file: Path) -> dict[str, set[str]]:
        return {
            name: {line.strip() for line in re.split(r",(?![^(]*\))|\n", sql or "")}
            for _, name, sql in schema_of(file)
            if not name.startswith(("sqlite_", "alembic"))
        }

    assert parts(tmp_path / "migrated") == parts(tmp_path / "created")


async def test_a_database_that_was_never_migrated_has_no_revision(tmp_path: Path) -> None:
    async with open_database(tmp_path / "file") as database:
        assert await current_revision(database) is None
        await migrate(database)
        assert await current_revision(database) == HEAD


async def test_migrating_twice_is_harmless(tmp_path: Path) -> None:
    async with open_database(tmp_path / "file") as database:
        await migrate(database)
        await wait_in_line(over(database).units, a_sign_up())
        await over(database).limits.spend([charge("ada", 5)], NOW)
        before = schema_of(tmp_path / "file")
        await migrate(database)
    assert schema_of(tmp_path / "file") == before
    with closing(sqlite3.connect(tmp_path / "file")) as connection:
        assert connection.execute("SELECT count(*) FROM sign_ups").fetchone() == (1,)
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]


async def test_migrating_is_harmless_when_it_finds_itself_migrated_behind_its_back(tmp_path: Path) -> None:
    """What two that start together come to: both saw no schema, and one was faster."""
    async with open_database(tmp_path / "file") as database:
        await migrate(database)
        async with database.writing() as transaction:
            await transaction.connection.run_sync(migrations._upgrade)
            await transaction.commit()
        assert await current_revision(database) == HEAD


@pytest.mark.parametrize("attempt", range(10))
async def test_several_who_migrate_one_new_file_at_once_all_succeed(tmp_path: Path, attempt: int) -> None:
    async with AsyncExitStack() as stack:
        databases = [await stack.enter_async_context(open_database(tmp_path / "file")) for _ in range(4)]
        await asyncio.gather(*map(migrate, databases))
        assert [await current_revision(database) for database in databases] == [HEAD] * 4


def test_two_processes_that_migrate_one_new_file_at_once_both_succeed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MIGRATE, sqlite_url(tmp_path / "file")]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    endings = [(process.communicate(timeout=30)[1], process.returncode) for process in processes]
    assert endings == [("", 0), ("", 0)]


async def test_who_meets_another_at_the_birth_of_a_file_waits_for_it(tmp_path: Path) -> None:
    """The switch to WAL is not covered by SQLite's own waiting: two that start at once would lose one of them."""
    with closing(sqlite3.connect(tmp_path / "file", isolation_level=None)) as other:
        other.execute("CREATE TABLE newborn (name)")
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(0.1, other.execute, "ROLLBACK")
        async with open_database(tmp_path / "file") as database:
            await migrate(database)
            assert await current_revision(database) == HEAD


async def test_an_interrupted_migration_leaves_nothing_and_is_simply_repeated(tmp_path: Path) -> None:
    async with open_database(tmp_path / "file") as database:
        async with database.writing() as transaction:
            await transaction.connection.run_sync(migrations._upgrade)
            await transaction.connection.rollback()
        assert await current_revision(database) is None
        await migrate(database)
        assert await current_revision(database) == HEAD


async def test_a_file_that_is_no_database_is_unavailable_to_a_migration(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"this is no database")
    async with open_database(tmp_path / "file") as database:
        with pytest.raises(Unavailable):
            await migrate(database)
