"""What administrators look through and act on, over dicts."""

from datetime import datetime
from uuid import UUID

from adapters.memory.collections import MemoryLetters, MemorySignUps, MemoryUsernameClaims
from adapters.memory.events import MemoryEventRecord, MemoryEvents
from adapters.memory.sessions import MemoryOwnSessions, MemorySessions
from adapters.memory.store import MemoryTransaction, Tables
from adapters.memory.users import MemoryAccounts, MemoryUsers
from application.ports.administration import Place, UserFilter, ascii_lower
from domain.email_address import EmailAddress
from domain.user import User
from domain.username import Username


class MemoryUserDirectory:
    """`UserDirectory`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def find(self, which: UserFilter, *, after: Place | None, most: int) -> list[User]:
        def place(user: User) -> tuple[datetime, UUID]:
            return user.created_at, user.id

        found = [user for user in self._tables.users.values() if _fits(user, which)]
        if after is not None:
            found = [user for user in found if place(user) < (after.created_at, after.id)]
        return sorted(found, key=place, reverse=True)[:most]

    async def get(self, whom: UUID | EmailAddress | Username) -> User | None:
        return next(
            (user for user in self._tables.users.values() if whom in (user.id, user.email, user.username)), None
        )


class MemoryEverybodysSessions:
    """`EverybodysSessions`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def end(self, most: int) -> int:
        some = list(self._tables.sessions)[:most]
        for session_id in some:
            del self._tables.sessions[session_id]
        return len(some)


class MemoryOversight:
    """`Oversight`."""

    def __init__(self, tables: Tables) -> None:
        self.directory = MemoryUserDirectory(tables)
        self.sessions = MemoryOwnSessions(tables)
        self.events = MemoryEventRecord(tables)


class MemoryAdministration:
    """`Administration`."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self.accounts = MemoryAccounts(transaction.tables)
        self.users = MemoryUsers(transaction.tables)
        self.usernames = MemoryUsernameClaims(transaction.tables)
        self.sign_ups = MemorySignUps(transaction.tables)
        self.sessions = MemorySessions(transaction.tables)
        self.everybodys_sessions = MemoryEverybodysSessions(transaction.tables)
        self.letters = MemoryLetters(transaction.tables)
        self.events = MemoryEvents(transaction.tables)
        self.commit = transaction.commit


def _fits(user: User, which: UserFilter) -> bool:
    if which.text is not None and user.id != which.id:
        texts = [user.email.canonical, user.username.name if user.username else "", user.name.text if user.name else ""]
        if not any(spelling in ascii_lower(text) for spelling in which.spellings for text in texts):
            return False
    if which.role is not None and user.role != which.role:
        return False
    if which.disabled is not None and user.disabled is not which.disabled:
        return False
    return which.verified is None or user.email_verified is which.verified
