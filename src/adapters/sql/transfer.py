"""Many people at once: brought in, and carried out."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.environment import RandomIds
from adapters.sql.database import Transaction
from adapters.sql.events import event_values
from adapters.sql.tables import accounts, events, origins, sign_ups, username_claims, users
from adapters.sql.upsert import upsert
from adapters.sql.users import CREDENTIAL, user_columns, user_from, user_values
from application.ports.transfer import newcomer_event
from domain.email_address import EmailAddress
from domain.events import EventKind, pseudonym_of
from domain.newcomer import Newcomer, Origin
from domain.password import NO_PASSWORD, PasswordHash
from domain.username import Username


class SqlResidents:
    """`application.ports.transfer.Residents`."""

    def __init__(self, connection: AsyncConnection, pseudonym_key: bytes) -> None:
        self._connection = connection
        self._key = pseudonym_key

    async def here(self, ids: Collection[UUID]) -> set[UUID]:
        return await self._which(users.c.id, ids)

    async def gone(self, ids: Collection[UUID]) -> set[UUID]:
        known_as = {pseudonym_of(user_id, self._key): user_id for user_id in ids}
        deleted = events.c.kind == EventKind.ACCOUNT_DELETED.value
        return {known_as[each] for each in await self._which(events.c.user_id, known_as.keys(), deleted)}

    async def with_emails(self, emails: Collection[EmailAddress]) -> set[EmailAddress]:
        return {EmailAddress(each) for each in await self._which(users.c.email, {email.canonical for email in emails})}

    async def with_usernames(self, usernames: Collection[Username], now: datetime) -> set[Username]:
        lasting = or_(username_claims.c.expires_at.is_(None), username_claims.c.expires_at > now)
        names = {username.name for username in usernames}
        return {Username(each) for each in await self._which(username_claims.c.username, names, lasting)}

    async def page(self, after: UUID | None, most: int) -> list[Newcomer]:
        statement = (
            select(*user_columns, accounts.c.password_hash, origins.c.system, origins.c.id, origins.c.metadata)
            .outerjoin(accounts, (accounts.c.user_id == users.c.id) & (accounts.c.provider_id == CREDENTIAL))
            .outerjoin(origins, origins.c.user_id == users.c.id)
            .order_by(users.c.id)
            .limit(most)
        )
        if after is not None:
            statement = statement.where(users.c.id > after)
        return [_newcomer_from(row) for row in (await self._connection.execute(statement)).mappings()]

    async def _which(self, column: ColumnElement[Any], values: Collection[Any], *more: ColumnElement[bool]) -> set[Any]:
        if not values:
            return set()
        return set((await self._connection.execute(select(column).where(column.in_(values), *more))).scalars())


class SqlNewcomers:
    """`application.ports.transfer.Newcomers`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, newcomers: Sequence[Newcomer], now: datetime) -> set[UUID]:
        if not newcomers:
            return set()
        named = await self._claim(newcomers, now)
        rows = [_user_row(newcomer, named) for newcomer in newcomers]
        statement = upsert(self._connection, users).on_conflict_do_nothing().returning(users.c.id)
        added = set((await self._connection.execute(statement, rows)).scalars())
        if lost := named - added:
            await self._connection.execute(delete(username_claims).where(username_claims.c.holder_id.in_(lost)))
        those = [newcomer for newcomer in newcomers if newcomer.user.id in added]
        if those:
            await self._connection.execute(insert(accounts), [_account_row(each, now) for each in those])
            await self._connection.execute(
                insert(events), [event_values(newcomer_event(each), now, each.user.id) for each in those]
            )
            emails = [each.user.email.canonical for each in those]
            await self._connection.execute(
                delete(sign_ups).where(sign_ups.c.email.in_(emails), sign_ups.c.proven_at.is_(None))
            )
        if away := [_origin_row(each.user.id, each.origin) for each in those if each.origin is not None]:
            await self._connection.execute(insert(origins), away)
        return added

    async def _claim(self, newcomers: Iterable[Newcomer], now: datetime) -> set[UUID]:
        """Take the usernames that nobody holds; whose those are."""
        rows = [
            {"username": user.username.name, "holder_id": user.id, "expires_at": None}
            for user in (newcomer.user for newcomer in newcomers)
            if user.username is not None
        ]
        if not rows:
            return set()
        insertion = upsert(self._connection, username_claims)
        statement = insertion.on_conflict_do_update(
            index_elements=[username_claims.c.username],
            set_={"holder_id": insertion.excluded.holder_id, "expires_at": None},
            where=username_claims.c.expires_at <= now,
        ).returning(username_claims.c.holder_id)
        return set((await self._connection.execute(statement, rows)).scalars())


class SqlEmigration:
    """`application.ports.transfer.Emigration`."""

    def __init__(self, connection: AsyncConnection, key: bytes) -> None:
        self.residents = SqlResidents(connection, key)


class SqlImmigration:
    """`application.ports.transfer.Immigration`."""

    def __init__(self, transaction: Transaction) -> None:
        self.newcomers = SqlNewcomers(transaction.connection)
        self.commit = transaction.commit


def _user_row(newcomer: Newcomer, named: set[UUID]) -> dict[str, Any]:
    user = newcomer.user
    row = {"id": user.id, "created_at": user.created_at, **user_values(user)}
    return row if user.id in named else {**row, "username": None}


def _account_row(newcomer: Newcomer, now: datetime) -> dict[str, Any]:
    return {
        "id": RandomIds().new(),
        "user_id": newcomer.user.id,
        "provider_id": CREDENTIAL,
        "password_hash": newcomer.password_hash.encoded,
        "credential_version": 1,
        "created_at": newcomer.user.created_at,
        "updated_at": now,
    }


def _origin_row(user_id: UUID, origin: Origin) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "system": origin.system,
        "id": origin.id,
        "metadata": json.dumps(origin.metadata),
    }


def _newcomer_from(row: Mapping[Any, Any]) -> Newcomer:
    stored = row["password_hash"]
    return Newcomer(
        user=user_from(row),
        password_hash=PasswordHash(stored) if stored is not None else NO_PASSWORD,
        origin=Origin(system=row["system"], id=row["id"], metadata=json.loads(row["metadata"]))
        if row["system"] is not None
        else None,
    )
