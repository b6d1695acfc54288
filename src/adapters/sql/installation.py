"""Keys that belong to this installation's data and must outlive any change of the master secret (DESIGN section 3)."""

from sqlalchemy import select

from adapters.sql.database import Database
from adapters.sql.tables import installation
from adapters.sql.upsert import upsert

_KEY = "pseudonym_key"


async def installation_key(database: Database, fresh: bytes) -> bytes:
    """The key stored by whoever came first; `fresh` is stored when nobody has."""
    async with database.writing() as transaction:
        insert = upsert(transaction.connection, installation).values(name=_KEY, value=fresh)
        await transaction.connection.execute(insert.on_conflict_do_nothing())
        stored = await transaction.connection.scalar(select(installation.c.value).where(installation.c.name == _KEY))
        await transaction.commit()
    return bytes(stored or b"")
