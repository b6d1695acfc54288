"""Counting the stored hashes by their make."""

import string

from sqlalchemy import ColumnElement, case, func, or_, select

from adapters.sql.database import Database
from adapters.sql.tables import accounts
from application.ports.hashing import HashShare
from domain.password import PasswordHash

_MOST_SHARES = 256
"""Makes are few. Hashes whose make cannot be told from their salt would be as many as people."""

_PART = string.ascii_letters + string.digits + "./+=,_-"
"""What salts and hashes are written in; between them stand other characters."""


class SqlHashCensus:
    """`application.ports.hashing.HashCensus`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self) -> list[HashShare]:
        number = func.count()
        statement = (
            select(number, func.min(accounts.c.password_hash))
            .group_by(_make(accounts.c.password_hash))
            .order_by(number.desc())
            .limit(_MOST_SHARES)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        return [HashShare(number, PasswordHash(example)) for number, example in rows]


def _make(encoded: ColumnElement[str]) -> ColumnElement[str]:
    """What stands before salt and hash: nearly every form has them last, and in this order."""
    without_hash = func.rtrim(encoded, _PART)
    return case(
        # bcrypt writes them as one, with the cost before them; phpass has the cost in one with them.
        (encoded.like("%$2_$__$%"), without_hash),
        (or_(encoded.like("$P$%"), encoded.like("$H$%")), func.substr(encoded, 1, 4)),
        else_=func.rtrim(func.rtrim(without_hash, "$:"), _PART),
    )
