"""The schema's history, by Alembic. `HEAD` is checked against the scripts by a test.

The schema changes in steps that the version before can live with: expand, migrate, and in a later version contract
(docs/operate.md). A contracting step writes into `installation` which version is the oldest that still can.
"""

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

from adapters.sql.database import Database
from adapters.sql.tables import installation

HEAD = "0004"
"""The revision this program works with."""

SCRIPTS = Path(__file__).parent
"""Where the scripts are that lead there."""

OLDEST_PROGRAM = "oldest_program"
"""The name in `installation` under which a contracting step notes the oldest `HEAD` that can work with it."""

_versions = Table("alembic_version", MetaData(), Column("version_num", String(32)))


class SchemaMismatch(Exception):
    """This program cannot work with the database's schema; the message says who has to be brought up to date."""


async def current_revision(database: Database) -> str | None:
    """The revision the database is at; None when it has never been migrated."""
    async with database.reading() as connection:
        return await connection.run_sync(_revision, database.schema)


async def check_schema(database: Database) -> None:
    """Raises `SchemaMismatch` unless the schema is at `HEAD`, or ahead by steps that this program can live with."""
    revision = await current_revision(database)
    if revision is None:
        raise SchemaMismatch("The database has no tables yet; run `ostiary migrate` first.")
    if revision < HEAD:
        raise SchemaMismatch(f"The database is at schema {revision}, behind {HEAD}; run `ostiary migrate` first.")
    if revision > HEAD:
        async with database.reading() as connection:
            oldest = await connection.scalar(select(installation.c.value).where(installation.c.name == OLDEST_PROGRAM))
        if oldest is not None and oldest.decode() > HEAD:
            raise SchemaMismatch(
                f"The database is at schema {revision}, which this version cannot work with any more: it knows {HEAD}. "
                "Start the version that migrated it, or a newer one."
            )


async def migrate(database: Database) -> str:
    """Bring the schema to `HEAD`; returns the revision it is at then, which may be a later one. Does nothing where
    there is nothing to do. Two at once wait for each other. Raises `SchemaMismatch` as `check_schema` does."""
    if (await current_revision(database) or "") < HEAD:
        async with database.migrating() as transaction:
            if (await transaction.connection.run_sync(_revision, database.schema) or "") < HEAD:
                await transaction.connection.run_sync(_upgrade)
                await transaction.commit()
    await check_schema(database)
    return await current_revision(database) or HEAD


def _revision(connection: Connection, schema: str | None) -> str | None:
    if not inspect(connection).has_table(_versions.name, schema):
        return None
    return connection.scalar(select(_versions.c.version_num))


def _upgrade(connection: Connection) -> None:
    # Alembic is imported here because a start that has nothing to migrate need not wait for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
