"""Sessions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database
from adapters.sql.tables import accounts, sessions, users
from adapters.sql.users import CREDENTIAL, user_columns, user_from
from domain.session import Session, Transport
from domain.user import User

_session_columns = [column.label(f"session_{column.name}") for column in sessions.c]


class SqlLivingSessions:
    """`application.ports.collections.LivingSessions`: read so often that the database is asked by its shortest road."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, session_id: UUID) -> tuple[Session, User] | None:
        row = await self._database.row(_FIND, session_id=session_id)
        return (_session_from(row), user_from(row)) if row else None


class SqlSessions:
    """`application.ports.collections.Sessions`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, session: Session) -> bool:
        parameters = {f"new_{name}": value for name, value in _values_of(session).items()}
        try:
            result = await self._connection.execute(_ADD, parameters)
        except IntegrityError:
            return False  # the user was deleted while this looked at them
        return result.rowcount == 1

    async def touch(self, session: Session, now: datetime) -> None:
        await self._connection.execute(
            update(sessions)
            .where(sessions.c.id == session.id, sessions.c.last_seen_at < now)
            .values(last_seen_at=now, idle_expires_at=now + session.idle_time)
        )

    async def advance(self, successor: Session) -> bool:
        still_good = _living_accounts().where(
            users.c.id == sessions.c.user_id, accounts.c.credential_version == sessions.c.credential_version
        )
        result = await self._connection.execute(
            update(sessions)
            .where(sessions.c.id == successor.id, sessions.c.counter == successor.counter - 1, still_good.exists())
            .values(
                counter=successor.counter,
                refreshed_at=successor.refreshed_at,
                last_seen_at=successor.last_seen_at,
                idle_expires_at=successor.idle_expires_at,
            )
        )
        return result.rowcount == 1

    async def move(self, session_id: UUID, credential_version: int) -> bool:
        statement = update(sessions).where(sessions.c.id == session_id).values(credential_version=credential_version)
        return (await self._connection.execute(statement)).rowcount == 1

    async def end_of(self, user_id: UUID, session_id: UUID) -> bool:
        statement = delete(sessions).where(sessions.c.id == session_id, sessions.c.user_id == user_id)
        return (await self._connection.execute(statement)).rowcount == 1

    async def end(self, session_id: UUID) -> None:
        await self._connection.execute(delete(sessions).where(sessions.c.id == session_id))

    async def end_all(self, user_id: UUID, *, keep: UUID | None = None) -> int:
        statement = delete(sessions).where(sessions.c.user_id == user_id)
        if keep is not None:
            statement = statement.where(sessions.c.id != keep)
        return (await self._connection.execute(statement)).rowcount


class SqlOwnSessions:
    """`application.ports.collections.OwnSessions`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_user(self, user_id: UUID, now: datetime) -> list[Session]:
        statement = (
            _living_accounts()
            .join(sessions, sessions.c.user_id == users.c.id)
            .where(
                sessions.c.user_id == user_id,
                sessions.c.credential_version == accounts.c.credential_version,
                sessions.c.idle_expires_at > now,
                sessions.c.absolute_expires_at > now,
            )
            .order_by(sessions.c.last_seen_at.desc(), sessions.c.id)
            .with_only_columns(*_session_columns, maintain_column_froms=True)
        )
        rows = (await self._connection.execute(statement)).mappings()
        return [_session_from(dict(row)) for row in rows]


def _living_accounts() -> Select[Any]:
    """Password accounts of users who are not disabled."""
    return (
        select(users.c.id)
        .join(accounts, accounts.c.user_id == users.c.id)
        .where(accounts.c.provider_id == CREDENTIAL, users.c.disabled_at.is_(None))
    )


_NEW = {column.name: bindparam(f"new_{column.name}", type_=column.type) for column in sessions.c}
_ADD = insert(sessions).from_select(
    list(_NEW),
    _living_accounts()
    .where(users.c.id == _NEW["user_id"], accounts.c.credential_version == _NEW["credential_version"])
    .with_only_columns(*(value.label(name) for name, value in _NEW.items())),
)
_FIND = (
    _living_accounts()
    .join(sessions, sessions.c.user_id == users.c.id)
    .where(sessions.c.id == bindparam("session_id"), sessions.c.credential_version == accounts.c.credential_version)
    .with_only_columns(*_session_columns, *user_columns, maintain_column_froms=True)
)


def _values_of(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "user_id": session.user_id,
        "credential_version": session.credential_version,
        "seed": session.seed,
        "counter": session.counter,
        "transport": session.transport.value,
        "remember": session.remember,
        "created_at": session.created_at,
        "signed_in_at": session.signed_in_at,
        "refreshed_at": session.refreshed_at,
        "last_seen_at": session.last_seen_at,
        "idle_expires_at": session.idle_expires_at,
        "absolute_expires_at": session.absolute_expires_at,
        "user_agent": session.user_agent,
        "masked_address": session.masked_address,
    }


def _session_from(row: Mapping[str, Any]) -> Session:
    return Session(
        id=row["session_id"],
        user_id=row["session_user_id"],
        credential_version=row["session_credential_version"],
        seed=row["session_seed"],
        counter=row["session_counter"],
        transport=Transport(row["session_transport"]),
        remember=row["session_remember"],
        created_at=row["session_created_at"],
        signed_in_at=row["session_signed_in_at"],
        refreshed_at=row["session_refreshed_at"],
        last_seen_at=row["session_last_seen_at"],
        idle_expires_at=row["session_idle_expires_at"],
        absolute_expires_at=row["session_absolute_expires_at"],
        user_agent=row["session_user_agent"],
        masked_address=row["session_masked_address"],
    )
