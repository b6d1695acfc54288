"""Waiting sign-ups, and who holds which username."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import sign_ups, username_claims
from adapters.sql.upsert import upsert
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.limits import Unit
from domain.password import PasswordHash
from domain.sign_up import SignUpRequest
from domain.username import Username

_CLIENT_LIMIT = "sign_up_client"
"""The limit whose unit a sign-up carries."""


class SqlSignUps:
    """`application.ports.collections.SignUps`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, sign_up: SignUpRequest) -> None:
        await self._connection.execute(
            insert(sign_ups).values(
                id=sign_up.id,
                email=sign_up.email.canonical,
                name=sign_up.name.text if sign_up.name else None,
                username=sign_up.username.name if sign_up.username else None,
                fields=json.dumps(dict(sign_up.fields)),
                password_hash=sign_up.password_hash.encoded if sign_up.password_hash else None,
                cookie_digest=sign_up.cookie_digest,
                client_unit_key=sign_up.client_unit.key if sign_up.client_unit else None,
                client_unit_stamp=sign_up.client_unit.stamp if sign_up.client_unit else None,
                created_at=sign_up.created_at,
                expires_at=sign_up.expires_at,
                proven_at=sign_up.proven_at,
                locale=sign_up.locale,
            )
        )

    async def get(self, sign_up_id: UUID) -> SignUpRequest | None:
        statement = select(sign_ups).where(sign_ups.c.id == sign_up_id)
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return _sign_up_from(row) if row else None

    async def waiting_by_cookie(self, cookie_digest: bytes, now: datetime) -> tuple[UUID, EmailAddress] | None:
        return await self._waiting(sign_ups.c.cookie_digest == cookie_digest, now)

    async def newest_waiting(self, email: EmailAddress, now: datetime) -> UUID | None:
        found = await self._waiting(sign_ups.c.email == email.canonical, now)
        return found[0] if found else None

    async def _waiting(self, which: ColumnElement[bool], now: datetime) -> tuple[UUID, EmailAddress] | None:
        statement = (
            select(sign_ups.c.id, sign_ups.c.email)
            .where(which, sign_ups.c.proven_at.is_(None), sign_ups.c.expires_at > now)
            .order_by(sign_ups.c.created_at.desc())
            .limit(1)
        )
        row: Any = (await self._connection.execute(statement)).one_or_none()
        return (row.id, EmailAddress(row.email)) if row else None

    async def settle(self, sign_up_id: UUID, now: datetime) -> bool:
        statement = (
            update(sign_ups)
            .where(sign_ups.c.id == sign_up_id, sign_ups.c.proven_at.is_(None), sign_ups.c.expires_at > now)
            .values(proven_at=now, password_hash=None, name=None, username=None, fields="{}")
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def delete_waiting(self, email: EmailAddress, *, keep: UUID) -> None:
        await self._connection.execute(
            delete(sign_ups).where(
                sign_ups.c.email == email.canonical, sign_ups.c.id != keep, sign_ups.c.proven_at.is_(None)
            )
        )

    async def delete(self, sign_up_id: UUID) -> None:
        await self._connection.execute(delete(sign_ups).where(sign_ups.c.id == sign_up_id))


class SqlUsernameClaims:
    """`application.ports.collections.UsernameClaims`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def claim(self, username: Username, *, holder: UUID, now: datetime, expires_at: datetime | None) -> bool:
        statement = (
            upsert(self._connection, username_claims)
            .values(username=username.name, holder_id=holder, expires_at=expires_at)
            .on_conflict_do_update(
                index_elements=[username_claims.c.username],
                set_={"holder_id": holder, "expires_at": expires_at},
                where=or_(username_claims.c.expires_at <= now, username_claims.c.holder_id == holder),
            )
            .returning(username_claims.c.username)
        )
        return (await self._connection.execute(statement)).first() is not None

    async def settle(self, username: Username, *, holder: UUID) -> bool:
        statement = (
            update(username_claims)
            .where(username_claims.c.username == username.name, username_claims.c.holder_id == holder)
            .values(expires_at=None)
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def release(self, username: Username, *, holder: UUID, expires_at: datetime) -> None:
        await self._connection.execute(
            update(username_claims)
            .where(username_claims.c.username == username.name, username_claims.c.holder_id == holder)
            .values(expires_at=expires_at)
        )


def _sign_up_from(row: RowMapping) -> SignUpRequest:
    unit = None
    if row["client_unit_key"] is not None:
        unit = Unit(_CLIENT_LIMIT, row["client_unit_key"], row["client_unit_stamp"])
    return SignUpRequest(
        id=row["id"],
        email=EmailAddress(row["email"]),
        name=DisplayName(row["name"]) if row["name"] is not None else None,
        username=Username(row["username"]) if row["username"] is not None else None,
        fields=json.loads(row["fields"]),
        password_hash=PasswordHash(row["password_hash"]) if row["password_hash"] is not None else None,
        cookie_digest=row["cookie_digest"],
        client_unit=unit,
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        proven_at=row["proven_at"],
        locale=row["locale"],
    )
