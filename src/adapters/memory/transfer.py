"""Many people at once, over dicts."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from adapters.memory.collections import MemoryUsernameClaims
from adapters.memory.events import KEY, MemoryEvents
from adapters.memory.store import Claim, MemoryTransaction, Tables
from adapters.memory.users import MemoryUsers
from application.ports.transfer import newcomer_event
from domain.email_address import EmailAddress
from domain.events import EventKind, pseudonym_of
from domain.newcomer import Newcomer
from domain.password import NO_PASSWORD
from domain.user import Credential
from domain.username import Username


class MemoryResidents:
    """`Residents`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def here(self, ids: Collection[UUID]) -> set[UUID]:
        return set(ids) & set(self._tables.users)

    async def gone(self, ids: Collection[UUID]) -> set[UUID]:
        known_as = {pseudonym_of(user_id, KEY): user_id for user_id in ids}
        deleted = (row.event for row in self._tables.events.values() if row.event.kind == EventKind.ACCOUNT_DELETED)
        return {known_as[event.user_id] for event in deleted if event.user_id in known_as}

    async def with_emails(self, emails: Collection[EmailAddress]) -> set[EmailAddress]:
        return set(emails) & {user.email for user in self._tables.users.values()}

    async def with_usernames(self, usernames: Collection[Username], now: datetime) -> set[Username]:
        def lasts(claim: Claim | None) -> bool:
            return claim is not None and (claim.expires_at is None or claim.expires_at > now)

        return {username for username in usernames if lasts(self._tables.claims.get(username.name))}

    async def page(self, after: UUID | None, most: int) -> list[Newcomer]:
        ids = sorted(user_id for user_id in self._tables.users if after is None or user_id > after)
        return [self._newcomer(user_id) for user_id in ids[:most]]

    def _newcomer(self, user_id: UUID) -> Newcomer:
        credential = self._tables.credentials.get(user_id)
        return Newcomer(
            user=self._tables.users[user_id],
            password_hash=credential.password_hash if credential else NO_PASSWORD,
            origin=self._tables.origins.get(user_id),
        )


class MemoryNewcomers:
    """`Newcomers`."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._users = MemoryUsers(tables)
        self._claims = MemoryUsernameClaims(tables)
        self._events = MemoryEvents(tables)

    async def add(self, newcomers: Sequence[Newcomer], now: datetime) -> set[UUID]:
        return {newcomer.user.id for newcomer in newcomers if await self._added(newcomer, now)}

    async def _added(self, newcomer: Newcomer, now: datetime) -> bool:
        user = newcomer.user
        if await self._users.add(replace(user, username=None)):
            return False
        if user.username is not None and await self._claims.claim(
            user.username, holder=user.id, now=now, expires_at=None
        ):
            self._tables.users[user.id] = user
        self._tables.credentials[user.id] = Credential(user_id=user.id, password_hash=newcomer.password_hash)
        if newcomer.origin is not None:
            self._tables.origins[user.id] = newcomer.origin
        for sign_up in list(self._tables.sign_ups.values()):
            if sign_up.email == user.email and sign_up.proven_at is None:
                del self._tables.sign_ups[sign_up.id]
        await self._events.add(newcomer_event(newcomer), now)
        return True


class MemoryEmigration:
    """`Emigration`."""

    def __init__(self, tables: Tables) -> None:
        self.residents = MemoryResidents(tables)


class MemoryImmigration:
    """`Immigration`."""

    def __init__(self, transaction: MemoryTransaction) -> None:
        self.newcomers = MemoryNewcomers(transaction.tables)
        self.commit = transaction.commit
