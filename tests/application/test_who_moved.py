"""Nobody can tell who moved: a refused sign-in costs the same makes of hash, as often, whoever is there (R34)."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.hashing.argon2 import Argon2Hash
from adapters.hashing.bcrypt import BcryptHash
from adapters.hashing.forms import ALL_FORMS
from adapters.hashing.pbkdf2 import Pbkdf2Hash
from application.ports.stored_hashes import Form, StoredHash
from domain.email_address import EmailAddress
from domain.errors import InvalidCredentials
from domain.password import NO_PASSWORD, Password, PasswordHash
from domain.user import Credential, User
from entrypoints.composition import Replacements, choices, compose, memory_store
from entrypoints.settings import read_settings
from tests.support.clock import SettableClock
from tests.support.hash_vectors import BY_FORM
from tests.support.mail import Mailbox
from tests.support.server import CHEAP, NO_LIMITS
from tests.support.world import Events, World

BCRYPT, PBKDF2, OWN = (BY_FORM[form] for form in ("bcrypt 2b", "passlib pbkdf2-sha256", "argon2id"))
MOVED = [BCRYPT.encoded] * 10 + [PBKDF2.encoded] * 6 + [OWN.encoded] * 4
NOBODY = [f"nobody{number}@example.com" for number in range(500)]


class Noted:
    """A stored hash that notes its make when a password is tried on it."""

    def __init__(self, found: StoredHash, tried: list[type]) -> None:
        self._found = found
        self._tried = tried
        self.work, self.memory_kib = found.work, found.memory_kib

    def matches(self, password: Password) -> bool:
        self._tried.append(type(self._found))
        return self._found.matches(password)


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[type]:
    """The makes that passwords were tried on, in order; every form reads as it does, and notes that."""
    noted: list[type] = []

    def noting(form: Form) -> Form:
        return lambda encoded: None if (found := form(encoded)) is None else Noted(found, noted)

    monkeypatch.setattr(choices, "ALL_FORMS", tuple(map(noting, ALL_FORMS)))
    return noted


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[World]:
    """Ostiary with the keyring that it chooses itself; over memory, whose key for decoys is always the same."""
    settings = read_settings({"OSTIARY_DATA_DIR": str(folder), **CHEAP, **NO_LIMITS}, dotenv=None)
    clock, mailbox, events = SettableClock(), Mailbox(), Events()
    replace = Replacements(store=memory_store(), clock=clock, mail_sender=mailbox, events=events)
    async with compose(settings, replace) as ostiary:
        yield World(ostiary, clock, mailbox, events)


async def bring(world: World, people: dict[str, str]) -> None:
    """Let these addresses come with these hashes."""
    now = world.clock.now()
    async with world.use_cases.verify_email.proving() as unit:
        for email, encoded in people.items():
            user = User(
                id=uuid4(), email=EmailAddress(email), email_verified=True, name=None, username=None, created_at=now
            )
            assert not await unit.users.add(user)
            await unit.accounts.add(uuid4(), Credential(user_id=user.id, password_hash=PasswordHash(encoded)), now)
        await unit.commit()


async def makes_tried(world: World, tried: list[type], emails: Iterable[str]) -> list[type]:
    """The make that each of these addresses is refused by."""
    tried.clear()
    emails = list(emails)
    for email in emails:
        with pytest.raises(InvalidCredentials):
            await world.sign_in(email, "not the right password")
    assert len(tried) == len(emails), "one hash each"
    return list(tried)


def shares(makes: list[type]) -> dict[type, float]:
    return {make: number / len(makes) for make, number in Counter(makes).items()}


async def test_nobodys_addresses_are_refused_by_the_makes_of_the_database_as_often(
    tmp_path: Path, tried: list[type]
) -> None:
    people = {f"person{number}@example.com": encoded for number, encoded in enumerate(MOVED)}
    async with house(tmp_path) as world:
        await bring(world, people)
        async with world.ostiary.watch():
            of_people = shares(await makes_tried(world, tried, people))
            of_nobody = shares(await makes_tried(world, tried, NOBODY))
    assert of_people == {BcryptHash: 0.5, Pbkdf2Hash: 0.3, Argon2Hash: 0.2}
    assert of_nobody == pytest.approx(of_people, abs=0.06)


async def test_they_follow_as_people_sign_in(tmp_path: Path, tried: list[type]) -> None:
    people = {f"person{number}@example.com": encoded for number, encoded in enumerate(MOVED)}
    async with house(tmp_path) as world:
        await bring(world, people)
        for email in [email for email, encoded in people.items() if encoded == BCRYPT.encoded][:8]:
            await world.sign_in(email, BCRYPT.password)
        async with world.ostiary.watch():
            of_people = shares(await makes_tried(world, tried, people))
            of_nobody = shares(await makes_tried(world, tried, NOBODY))
    assert of_people == {BcryptHash: 0.1, Pbkdf2Hash: 0.3, Argon2Hash: 0.6}
    assert of_nobody == pytest.approx(of_people, abs=0.06)


async def test_who_comes_without_a_password_is_refused_as_when_they_were_nobody(
    tmp_path: Path, tried: list[type]
) -> None:
    crowd = NOBODY[:60]
    async with house(tmp_path) as world:
        await bring(world, {f"person{number}@example.com": encoded for number, encoded in enumerate(MOVED)})
        async with world.ostiary.watch():
            before = await makes_tried(world, tried, crowd)
        await bring(world, dict.fromkeys(crowd, NO_PASSWORD.encoded))
        async with world.ostiary.watch():
            after = await makes_tried(world, tried, crowd)
    assert before == after
    assert len(set(after)) == 3
