"""Counting the stored hashes by their pepper."""

from collections import Counter
from datetime import datetime

from sqlalchemy import func, select, union_all

from adapters.hashing.pepper import LONGEST_ID, MARK, pepper_id_of
from adapters.sql.database import Database
from adapters.sql.tables import accounts, sign_ups

_MOST_IDS = 256
"""More than anybody has keys; rows that were written by hand may hold anything."""


class SqlPepperCensus:
    """`application.ports.hashing.PepperCensus`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, now: datetime) -> dict[str, int]:
        waiting = select(sign_ups.c.password_hash).where(sign_ups.c.expires_at > now)
        stored = union_all(select(accounts.c.password_hash), waiting).subquery()
        # As far as the end of the longest id; after a shorter one, what every hash of the kind goes on with.
        beginning, number = func.substr(stored.c.password_hash, 1, len(MARK) + LONGEST_ID + 1), func.count()
        statement = (
            select(beginning, number)
            .where(func.substr(stored.c.password_hash, 1, len(MARK)) == MARK)
            .group_by(beginning)
            .order_by(number.desc())
            .limit(_MOST_IDS)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).all()
        counts: Counter[str] = Counter()
        for text, of_it in rows:
            if (pepper_id := pepper_id_of(text)) is not None:
                counts[pepper_id] += of_it
        return dict(counts)
