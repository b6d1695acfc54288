"""Users and their accounts."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database
from adapters.sql.tables import accounts, users
from adapters.sql.upsert import upsert
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.password import PasswordHash
from domain.user import Credential, User
from domain.username import Username

CREDENTIAL = "credential"
"""The provider of password accounts (R19)."""

user_columns = [column.label(f"user_{column.name}") for column in users.c]
"""A user's columns under names of their own, for joins."""


def user_from(row: Mapping[Any, Any]) -> User:
    """Read a user from a row selected with `user_columns`."""
    return User(
        id=row["user_id"],
        email=EmailAddress(row["user_email"]),
        email_verified=row["user_email_verified"],
        name=DisplayName(row["user_name"]) if row["user_name"] is not None else None,
        username=Username(row["user_username"]) if row["user_username"] is not None else None,
        role=row["user_role"],
        fields=json.loads(row["user_fields"]),
        created_at=row["user_created_at"],
        disabled_at=row["user_disabled_at"],
        first_signed_in_at=row["user_first_signed_in_at"],
        locale=row["user_locale"],
    )


def user_values(user: User) -> dict[str, Any]:
    """What may change of a user, as columns."""
    return {
        "email": user.email.canonical,
        "email_verified": user.email_verified,
        "name": user.name.text if user.name else None,
        "username": user.username.name if user.username else None,
        "role": user.role,
        "fields": json.dumps(dict(user.fields)),
        "disabled_at": user.disabled_at,
        "first_signed_in_at": user.first_signed_in_at,
        "locale": user.locale,
    }


class SqlUsers:
    """`application.ports.collections.Users`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, user: User) -> frozenset[str]:
        statement = (
            upsert(self._connection, users)
            .values(id=user.id, created_at=user.created_at, **user_values(user))
            .on_conflict_do_nothing()
        )
        if (await self._connection.execute(statement)).rowcount == 1:
            return frozenset()
        held = {"email": users.c.email == user.email.canonical}
        if user.username is not None:
            held["username"] = users.c.username == user.username.name
        look = select(*(exists().where(condition).label(field) for field, condition in held.items()))
        found = (await self._connection.execute(look)).mappings().one()
        return frozenset(field for field in held if found[field]) or frozenset({"email"})

    async def get(self, user_id: UUID) -> User | None:
        return await self._one(users.c.id == user_id)

    async def of_email(self, email: EmailAddress) -> User | None:
        return await self._one(users.c.email == email.canonical)

    async def hold(self, user_id: UUID) -> User | None:
        return await self._one(users.c.id == user_id, held=True)

    async def _one(self, which: ColumnElement[bool], *, held: bool = False) -> User | None:
        statement = select(*user_columns).where(which)
        statement = statement.with_for_update() if held else statement
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return user_from(row) if row else None

    async def save(self, user: User) -> bool:
        try:
            await self._connection.execute(update(users).where(users.c.id == user.id).values(**user_values(user)))
        except IntegrityError:
            return False
        return True

    async def remove(self, user_id: UUID) -> None:
        await self._connection.execute(delete(users).where(users.c.id == user_id))

    async def note_first_sign_in(self, user_id: UUID, now: datetime) -> None:
        await self._connection.execute(
            update(users)
            .where(users.c.id == user_id, users.c.first_signed_in_at.is_(None))
            .values(first_signed_in_at=now)
        )

    async def prove(self, user: User) -> bool:
        statement = (
            update(users)
            .where(users.c.id == user.id, users.c.email == user.email.canonical, users.c.email_verified.is_(False))
            .values(
                email_verified=True,
                name=user.name.text if user.name else None,
                fields=json.dumps(dict(user.fields)),
                locale=user.locale,
            )
        )
        return (await self._connection.execute(statement)).rowcount == 1


_CREDENTIAL = select(accounts.c.user_id, accounts.c.password_hash, accounts.c.credential_version).where(
    accounts.c.provider_id == CREDENTIAL
)


class SqlOwnCredentials:
    """`application.ports.collections.OwnCredentials`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.of_user = SqlAccounts(connection).of_user


class SqlAccounts:
    """`application.ports.collections.Accounts`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, account_id: UUID, credential: Credential, now: datetime) -> None:
        await self._connection.execute(
            insert(accounts).values(
                id=account_id,
                user_id=credential.user_id,
                provider_id=CREDENTIAL,
                password_hash=credential.password_hash.encoded,
                credential_version=credential.version,
                created_at=now,
                updated_at=now,
            )
        )

    async def of_user(self, user_id: UUID) -> Credential | None:
        return await self._one(_CREDENTIAL.where(accounts.c.user_id == user_id))

    async def hold(self, user_id: UUID) -> Credential | None:
        return await self._one(_CREDENTIAL.where(accounts.c.user_id == user_id).with_for_update())

    async def _one(self, statement: Select[Any]) -> Credential | None:
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return _credential_from(row) if row else None

    async def replace(self, credential: Credential, new: PasswordHash, now: datetime) -> bool:
        statement = (
            update(accounts)
            .where(
                accounts.c.user_id == credential.user_id,
                accounts.c.provider_id == CREDENTIAL,
                accounts.c.credential_version == credential.version,
            )
            .values(password_hash=new.encoded, credential_version=credential.version + 1, updated_at=now)
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def rehash(self, user_id: UUID, *, old: PasswordHash, new: PasswordHash, now: datetime) -> bool:
        statement = (
            update(accounts)
            .where(
                accounts.c.user_id == user_id,
                accounts.c.provider_id == CREDENTIAL,
                accounts.c.password_hash == old.encoded,
            )
            .values(password_hash=new.encoded, updated_at=now)
        )
        return (await self._connection.execute(statement)).rowcount == 1


_LOGIN = (
    select(*user_columns, accounts.c.password_hash, accounts.c.credential_version)
    .join(accounts, accounts.c.user_id == users.c.id)
    .where(accounts.c.provider_id == CREDENTIAL)
)
_BY_EMAIL = _LOGIN.where(users.c.email == bindparam("email"))
_BY_USERNAME = _LOGIN.where(users.c.username == bindparam("username"))


class SqlLogins:
    """`application.ports.collections.Logins`: read at every sign-in, so by the shortest road."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_email(self, email: EmailAddress) -> tuple[User, Credential] | None:
        return _login_from(await self._database.row(_BY_EMAIL, email=email.canonical))

    async def by_username(self, username: Username) -> tuple[User, Credential] | None:
        return _login_from(await self._database.row(_BY_USERNAME, username=username.name))


def _login_from(row: Mapping[str, Any] | None) -> tuple[User, Credential] | None:
    return (user_from(row), _credential_from(row)) if row else None


def _credential_from(row: Mapping[Any, Any]) -> Credential:
    return Credential(
        user_id=row["user_id"],
        password_hash=PasswordHash(row["password_hash"]),
        version=row["credential_version"],
    )
