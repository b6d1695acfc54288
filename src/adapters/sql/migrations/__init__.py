"""The schema's history, by Alembic. `HEAD` is checked against the scripts by a test."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from adapters.sql.database import Database

HEAD = "0001"
"""The revision this program works with."""


async def current_revision(database: Database) -> str | None:
    """The revision the database is at; None when it has never been migrated."""
    async with database.reading() as connection:
        if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
            return None
        return str(await connection.scalar(text("SELECT version_num FROM alembic_version")))


async def migrate(database: Database) -> None:
    """Bring the schema to `HEAD`; does nothing when it is there. Two at once wait for each other."""
    await database.use_wal()
    if await current_revision(database) == HEAD:
        return
    async with database.writing() as transaction:
        await transaction.connection.run_sync(_upgrade)
        await transaction.commit()


def _upgrade(connection: Connection) -> None:
    # Alembic is imported here because a start that has nothing to migrate need not wait for it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
