"""People sign in with the hash they brought, whatever its form, and leave it behind (R32-R34)."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from domain.email_address import EmailAddress
from domain.errors import InvalidCredentials
from domain.events import EventKind
from domain.password import NO_PASSWORD, PasswordHash
from domain.user import Credential, User
from tests.support.hash_vectors import BY_FORM, TYPED, VECTORS
from tests.support.refusals import refused
from tests.support.world import ADA, World, make_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with make_world("memory", tmp_path) as made:
        yield made


async def stored(world: World) -> PasswordHash:
    async with world.use_cases.sign_in.reading() as unit:
        found = await unit.logins.by_email(EmailAddress(ADA))
    assert found is not None
    return found[1].password_hash


async def bring(world: World, encoded: str) -> UUID:
    """Let Ada come with a hash from elsewhere; her id."""
    email, now = EmailAddress(ADA), world.clock.now()
    ada = User(id=uuid4(), email=email, email_verified=True, name=None, username=None, created_at=now)
    async with world.use_cases.verify_email.proving() as unit:
        assert not await unit.users.add(ada)
        await unit.accounts.add(uuid4(), Credential(user_id=ada.id, password_hash=PasswordHash(encoded)), now)
        await unit.commit()
    return ada.id


@pytest.mark.parametrize("form", BY_FORM)
async def test_a_hash_from_elsewhere_lets_its_owner_in_and_becomes_argon2id(world: World, form: str) -> None:
    vector = BY_FORM[form]
    password = TYPED if form == "scrypt-node-trim" else vector.password
    ada = await bring(world, vector.encoded)
    assert await refused(world.sign_in(password=password + "x")) is InvalidCredentials
    assert (await stored(world)).encoded == vector.encoded, "failure changes nothing"

    assert (await world.sign_in(password=password)).user.id == ada
    now = (await stored(world)).encoded
    assert now.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert world.events.kinds().count(EventKind.PASSWORD_REHASHED) == 1

    await world.sign_in(password=password)
    assert (await stored(world)).encoded == now, "once is enough"


async def test_what_bcrypt_did_not_look_at_counts_from_the_next_hash_on(world: World) -> None:
    long = next(v for v in VECTORS if v.form == "bcrypt 2b" and v.password == TYPED * 5)
    await bring(world, long.encoded)
    await world.sign_in(password=long.password)
    assert await refused(world.sign_in(password=long.password[:72])) is InvalidCredentials
    await world.sign_in(password=long.password)


async def test_what_is_typed_the_next_time_is_normalised(world: World) -> None:
    vector = next(v for v in VECTORS if v.form == "bcrypt 2b" and not v.password.isascii())
    await bring(world, vector.encoded)
    composed = "passé \ufb01 Å ż"
    assert await refused(world.sign_in(password=composed)) is InvalidCredentials
    await world.sign_in(password=vector.password)
    await world.sign_in(password=composed)


@pytest.mark.parametrize(
    "encoded",
    [NO_PASSWORD.encoded, "", "garbage", "$2b$31$" + "a" * 53, "$scrypt$ln=63,r=8,p=1$c2FsdHNhbHQ$aGFzaA"],
    ids=["none", "empty", "garbage", "immoderate", "more than there is"],
)
async def test_nobody_is_let_in_by_a_hash_that_is_unusable(world: World, encoded: str) -> None:
    await bring(world, encoded)
    for password in ("", encoded, TYPED):
        assert await refused(world.sign_in(password=password)) is InvalidCredentials
    assert (await stored(world)).encoded == encoded
    kinds = world.events.kinds()
    assert (EventKind.HASH_UNUSABLE in kinds) is (encoded != NO_PASSWORD.encoded)


SIMILAR = {
    "scrypt-node-trim": (TYPED, f" {TYPED}\u00a0"),
    "scrypt-better-auth": (TYPED, TYPED.replace("e", "\uff45")),
}


@pytest.mark.parametrize("form", SIMILAR)
async def test_who_gets_in_by_a_slip_that_the_old_system_forgave_is_not_bound_to_it(world: World, form: str) -> None:
    """A new hash of what was typed this time would let nobody in by the password they think they have."""
    usual, slip = SIMILAR[form]
    await bring(world, next(vector.encoded for vector in VECTORS if vector.form == form and TYPED in vector.password))
    await world.sign_in(password=slip)
    await world.sign_in(password=usual)
    with pytest.raises(InvalidCredentials):
        await world.sign_in(password=slip)
