"""The version after this one, as far as its schema goes: what comes here, and what must get along with it."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from adapters.sql import migrations
from adapters.sql.database import Database
from adapters.sql.tables import installation
from tests.support import postgresql
from tests.support.store_kinds import open_database, settings_of

NEXT = "9999"

EXPANDING = """
    op.add_column("users", sa.Column("shoe_size", sa.Integer(), nullable=True))
    op.create_table("shoes", sa.Column("size", sa.Integer(), primary_key=True))
    op.create_index("ix_letters_shoe", "letters", ["attempts"], if_not_exists=True)
"""
"""A new column that may be empty, a new table, a new index: what the version before can live with."""


@contextmanager
def next_version(folder: Path, upgrade: str = EXPANDING) -> Iterator[None]:
    """While the block runs, this process migrates as the next version would; programs it starts are this one still."""
    scripts = folder / "next"
    shutil.copytree(migrations.SCRIPTS, scripts, dirs_exist_ok=True)
    head = f'import sqlalchemy as sa\nfrom alembic import op\nrevision, down_revision = "{NEXT}", "{migrations.HEAD}"\n'
    (scripts / "versions" / "9999_next.py").write_text(f"{head}\ndef upgrade():{upgrade}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "SCRIPTS", scripts)
        patch.setattr(migrations, "HEAD", NEXT)
        yield


@dataclass(frozen=True, kw_only=True)
class Installation:
    """A database that was never migrated, as a process is told of it, and as a test opens it."""

    folder: Path
    variables: dict[str, str]
    opened: Callable[[], AbstractAsyncContextManager[Database]]


@contextmanager
def new_installation(store: str, folder: Path) -> Iterator[Installation]:
    """On SQLite or PostgreSQL."""
    with settings_of(store, migrated=False) as variables:

        @asynccontextmanager
        async def opened() -> AsyncIterator[Database]:
            if "DATABASE_URL" in variables:
                async with postgresql.open_database(variables["DATABASE_URL"]) as database:
                    yield database
            else:
                (folder / "ostiary-data").mkdir(exist_ok=True)
                async with open_database(folder / "ostiary-data" / "ostiary.sqlite3") as file:
                    yield file

        yield Installation(folder=folder, variables=variables, opened=opened)


async def run(database: Database, *statements: str) -> None:
    """What somebody else's program does to the schema."""
    place = f"{database.schema}." if database.schema else ""
    async with database.writing() as transaction:
        for statement in statements:
            await transaction.connection.execute(text(statement.replace("~", place)))
        await transaction.commit()


async def contracted(database: Database, oldest: str) -> None:
    """A later version removed something, and says from which version on that is no harm."""
    async with database.writing() as transaction:
        statement = insert(installation).values(name=migrations.OLDEST_PROGRAM, value=oldest.encode())
        await transaction.connection.execute(statement)
        await transaction.commit()
