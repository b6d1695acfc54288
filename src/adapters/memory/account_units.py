"""The units of work about somebody's own account, over dicts: one object per need."""

from adapters.memory.collections import (
    MemoryLetters,
    MemorySignUps,
    MemoryTokens,
    MemoryUsernameClaims,
)
from adapters.memory.events import MemoryEventHistory, MemoryEvents, MemoryReversals
from adapters.memory.sessions import MemoryLivingSessions, MemoryOwnSessions, MemorySessions
from adapters.memory.store import MemoryTransaction, Tables
from adapters.memory.users import MemoryAccounts, MemoryOwnCredentials, MemoryUsers


class MemorySessionReading:
    """`SessionReading`."""

    def __init__(self, tables: Tables) -> None:
        self.sessions = MemoryLivingSessions(tables)


class MemorySessionKeeping:
    """`SessionKeeping`."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self.accounts = MemoryAccounts(transaction.tables)
        self.users = MemoryUsers(transaction.tables)
        self.sessions = MemorySessions(transaction.tables)
        self.events = MemoryEvents(transaction.tables)
        self.reversals = MemoryReversals(transaction.tables)
        self.letters = MemoryLetters(transaction.tables)
        self.commit = transaction.commit


class MemoryOwnReading:
    """`OwnReading`."""

    def __init__(self, tables: Tables) -> None:
        self.accounts = MemoryOwnCredentials(tables)
        self.sessions = MemoryOwnSessions(tables)
        self.events = MemoryEventHistory(tables)


class MemoryOwnRequest:
    """`OwnRequest`."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self.letters = MemoryLetters(transaction.tables)
        self.events = MemoryEvents(transaction.tables)
        self.commit = transaction.commit


class MemoryAccountKeeping:
    """`AccountKeeping`."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self.accounts = MemoryAccounts(transaction.tables)
        self.users = MemoryUsers(transaction.tables)
        self.usernames = MemoryUsernameClaims(transaction.tables)
        self.sign_ups = MemorySignUps(transaction.tables)
        self.sessions = MemorySessions(transaction.tables)
        self.tokens = MemoryTokens(transaction.tables)
        self.letters = MemoryLetters(transaction.tables)
        self.reversals = MemoryReversals(transaction.tables)
        self.events = MemoryEvents(transaction.tables)
        self.commit = transaction.commit
