"""Users and their accounts, over dicts."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from adapters.memory.store import Tables
from domain.email_address import EmailAddress
from domain.password import PasswordHash
from domain.user import Credential, User
from domain.username import Username


class MemoryUsers:
    """`Users`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, user: User) -> frozenset[str]:
        others = self._tables.users.values()
        taken = {"email" for other in others if other.id == user.id or other.email == user.email}
        taken |= {"username" for other in others if other.username is not None and other.username == user.username}
        if not taken:
            self._tables.users[user.id] = user
        return frozenset(taken)

    async def get(self, user_id: UUID) -> User | None:
        return self._tables.users.get(user_id)

    async def of_email(self, email: EmailAddress) -> User | None:
        return next((user for user in self._tables.users.values() if user.email == email), None)

    async def hold(self, user_id: UUID) -> User | None:
        return self._tables.users.get(user_id)

    async def save(self, user: User) -> bool:
        others = [other for other in self._tables.users.values() if other.id != user.id]
        if any(other.email == user.email for other in others):
            return False
        if user.username is not None and any(other.username == user.username for other in others):
            return False
        if user.id in self._tables.users:
            self._tables.users[user.id] = user
        return True

    async def remove(self, user_id: UUID) -> None:
        self._tables.users.pop(user_id, None)
        self._tables.credentials.pop(user_id, None)
        self._tables.origins.pop(user_id, None)
        for session in list(self._tables.sessions.values()):
            if session.user_id == user_id:
                del self._tables.sessions[session.id]

    async def note_first_sign_in(self, user_id: UUID, now: datetime) -> None:
        stored = self._tables.users.get(user_id)
        if stored is not None and stored.first_signed_in_at is None:
            self._tables.users[user_id] = replace(stored, first_signed_in_at=now)

    async def prove(self, user: User) -> bool:
        stored = self._tables.users.get(user.id)
        if stored is None or stored.email != user.email or stored.email_verified:
            return False
        self._tables.users[user.id] = replace(
            stored, email_verified=True, name=user.name, fields=user.fields, locale=user.locale
        )
        return True


class MemoryOwnCredentials:
    """`OwnCredentials`."""

    def __init__(self, tables: Tables) -> None:
        self.of_user = MemoryAccounts(tables).of_user


class MemoryAccounts:
    """`Accounts`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, account_id: UUID, credential: Credential, now: datetime) -> None:
        self._tables.credentials[credential.user_id] = credential

    async def of_user(self, user_id: UUID) -> Credential | None:
        return self._tables.credentials.get(user_id)

    async def hold(self, user_id: UUID) -> Credential | None:
        return self._tables.credentials.get(user_id)

    async def replace(self, credential: Credential, new: PasswordHash, now: datetime) -> bool:
        stored = self._tables.credentials.get(credential.user_id)
        if stored is None or stored.version != credential.version:
            return False
        self._tables.credentials[credential.user_id] = replace(stored, password_hash=new, version=stored.version + 1)
        return True

    async def rehash(self, user_id: UUID, *, old: PasswordHash, new: PasswordHash, now: datetime) -> bool:
        credential = self._tables.credentials.get(user_id)
        if credential is None or credential.password_hash != old:
            return False
        self._tables.credentials[user_id] = replace(credential, password_hash=new)
        return True


class MemoryLogins:
    """`Logins`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def by_email(self, email: EmailAddress) -> tuple[User, Credential] | None:
        return self._login([user for user in self._tables.users.values() if user.email == email])

    async def by_username(self, username: Username) -> tuple[User, Credential] | None:
        return self._login([user for user in self._tables.users.values() if user.username == username])

    def _login(self, users: list[User]) -> tuple[User, Credential] | None:
        credential = self._tables.credentials.get(users[0].id) if users else None
        return (users[0], credential) if credential else None
