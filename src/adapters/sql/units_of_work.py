"""The units of work over SQL: one object per need, holding only what that need may know."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.account_units import (
    SqlAccountKeeping,
    SqlOwnReading,
    SqlOwnRequest,
    SqlSessionKeeping,
    SqlSessionReading,
)
from adapters.sql.administration import SqlAdministration, SqlOversight
from adapters.sql.database import Database, Transaction
from adapters.sql.events import SqlEvents, SqlJournalEvents
from adapters.sql.limits import UnitLimits
from adapters.sql.mailroom import SqlMailroom, SqlSuppressed
from adapters.sql.outbox import SqlLetters
from adapters.sql.reversals import SqlReversals
from adapters.sql.sessions import SqlSessions
from adapters.sql.sign_ups import SqlSignUps, SqlUsernameClaims
from adapters.sql.tokens import SqlTokens
from adapters.sql.transfer import SqlEmigration, SqlImmigration
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

    def __init__(self, transaction: Transaction, key: bytes) -> None:
        super().__init__(transaction)
        self.users = SqlUsers(transaction.connection)
        self.accounts = SqlAccounts(transaction.connection)
        self.sessions = SqlSessions(transaction.connection)
        self.events = SqlEvents(transaction.connection, key)


class SqlProofReading:
    """`application.ports.units_of_work.ProofReading`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.tokens = SqlTokens(connection)
        self.reversals = SqlReversals(connection)
        self.sign_ups = SqlSignUps(connection)
        self.users = SqlUsers(connection)
        self.accounts = SqlAccounts(connection)


class SqlProving:
    """`application.ports.units_of_work.Proving`."""

    def __init__(self, transaction: Transaction, key: bytes) -> None:
        self.tokens = SqlTokens(transaction.connection)
        self.sign_ups = SqlSignUps(transaction.connection)
        self.usernames = SqlUsernameClaims(transaction.connection)
        self.users = SqlUsers(transaction.connection)
        self.accounts = SqlAccounts(transaction.connection)
        self.sessions = SqlSessions(transaction.connection)
        self.events = SqlEvents(transaction.connection, key)
        self.commit = transaction.commit


class SqlCredentialReading:
    """`application.ports.units_of_work.CredentialReading`."""

    def __init__(self, database: Database) -> None:
        self.logins = SqlLogins(database)


class SqlSigningIn:
    """`application.ports.units_of_work.SigningIn`."""

    def __init__(self, transaction: Transaction, key: bytes) -> None:
        self.users = SqlUsers(transaction.connection)
        self.accounts = SqlAccounts(transaction.connection)
        self.sessions = SqlSessions(transaction.connection)
        self.events = SqlEvents(transaction.connection, key)
        self.reversals = SqlReversals(transaction.connection)
        self.letters = SqlLetters(transaction.connection)
        self.limits = UnitLimits(transaction.connection, key)
        self.commit = transaction.commit


class SqlJournal:
    """`application.ports.units_of_work.Journal`."""

    def __init__(self, transaction: Transaction, key: bytes) -> None:
        self.events = SqlJournalEvents(transaction.connection, key)
        self.commit = transaction.commit


class SqlDelivery:
    """`application.ports.units_of_work.Delivery`."""

    def __init__(self, transaction: Transaction, key: bytes) -> None:
        self.letters = SqlLetters(transaction.connection)
        self.sign_ups = SqlSignUps(transaction.connection)
        self.users = SqlUsers(transaction.connection)
        self.accounts = SqlAccounts(transaction.connection)
        self.reversals = SqlReversals(transaction.connection)
        self.tokens = SqlTokens(transaction.connection)
        self.events = SqlEvents(transaction.connection, key)
        self.suppressed = SqlSuppressed(transaction.connection)
        self.limits = UnitLimits(transaction.connection, key)
        self.commit = transaction.commit


class SqlUnits:
    """Opens units of work on one database."""

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._key = key

    @asynccontextmanager
    async def intake(self) -> AsyncIterator[SqlIntake]:
        """For those who answer strangers."""
        async with self._database.writing() as transaction:
            yield SqlIntake(transaction)

    @asynccontextmanager
    async def open_intake(self) -> AsyncIterator[SqlOpenIntake]:
        """For those who answer strangers, and tell them who is here."""
        async with self._database.writing() as transaction:
            yield SqlOpenIntake(transaction, self._key)

    @asynccontextmanager
    async def proof_reading(self) -> AsyncIterator[SqlProofReading]:
        """For looking at a token."""
        async with self._database.reading() as connection:
            yield SqlProofReading(connection)

    @asynccontextmanager
    async def proving(self) -> AsyncIterator[SqlProving]:
        """For turning a sign-up into a user."""
        async with self._database.writing() as transaction:
            yield SqlProving(transaction, self._key)

    @asynccontextmanager
    async def credential_reading(self) -> AsyncIterator[SqlCredentialReading]:
        """For finding a credential."""
        yield SqlCredentialReading(self._database)

    @asynccontextmanager
    async def signing_in(self) -> AsyncIterator[SqlSigningIn]:
        """For starting a session."""
        async with self._database.writing() as transaction:
            yield SqlSigningIn(transaction, self._key)

    @asynccontextmanager
    async def session_reading(self) -> AsyncIterator[SqlSessionReading]:
        """For recognising a caller."""
        yield SqlSessionReading(self._database)

    @asynccontextmanager
    async def session_keeping(self) -> AsyncIterator[SqlSessionKeeping]:
        """For presence, and for ending sessions."""
        async with self._database.writing() as transaction:
            yield SqlSessionKeeping(transaction, self._key)

    @asynccontextmanager
    async def journal(self) -> AsyncIterator[SqlJournal]:
        """For what came to nothing."""
        async with self._database.writing() as transaction:
            yield SqlJournal(transaction, self._key)

    @asynccontextmanager
    async def own_reading(self) -> AsyncIterator[SqlOwnReading]:
        """For somebody's own sessions and events."""
        async with self._database.reading() as connection:
            yield SqlOwnReading(connection)

    @asynccontextmanager
    async def own_request(self) -> AsyncIterator[SqlOwnRequest]:
        """For a letter that somebody signed in asks for."""
        async with self._database.writing() as transaction:
            yield SqlOwnRequest(transaction, self._key)

    @asynccontextmanager
    async def account_keeping(self) -> AsyncIterator[SqlAccountKeeping]:
        """For changing, deleting and restoring an account."""
        async with self._database.writing() as transaction:
            yield SqlAccountKeeping(transaction, self._key)

    @asynccontextmanager
    async def oversight(self) -> AsyncIterator[SqlOversight]:
        """For administrators who look."""
        async with self._database.reading() as connection:
            yield SqlOversight(connection)

    @asynccontextmanager
    async def administration(self) -> AsyncIterator[SqlAdministration]:
        """For administrators who act."""
        async with self._database.writing() as transaction:
            yield SqlAdministration(transaction, self._key)

    @asynccontextmanager
    async def delivery(self) -> AsyncIterator[SqlDelivery]:
        """For deciding what a letter becomes."""
        async with self._database.writing() as transaction:
            yield SqlDelivery(transaction, self._key)

    @asynccontextmanager
    async def mailroom(self) -> AsyncIterator[SqlMailroom]:
        """For the operator."""
        async with self._database.writing() as transaction:
            yield SqlMailroom(transaction, self._key)

    @asynccontextmanager
    async def emigration(self) -> AsyncIterator[SqlEmigration]:
        """For seeing who is here."""
        async with self._database.reading() as connection:
            yield SqlEmigration(connection, self._key)

    @asynccontextmanager
    async def immigration(self) -> AsyncIterator[SqlImmigration]:
        """For bringing people in."""
        async with self._database.writing() as transaction:
            yield SqlImmigration(transaction)
