"""The units of work over SQL: one object per need, holding only what that need may know."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.database import Database, Transaction
from adapters.sql.limits import UnitLimits
from adapters.sql.outbox import SqlLetters
from adapters.sql.sessions import SqlLivingSessions, SqlSessions
from adapters.sql.sign_ups import SqlSignUps, SqlUsernameClaims
from adapters.sql.tokens import SqlTokens
from adapters.sql.users import SqlAccounts, SqlLogins, SqlUsers


class SqlIntake:
    """`application.ports.units_of_work.Intake`."""

    def __init__(self, transaction: Transaction) -> None:
        self.sign_ups = SqlSignUps(transaction.connection)
        self.usernames = SqlUsernameClaims(transaction.connection)
        self.letters = SqlLetters(transaction.connection)
        self.commit = transaction.commit


class SqlOpenIntake(SqlIntake):
    """`application.ports.units_of_work.OpenIntake`."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction)
        self.users = SqlUsers(transaction.connection)
        self.accounts = SqlAccounts(transaction.connection)
        self.sessions = SqlSessions(transaction.connection)


class SqlProofReading:
    """`application.ports.units_of_work.ProofReading`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.tokens = SqlTokens(connection)
        self.sign_ups = SqlSignUps(connection)
        self.users = SqlUsers(connection)
        self.accounts = SqlAccounts(connection)


class SqlProving:
    """`application.ports.units_of_work.Proving`."""

    def __init__(self, transaction: Transaction) -> None:
        self.tokens = SqlTokens(transaction.connection)
        self.sign_ups = SqlSignUps(transaction.connection)
        self.usernames = SqlUsernameClaims(transaction.connection)
        self.users = SqlUsers(transaction.connection)
        self.accounts = SqlAccounts(transaction.connection)
        self.sessions = SqlSessions(transaction.connection)
        self.commit = transaction.commit


class SqlCredentialReading:
    """`application.ports.units_of_work.CredentialReading`."""

    def __init__(self, database: Database) -> None:
        self.logins = SqlLogins(database)


class SqlSigningIn:
    """`application.ports.units_of_work.SigningIn`."""

    def __init__(self, transaction: Transaction, limits_key: bytes) -> None:
        self.accounts = SqlAccounts(transaction.connection)
        self.sessions = SqlSessions(transaction.connection)
        self.limits = UnitLimits(transaction.connection, limits_key)
        self.commit = transaction.commit


class SqlSessionReading:
    """`application.ports.units_of_work.SessionReading`."""

    def __init__(self, database: Database) -> None:
        self.sessions = SqlLivingSessions(database)


class SqlSessionKeeping:
    """`application.ports.units_of_work.SessionKeeping`."""

    def __init__(self, transaction: Transaction) -> None:
        self.sessions = SqlSessions(transaction.connection)
        self.commit = transaction.commit


class SqlDelivery:
    """`application.ports.units_of_work.Delivery`."""

    def __init__(self, transaction: Transaction, limits_key: bytes) -> None:
        self.letters = SqlLetters(transaction.connection)
        self.sign_ups = SqlSignUps(transaction.connection)
        self.users = SqlUsers(transaction.connection)
        self.tokens = SqlTokens(transaction.connection)
        self.limits = UnitLimits(transaction.connection, limits_key)
        self.commit = transaction.commit


class SqlUnits:
    """Opens units of work on one database."""

    def __init__(self, database: Database, limits_key: bytes) -> None:
        self._database = database
        self._limits_key = limits_key

    @asynccontextmanager
    async def intake(self) -> AsyncIterator[SqlIntake]:
        """For those who answer strangers."""
        async with self._database.writing() as transaction:
            yield SqlIntake(transaction)

    @asynccontextmanager
    async def open_intake(self) -> AsyncIterator[SqlOpenIntake]:
        """For those who answer strangers, and tell them who is here."""
        async with self._database.writing() as transaction:
            yield SqlOpenIntake(transaction)

    @asynccontextmanager
    async def proof_reading(self) -> AsyncIterator[SqlProofReading]:
        """For looking at a token."""
        async with self._database.reading() as connection:
            yield SqlProofReading(connection)

    @asynccontextmanager
    async def proving(self) -> AsyncIterator[SqlProving]:
        """For turning a sign-up into a user."""
        async with self._database.writing() as transaction:
            yield SqlProving(transaction)

    @asynccontextmanager
    async def credential_reading(self) -> AsyncIterator[SqlCredentialReading]:
        """For finding a credential."""
        yield SqlCredentialReading(self._database)

    @asynccontextmanager
    async def signing_in(self) -> AsyncIterator[SqlSigningIn]:
        """For starting a session."""
        async with self._database.writing() as transaction:
            yield SqlSigningIn(transaction, self._limits_key)

    @asynccontextmanager
    async def session_reading(self) -> AsyncIterator[SqlSessionReading]:
        """For recognising a caller."""
        yield SqlSessionReading(self._database)

    @asynccontextmanager
    async def session_keeping(self) -> AsyncIterator[SqlSessionKeeping]:
        """For presence, and for ending sessions."""
        async with self._database.writing() as transaction:
            yield SqlSessionKeeping(transaction)

    @asynccontextmanager
    async def delivery(self) -> AsyncIterator[SqlDelivery]:
        """For deciding what a letter becomes."""
        async with self._database.writing() as transaction:
            yield SqlDelivery(transaction, self._limits_key)
