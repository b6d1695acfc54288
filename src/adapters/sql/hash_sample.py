"""A sample of the stored hashes."""

from sqlalchemy import select

from adapters.sql.database import Database
from adapters.sql.tables import accounts
from application.ports.hashing import SAMPLE
from domain.password import PasswordHash


class SqlHashSample:
    """`application.ports.hashing.HashSample`.

    The ids of accounts are random, so those with the smallest are nobody in particular, and stay the same ones: what
    is true of them changes as they sign in, and never to and fro by the luck of the draw.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self) -> list[PasswordHash]:
        statement = select(accounts.c.password_hash).order_by(accounts.c.id).limit(SAMPLE)
        async with self._database.reading() as connection:
            return [PasswordHash(encoded) for encoded in (await connection.execute(statement)).scalars()]
