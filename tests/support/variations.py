"""Worlds in which one port is played by something else: small adapters that misbehave, or that watch a real one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from application.ports.hashing import PasswordHasher
from application.ports.letters import LetterRenderer
from domain.client import Client
from domain.email_address import EmailAddress
from domain.errors import Overloaded, Unavailable
from domain.letters import Letter, RenderedLetter
from domain.password import HashFault, Password, PasswordHash
from domain.user import Credential, User
from tests.support.mail import Mailbox
from tests.support.world import World


def changed(world: World, **use_cases: Any) -> World:
    """The same world with other use cases in some places."""
    ostiary = replace(world.ostiary, use_cases=replace(world.use_cases, **use_cases))
    return World(ostiary, world.clock, world.mailbox, world.events)


def with_mailbox(world: World, mailbox: Mailbox) -> World:
    """The same world with another mailbox."""
    deliver_mail = replace(world.use_cases.deliver_mail, sender=mailbox)
    other = changed(world, deliver_mail=deliver_mail)
    return World(other.ostiary, world.clock, mailbox, world.events)


def client(number: int) -> Client:
    """One of many strangers, each from a network of their own."""
    return Client(f"203.0.{number // 250}.{number % 250}", "curl")


class WatchedHasher:
    """`PasswordHasher` that has another do the work, and remembers what was asked of it."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self.work: list[str] = []

    async def hash(self, password: Password) -> PasswordHash:
        self.work.append("hash")
        return await self._hasher.hash(password)

    async def verify(self, password: Password, stored: PasswordHash) -> bool:
        self.work.append("verify")
        return await self._hasher.verify(password, stored)

    async def verify_decoy(self, password: Password, identifier: str) -> None:
        self.work.append("verify")
        await self._hasher.verify_decoy(password, identifier)

    def fault_of(self, stored: PasswordHash) -> HashFault | None:
        return self._hasher.fault_of(stored)

    def outdated(self, stored: PasswordHash, password: Password) -> bool:
        return self._hasher.outdated(stored, password)


class PausingHasher(WatchedHasher):
    """Has verified a password and waits to be told to go on: what happens meanwhile is the test's choice."""

    def __init__(self, hasher: PasswordHasher) -> None:
        super().__init__(hasher)
        self.verified = asyncio.Event()
        self.go_on = asyncio.Event()

    async def verify(self, password: Password, stored: PasswordHash) -> bool:
        matches = await super().verify(password, stored)
        self.verified.set()
        await self.go_on.wait()
        return matches


class BusyHasher:
    """`PasswordHasher` whose slots and queue are full."""

    async def hash(self, password: Password) -> PasswordHash:
        raise Overloaded

    async def verify(self, password: Password, stored: PasswordHash) -> bool:
        raise Overloaded

    async def verify_decoy(self, password: Password, identifier: str) -> None:
        raise Overloaded

    def fault_of(self, stored: PasswordHash) -> HashFault | None:
        return None

    def outdated(self, stored: PasswordHash, password: Password) -> bool:
        return False


class StalledHasher:
    """`PasswordHasher` that has begun and does not come to an end until it is `open`."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self.busy = asyncio.Event()
        self.open = asyncio.Event()

    async def hash(self, password: Password) -> PasswordHash:
        await self._stall()
        return await self._hasher.hash(password)

    async def verify(self, password: Password, stored: PasswordHash) -> bool:
        await self._stall()
        return await self._hasher.verify(password, stored)

    async def verify_decoy(self, password: Password, identifier: str) -> None:
        await self._stall()
        await self._hasher.verify_decoy(password, identifier)

    def fault_of(self, stored: PasswordHash) -> HashFault | None:
        return self._hasher.fault_of(stored)

    def outdated(self, stored: PasswordHash, password: Password) -> bool:
        return self._hasher.outdated(stored, password)

    async def _stall(self) -> None:
        self.busy.set()
        await self.open.wait()


def failing_at_commit(opens: Callable[[], AbstractAsyncContextManager[Any]]) -> Callable[[], Any]:
    """The same unit of work on a disk that is full."""

    async def commit() -> None:
        raise Unavailable

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        async with opens() as unit:
            unit.commit = commit
            yield unit

    return opened


class BreakingRenderer:
    """`LetterRenderer` that breaks on one recipient's letters while `broken`."""

    def __init__(self, renderer: LetterRenderer, recipient: str) -> None:
        self._renderer = renderer
        self._recipient = recipient
        self.broken = True

    def render(self, letter: Letter, letter_id: UUID) -> RenderedLetter:
        if self.broken and letter.recipient.canonical == self._recipient:
            raise KeyError("a template is missing")
        return self._renderer.render(letter, letter_id)


class ForgetfulMailbox(Mailbox):
    """Takes each letter, and then says it did not: the answer of a mail server that got lost."""

    async def send(self, letter: RenderedLetter) -> None:
        self.letters.append(letter)
        if self.trouble is not None:
            raise self.trouble


class DiscerningMailbox(Mailbox):
    """Has trouble with one recipient only."""

    def __init__(self, recipient: str, trouble: BaseException) -> None:
        super().__init__()
        self._recipient = recipient
        self._trouble = trouble

    async def send(self, letter: RenderedLetter) -> None:
        if letter.recipient.canonical == self._recipient:
            raise self._trouble
        await super().send(letter)


class SlowMailbox(Mailbox):
    """Holds every letter, or those to one recipient, at the counter until `open` is set."""

    def __init__(self, *, for_recipient: str | None = None) -> None:
        super().__init__()
        self._recipient = for_recipient
        self.busy = asyncio.Event()
        self.open = asyncio.Event()
        self.at_the_counter: list[RenderedLetter] = []

    async def send(self, letter: RenderedLetter) -> None:
        if self._recipient in (None, letter.recipient.canonical):
            self.at_the_counter.append(letter)
            self.busy.set()
            await self.open.wait()
        await super().send(letter)


async def disabled_user(world: World, email: str, password: str, *, email_verified: bool = True) -> None:
    """A user whom an administrator has shut out; planted through the ports, for want of a use case."""
    now = world.clock.now()
    password_hash = await world.use_cases.sign_up.hasher.hash(Password.parse(password))
    user = User(
        id=uuid4(),
        email=EmailAddress.parse(email),
        email_verified=email_verified,
        name=None,
        username=None,
        created_at=now,
        disabled_at=now,
    )
    async with world.use_cases.verify_email.proving() as unit:
        assert not await unit.users.add(user)
        await unit.accounts.add(uuid4(), Credential(user_id=user.id, password_hash=password_hash), now)
        await unit.commit()
