"""Mailed one-time tokens, by digest."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import accounts, letters, one_time_tokens
from adapters.sql.users import CREDENTIAL
from domain.email_address import EmailAddress
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
                user_id=token.user_id,
                credential_version=token.credential_version,
                email=token.email.canonical if token.email else None,
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
            user_id=row["user_id"],
            credential_version=row["credential_version"],
            email=EmailAddress(row["email"]) if row["email"] is not None else None,
            superseded=bool(row["superseded"]),
        )

    async def forget(self, user_id: UUID) -> None:
        whose = or_(one_time_tokens.c.user_id == user_id, one_time_tokens.c.subject_id == user_id)
        await self._connection.execute(delete(one_time_tokens).where(whose))

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
    """The request supersedes: a newer letter of the same purpose and subject voids every token asked for before it,
    and so does a newer credential than it was asked for under."""
    newer_letter = exists().where(
        letters.c.subject_id == one_time_tokens.c.subject_id,
        letters.c.purpose == one_time_tokens.c.purpose,
        letters.c.created_at > one_time_tokens.c.requested_at,
    )
    same_credential = exists().where(
        accounts.c.user_id == one_time_tokens.c.user_id,
        accounts.c.provider_id == CREDENTIAL,
        accounts.c.credential_version == one_time_tokens.c.credential_version,
    )
    return or_(newer_letter, and_(one_time_tokens.c.credential_version.is_not(None), ~same_credential))
