"""The version that was given out first, as far as its schema goes: how its databases look, and what it writes."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, insert, inspect

from adapters.sql import migrations
from adapters.sql.database import Database
from adapters.sql.tables import metadata

FIRST = "0001"
_OCCASION = '        sa.Column("occasion", sa.String(length=32), nullable=False),\n'
_PURPOSE = '        sa.Column("purpose", sa.String(length=32), nullable=False),\n'


@contextmanager
def first_version(folder: Path, *, purposeful: bool) -> Iterator[None]:
    """While the block runs, this process migrates as the first version did: for a while its letters had a purpose."""
    scripts = folder / "first"
    shutil.copytree(migrations.SCRIPTS, scripts, dirs_exist_ok=True)
    for script in (scripts / "versions").glob("*.py"):
        if not script.name.startswith(FIRST):
            script.unlink()
        elif purposeful:
            text = script.read_text()
            assert text.count(_OCCASION) == 1
            script.write_text(text.replace(_OCCASION, _OCCASION + _PURPOSE))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "SCRIPTS", scripts)
        patch.setattr(migrations, "HEAD", FIRST)
        yield


async def tables_of(database: Database) -> dict[str, Table]:
    """The tables there are now, with the columns there are now: a program that knows these names no others."""

    def look(connection: Connection) -> dict[str, list[str]]:
        inspector = inspect(connection)
        names = [name for name in inspector.get_table_names(schema=database.schema) if name in metadata.tables]
        return {name: [each["name"] for each in inspector.get_columns(name, database.schema)] for name in names}

    async with database.reading() as connection:
        known = await connection.run_sync(look)
    return {
        name: Table(name, MetaData(), *(Column(each, metadata.tables[name].c[each].type) for each in columns))
        for name, columns in known.items()
    }


async def write_rows(database: Database, tables: Mapping[str, Table], rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Insert one row into each table, naming the columns that the version knows and no others."""
    async with database.writing() as transaction:
        for name, values in rows.items():
            known = {column: value for column, value in values.items() if column in tables[name].c}
            assert len(known) == len(tables[name].c), name
            await transaction.connection.execute(insert(tables[name]).values(known))
        await transaction.commit()
