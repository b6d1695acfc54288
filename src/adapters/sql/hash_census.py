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
        (encoded.like("scrypt$%"), _around_salt(without_hash)),
        # bcrypt writes them as one, with the cost before them; phpass has the cost in one with them.
        (encoded.like("%$2_$__$%"), without_hash),
        (or_(encoded.like("$P$%"), encoded.like("$H$%")), func.substr(encoded, 1, 4)),
        # One base64, of which the first twelve bytes are version, function, iterations and the salt's length.
        (encoded.like("$aspnet-identity-v3$%"), func.substr(encoded, 1, len("$aspnet-identity-v3$") + 16)),
        else_=func.rtrim(func.rtrim(without_hash, "$:"), _PART),
    )


def _around_salt(without_hash: ColumnElement[str]) -> ColumnElement[str]:
    """Of `scrypt$N$salt$r$p$`, as Django has it, all but the salt."""
    after_name = func.ltrim(func.ltrim(without_hash, _PART), "$")
    after_n = func.ltrim(func.ltrim(after_name, _PART), "$")
    after_salt = func.ltrim(after_n, _PART)
    before_salt = func.substr(without_hash, 1, func.length(without_hash) - func.length(after_n))
    return before_salt.concat(after_salt)
