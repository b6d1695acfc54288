"""What administrators look through and act on."""

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Transaction
from adapters.sql.events import SqlEventRecord, SqlEvents
from adapters.sql.outbox import SqlLetters
from adapters.sql.sessions import SqlOwnSessions, SqlSessions
from adapters.sql.sign_ups import SqlSignUps, SqlUsernameClaims
from adapters.sql.tables import sessions, users
from adapters.sql.users import SqlAccounts, SqlUsers, user_columns, user_from
from application.ports.administration import Place, UserFilter
from domain.email_address import EmailAddress
from domain.user import User
from domain.username import Username


class SqlUserDirectory:
    """`application.ports.administration.UserDirectory`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, which: UserFilter, *, after: Place | None, most: int) -> list[User]:
        statement = select(*user_columns).where(*self._conditions(which))
        if after is not None:
            behind = and_(users.c.created_at == after.created_at, users.c.id < after.id)
            statement = statement.where(or_(users.c.created_at < after.created_at, behind))
        statement = statement.order_by(users.c.created_at.desc(), users.c.id.desc()).limit(most)
        return [user_from(row) for row in (await self._connection.execute(statement)).mappings()]

    async def get(self, whom: UUID | EmailAddress | Username) -> User | None:
        match whom:
            case UUID():
                condition = users.c.id == whom
            case EmailAddress():
                condition = users.c.email == whom.canonical
            case Username():
                condition = users.c.username == whom.name
        row = (await self._connection.execute(select(*user_columns).where(condition))).mappings().one_or_none()
        return user_from(row) if row else None

    def _conditions(self, which: UserFilter) -> Iterator[ColumnElement[bool]]:
        if which.text is not None:
            parts = [
                column.contains(spelling, autoescape=True)
                for spelling in which.spellings
                for column in (users.c.email, users.c.username, self._small_letters())
            ]
            yield or_(users.c.id == which.id, *parts) if which.id is not None else or_(*parts)
        if which.role is not None:
            yield users.c.role == which.role
        if which.disabled is not None:
            yield users.c.disabled_at.is_not(None) if which.disabled else users.c.disabled_at.is_(None)
        if which.verified is not None:
            yield users.c.email_verified.is_(which.verified)

    def _small_letters(self) -> ColumnElement[str]:
        """Names with A-Z in small letters: SQLite knows no others, and PostgreSQL is told so."""
        name = users.c.name if self._connection.dialect.name == "sqlite" else users.c.name.collate("C")
        return func.lower(name)


class SqlEverybodysSessions:
    """`application.ports.administration.EverybodysSessions`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def end(self, most: int) -> int:
        # In one order, and waiting for whoever is just using one: none may be passed over.
        some = select(sessions.c.id).order_by(sessions.c.id).limit(most).with_for_update().cte("some")
        statement = delete(sessions).where(sessions.c.id.in_(select(some))).returning(sessions.c.id)
        return len((await self._connection.execute(statement)).all())


class SqlOversight:
    """`application.ports.administration.Oversight`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.directory = SqlUserDirectory(connection)
        self.sessions = SqlOwnSessions(connection)
        self.events = SqlEventRecord(connection)


class SqlAdministration:
    """`application.ports.administration.Administration`."""

    def __init__(self, transaction: Transaction, key: bytes) -> None:
        self.accounts = SqlAccounts(transaction.connection)
        self.users = SqlUsers(transaction.connection)
        self.usernames = SqlUsernameClaims(transaction.connection)
        self.sign_ups = SqlSignUps(transaction.connection)
        self.sessions = SqlSessions(transaction.connection)
        self.everybodys_sessions = SqlEverybodysSessions(transaction.connection)
        self.letters = SqlLetters(transaction.connection)
        self.events = SqlEvents(transaction.connection, key)
        self.commit = transaction.commit
