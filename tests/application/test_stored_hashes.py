"""Whatever stands where a password's hash belongs: nobody is let in by it who should not be, and nobody is hurt."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from application.admission import SessionWish
from application.use_cases.password_reset import ForgotPasswordCommand, ResetPasswordCommand
from application.use_cases.sign_in import SignInCommand
from domain.email_address import EmailAddress
from domain.errors import InvalidCredentials
from domain.events import EventKind, RecordedEvent
from domain.password import NO_PASSWORD, Password, PasswordHash
from domain.user import User
from tests.support.variations import WatchedHasher, changed
from tests.support.world import ADA, HERE, PASSWORD, World, make_world

UNUSABLE = {
    "a demand for 4 GiB": (
        "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g",
        "hash_immoderate",
    ),
    "2^31 passes": (
        "$argon2id$v=19$m=64,t=2147483648,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g",
        "hash_immoderate",
    ),
    "a hash cut off": ("$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0", "hash_unreadable"),
    "nothing": ("", "hash_unreadable"),
    "the password itself": (PASSWORD, "hash_unreadable"),
}


async def plant(world: World, stored: PasswordHash, **fields: Any) -> User:
    """Somebody in whose account it stands."""
    sent = await world.sign_up(ADA, **fields)
    user = (await world.verify(await world.token_for(ADA), cookie=sent.cookie.text)).user
    async with world.use_cases.reset_password.keeping() as unit:
        credential = await unit.accounts.hold(user.id)
        assert credential is not None
        assert await unit.accounts.rehash(user.id, old=credential.password_hash, new=stored, now=world.clock.now())
        await unit.commit()
    world.events.recorded.clear()
    world.clock.advance(minutes=1)
    return user


async def record_of(world: World, user: User) -> list[RecordedEvent]:
    async with world.use_cases.list_events.reading() as unit:
        return await unit.events.of_user(user.id, before=None, most=1)


@pytest.mark.parametrize("case", UNUSABLE)
async def test_an_unusable_hash_is_a_failed_sign_in_and_an_event(any_world: World, case: str) -> None:
    encoded, reason = UNUSABLE[case]
    user = await plant(any_world, PasswordHash(encoded))
    for _ in range(2):
        with pytest.raises(InvalidCredentials):
            await any_world.sign_in()
    assert any_world.events.kinds() == [EventKind.SIGN_IN_FAILED, EventKind.HASH_UNUSABLE] * 2
    failed, unusable = any_world.events.recorded[:2]
    assert (failed.user_id, failed.reason) == (None, None), "what is logged of a failure tells of nobody"
    assert (unusable.user_id, unusable.reason) == (user.id, reason)
    [recorded] = await record_of(any_world, user)
    assert (recorded.kind, recorded.reason) == ("sign_in_failed", reason)


async def test_who_has_no_password_is_nobody_special_in_the_log(any_world: World) -> None:
    user = await plant(any_world, NO_PASSWORD)
    for guess in ("!", PASSWORD):
        with pytest.raises(InvalidCredentials):
            await any_world.sign_in(password=guess)
    assert any_world.events.kinds() == [EventKind.SIGN_IN_FAILED] * 2
    [recorded] = await record_of(any_world, user)
    assert recorded.reason == "no_password"


@pytest.mark.parametrize("case", ["no password", *UNUSABLE])
async def test_where_there_is_no_hash_to_verify_a_decoy_is_so_that_it_takes_as_long(world: World, case: str) -> None:
    stored = NO_PASSWORD if case == "no password" else PasswordHash(UNUSABLE[case][0])
    await plant(world, stored)
    hasher = WatchedHasher(world.use_cases.sign_in.hasher)
    watched = changed(world, sign_in=replace(world.use_cases.sign_in, hasher=hasher))
    for email in (ADA, "nobody@example.com"):
        with pytest.raises(InvalidCredentials):
            await watched.sign_in(email)
    assert hasher.work == ["verify", "verify"], "one each, a decoy's"


async def test_the_decoy_is_drawn_for_the_address_and_costs_what_hashes_here_cost(world: World) -> None:
    drawn: list[str] = []

    class Noting(WatchedHasher):
        async def verify_decoy(self, password: Password, identifier: str) -> None:
            drawn.append(identifier)
            await super().verify_decoy(password, identifier)

    hasher = Noting(world.use_cases.sign_in.hasher)
    watched = changed(world, sign_in=replace(world.use_cases.sign_in, hasher=hasher))
    for typed in (" Nobody@EXAMPLE.com", "nobody@example.com"):
        with pytest.raises(InvalidCredentials):
            await watched.sign_in(typed)
    assert drawn == [EmailAddress("nobody@example.com").canonical] * 2, "however it is spelt"


async def test_who_has_an_unusable_hash_gets_in_again_by_a_letter(any_world: World) -> None:
    await plant(any_world, PasswordHash(UNUSABLE["a demand for 4 GiB"][0]))
    await any_world.use_cases.forgot_password(ForgotPasswordCommand(email=ADA, client=HERE))
    token = await any_world.link_token("Choose a new password")
    command = ResetPasswordCommand(token=token, password="the countess's own choice", client=HERE)
    await any_world.use_cases.reset_password(command)
    await any_world.sign_in(password="the countess's own choice")


async def test_who_has_no_password_takes_the_same_by_address_and_by_username(tmp_path: Path) -> None:
    """As whoever has one does: two kinds would tell that both names are one account's that has none."""
    drawn: list[str] = []

    class Noting(WatchedHasher):
        async def verify_decoy(self, password: Password, identifier: str) -> None:
            drawn.append(identifier)
            await super().verify_decoy(password, identifier)

    async with make_world("memory", tmp_path, {"OSTIARY_USERNAME": "optional"}) as world:
        await plant(world, NO_PASSWORD, username="ada")
        sign_in = replace(world.use_cases.sign_in, hasher=Noting(world.use_cases.sign_in.hasher))
        wish = SessionWish(client=HERE)
        for command in (
            SignInCommand(email=ADA, password=PASSWORD, session=wish),
            SignInCommand(username="ada", password=PASSWORD, session=wish),
        ):
            with pytest.raises(InvalidCredentials):
                await sign_in(command)
    assert drawn == [ADA, ADA]
