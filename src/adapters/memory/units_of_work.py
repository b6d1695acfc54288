"""The units of work over dicts: one object per need, holding only what that need may know."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.memory.account_units import (
    MemoryAccountKeeping,
    MemoryOwnReading,
    MemoryOwnRequest,
    MemorySessionKeeping,
    MemorySessionReading,
)
from adapters.memory.administration import MemoryAdministration, MemoryOversight
from adapters.memory.collections import (
    MemoryLetters,
    MemorySignUps,
    MemoryTokens,
    MemoryUsernameClaims,
)
from adapters.memory.events import MemoryEvents, MemoryJournalEvents, MemoryReversals
from adapters.memory.limits import MemoryUnitLimits
from adapters.memory.mailroom import MemoryMailroom, MemorySuppressed
from adapters.memory.sessions import MemorySessions
from adapters.memory.store import MemoryStore, MemoryTransaction, Tables
from adapters.memory.transfer import MemoryEmigration, MemoryImmigration
from adapters.memory.users import MemoryAccounts, MemoryLogins, MemoryUsers


class MemoryIntake:
    """`Intake`."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self.sign_ups = MemorySignUps(transaction.tables)
        self.usernames = MemoryUsernameClaims(transaction.tables)
        self.letters = MemoryLetters(transaction.tables)
        self.commit = transaction.commit


class MemoryOpenIntake(MemoryIntake):
    """`OpenIntake`."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        super().__init__(transaction)
        self.users = MemoryUsers(transaction.tables)
        self.accounts = MemoryAccounts(transaction.tables)
        self.sessions = MemorySessions(transaction.tables)
        self.events = MemoryEvents(transaction.tables)


class MemoryProofReading:
    """`ProofReading`."""

    def __init__(self, tables: Tables) -> None:
        self.reversals = MemoryReversals(tables)
        self.tokens = MemoryTokens(tables)
        self.sign_ups = MemorySignUps(tables)
        self.users = MemoryUsers(tables)
        self.accounts = MemoryAccounts(tables)


class MemoryProving:
    """`Proving`."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self.tokens = MemoryTokens(transaction.tables)
        self.sign_ups = MemorySignUps(transaction.tables)
        self.usernames = MemoryUsernameClaims(transaction.tables)
        self.users = MemoryUsers(transaction.tables)
        self.accounts = MemoryAccounts(transaction.tables)
        self.sessions = MemorySessions(transaction.tables)
        self.events = MemoryEvents(transaction.tables)
        self.commit = transaction.commit


class MemoryCredentialReading:
    """`CredentialReading`."""

    def __init__(self, tables: Tables) -> None:
        self.logins = MemoryLogins(tables)


class MemorySigningIn:
    """`SigningIn`."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self.users = MemoryUsers(transaction.tables)
        self.accounts = MemoryAccounts(transaction.tables)
        self.sessions = MemorySessions(transaction.tables)
        self.events = MemoryEvents(transaction.tables)
        self.reversals = MemoryReversals(transaction.tables)
        self.letters = MemoryLetters(transaction.tables)
        self.limits = MemoryUnitLimits(transaction.tables)
        self.commit = transaction.commit


class MemoryJournal:
    """`Journal`."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self.events = MemoryJournalEvents(transaction.tables)
        self.commit = transaction.commit


class MemoryDelivery:
    """`Delivery`."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self.letters = MemoryLetters(transaction.tables)
        self.sign_ups = MemorySignUps(transaction.tables)
        self.users = MemoryUsers(transaction.tables)
        self.accounts = MemoryAccounts(transaction.tables)
        self.reversals = MemoryReversals(transaction.tables)
        self.tokens = MemoryTokens(transaction.tables)
        self.events = MemoryEvents(transaction.tables)
        self.suppressed = MemorySuppressed(transaction.tables)
        self.limits = MemoryUnitLimits(transaction.tables)
        self.commit = transaction.commit


class MemoryUnits:
    """Opens units of work on one store."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    @asynccontextmanager
    async def intake(self) -> AsyncIterator[MemoryIntake]:
        """For those who answer strangers."""
        async with self._store.writing() as transaction:
            yield MemoryIntake(transaction)

    @asynccontextmanager
    async def open_intake(self) -> AsyncIterator[MemoryOpenIntake]:
        """For those who answer strangers, and tell them who is here."""
        async with self._store.writing() as transaction:
            yield MemoryOpenIntake(transaction)

    @asynccontextmanager
    async def proof_reading(self) -> AsyncIterator[MemoryProofReading]:
        """For looking at a token."""
        async with self._store.reading() as tables:
            yield MemoryProofReading(tables)

    @asynccontextmanager
    async def proving(self) -> AsyncIterator[MemoryProving]:
        """For turning a sign-up into a user."""
        async with self._store.writing() as transaction:
            yield MemoryProving(transaction)

    @asynccontextmanager
    async def credential_reading(self) -> AsyncIterator[MemoryCredentialReading]:
        """For finding a credential."""
        async with self._store.reading() as tables:
            yield MemoryCredentialReading(tables)

    @asynccontextmanager
    async def signing_in(self) -> AsyncIterator[MemorySigningIn]:
        """For starting a session."""
        async with self._store.writing() as transaction:
            yield MemorySigningIn(transaction)

    @asynccontextmanager
    async def session_reading(self) -> AsyncIterator[MemorySessionReading]:
        """For recognising a caller."""
        async with self._store.reading() as tables:
            yield MemorySessionReading(tables)

    @asynccontextmanager
    async def session_keeping(self) -> AsyncIterator[MemorySessionKeeping]:
        """For presence, and for ending sessions."""
        async with self._store.writing() as transaction:
            yield MemorySessionKeeping(transaction)

    @asynccontextmanager
    async def journal(self) -> AsyncIterator[MemoryJournal]:
        """For what came to nothing."""
        async with self._store.writing() as transaction:
            yield MemoryJournal(transaction)

    @asynccontextmanager
    async def own_reading(self) -> AsyncIterator[MemoryOwnReading]:
        """For somebody's own sessions and events."""
        async with self._store.reading() as tables:
            yield MemoryOwnReading(tables)

    @asynccontextmanager
    async def own_request(self) -> AsyncIterator[MemoryOwnRequest]:
        """For a letter that somebody signed in asks for."""
        async with self._store.writing() as transaction:
            yield MemoryOwnRequest(transaction)

    @asynccontextmanager
    async def account_keeping(self) -> AsyncIterator[MemoryAccountKeeping]:
        """For changing, deleting and restoring an account."""
        async with self._store.writing() as transaction:
            yield MemoryAccountKeeping(transaction)

    @asynccontextmanager
    async def oversight(self) -> AsyncIterator[MemoryOversight]:
        """For administrators who look."""
        async with self._store.reading() as tables:
            yield MemoryOversight(tables)

    @asynccontextmanager
    async def administration(self) -> AsyncIterator[MemoryAdministration]:
        """For administrators who act."""
        async with self._store.writing() as transaction:
            yield MemoryAdministration(transaction)

    @asynccontextmanager
    async def delivery(self) -> AsyncIterator[MemoryDelivery]:
        """For deciding what a letter becomes."""
        async with self._store.writing() as transaction:
            yield MemoryDelivery(transaction)

    @asynccontextmanager
    async def mailroom(self) -> AsyncIterator[MemoryMailroom]:
        """For the operator."""
        async with self._store.writing() as transaction:
            yield MemoryMailroom(transaction)

    @asynccontextmanager
    async def emigration(self) -> AsyncIterator[MemoryEmigration]:
        """For seeing who is here."""
        async with self._store.reading() as tables:
            yield MemoryEmigration(tables)

    @asynccontextmanager
    async def immigration(self) -> AsyncIterator[MemoryImmigration]:
        """For bringing people in."""
        async with self._store.writing() as transaction:
            yield MemoryImmigration(transaction)
