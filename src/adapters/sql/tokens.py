"""Mailed one-time tokens, by digest."""

from datetime import datetime

from sqlalchemy import ColumnElement, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import letters, one_time_tokens
from domain.one_time_token import OneTimeToken, Purpose


class SqlTokens:
    """`application.ports.collections.Tokens`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, token: OneTimeToken) -> None:
        await self._connection.execute(
            insert(one_time_tokens).values(
                digest=token.digest,
                purpose=token.purpose.value,
                subject_id=token.subject_id,
                requested_at=token.requested_at,
                expires_at=token.expires_at,
                used_at=token.used_at,
            )
        )

    async def find(self, digest: bytes, purpose: Purpose) -> OneTimeToken | None:
        statement = select(one_time_tokens, _superseded().label("superseded")).where(
            one_time_tokens.c.digest == digest, one_time_tokens.c.purpose == purpose.value
        )
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        if row is None:
            return None
        return OneTimeToken(
            digest=row["digest"],
            purpose=Purpose(row["purpose"]),
            subject_id=row["subject_id"],
            requested_at=row["requested_at"],
            expires_at=row["expires_at"],
            used_at=row["used_at"],
            superseded=bool(row["superseded"]),
        )

    async def spend(self, digest: bytes, purpose: Purpose, now: datetime) -> bool:
        statement = (
            update(one_time_tokens)
            .where(
                one_time_tokens.c.digest == digest,
                one_time_tokens.c.purpose == purpose.value,
                one_time_tokens.c.used_at.is_(None),
                one_time_tokens.c.expires_at > now,
                ~_superseded(),
            )
            .values(used_at=now)
        )
        return (await self._connection.execute(statement)).rowcount == 1


def _superseded() -> ColumnElement[bool]:
    """The request supersedes: a newer letter of the same purpose and subject voids every token asked for before it."""
    return exists().where(
        letters.c.subject_id == one_time_tokens.c.subject_id,
        letters.c.purpose == one_time_tokens.c.purpose,
        letters.c.created_at > one_time_tokens.c.requested_at,
    )
