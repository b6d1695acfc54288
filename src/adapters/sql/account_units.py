"""The units of work about somebody's own account, over SQL: one object per need."""

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, Transaction
from adapters.sql.events import SqlEventHistory, SqlEvents
from adapters.sql.outbox import SqlLetters
from adapters.sql.reversals import SqlReversals
from adapters.sql.sessions import SqlLivingSessions, SqlOwnSessions, SqlSessions
from adapters.sql.sign_ups import SqlSignUps, SqlUsernameClaims
from adapters.sql.tokens import SqlTokens
from adapters.sql.users import SqlAccounts, SqlOwnCredentials, SqlUsers


class SqlSessionReading:
    """`application.ports.units_of_work.SessionReading`."""

    def __init__(self, database: Database) -> None:
        self.sessions = SqlLivingSessions(database)


class SqlSessionKeeping:
    """`application.ports.units_of_work.SessionKeeping`."""

    def __init__(self, transaction: Transaction, key: bytes) -> None:
        self.accounts = SqlAccounts(transaction.connection)
        self.users = SqlUsers(transaction.connection)
        self.sessions = SqlSessions(transaction.connection)
        self.events = SqlEvents(transaction.connection, key)
        self.reversals = SqlReversals(transaction.connection)
        self.letters = SqlLetters(transaction.connection)
        self.commit = transaction.commit


class SqlOwnReading:
    """`application.ports.units_of_work.OwnReading`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.accounts = SqlOwnCredentials(connection)
        self.sessions = SqlOwnSessions(connection)
        self.events = SqlEventHistory(connection)


class SqlOwnRequest:
    """`application.ports.units_of_work.OwnRequest`."""

    def __init__(self, transaction: Transaction, key: bytes) -> None:
        self.letters = SqlLetters(transaction.connection)
        self.events = SqlEvents(transaction.connection, key)
        self.commit = transaction.commit


class SqlAccountKeeping:
    """`application.ports.units_of_work.AccountKeeping`."""

    def __init__(self, transaction: Transaction, key: bytes) -> None:
        self.accounts = SqlAccounts(transaction.connection)
        self.users = SqlUsers(transaction.connection)
        self.usernames = SqlUsernameClaims(transaction.connection)
        self.sign_ups = SqlSignUps(transaction.connection)
        self.sessions = SqlSessions(transaction.connection)
        self.tokens = SqlTokens(transaction.connection)
        self.letters = SqlLetters(transaction.connection)
        self.reversals = SqlReversals(transaction.connection)
        self.events = SqlEvents(transaction.connection, key)
        self.commit = transaction.commit
