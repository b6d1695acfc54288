"""Open sign-up (R13, R14, R16-R18, R20): docs/sign-up.md, docs/decisions/0010-open-sign-up.md."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from application.admission import SignedIn
from application.use_cases.open_sign_up import OpenSignUp, SignedUp
from application.use_cases.sign_up import SignUp
from application.waiting_room import VerificationSent
from domain.email_address import EmailAddress
from domain.errors import (
    Conflict,
    InvalidCredentials,
    Overloaded,
    RateLimited,
    TokenInvalid,
    Unauthenticated,
    Unavailable,
)
from domain.events import EventKind
from domain.session import Transport
from tests.support.refusals import limit_of, refused, violations_of
from tests.support.variations import BusyHasher, WatchedHasher, changed, client, disabled_user, failing_at_commit
from tests.support.world import ADA, ELSEWHERE, HERE, OTHER_PASSWORD, PASSWORD, World, make_world

BOB = "bob@example.com"
NAMED = {"OSTIARY_USERNAME": "optional"}
FRIENDLY = {**NAMED, "OSTIARY_DISCLOSURE": "friendly"}
OPTIONAL = {**NAMED, "OSTIARY_VERIFICATION": "optional"}
UNCOUNTED = {f"OSTIARY_LIMIT_{name}": "off" for name in ("SIGN_UP_ADDRESS", "SIGN_UP_CLIENT", "LETTER_DAY")}

Worlds = Callable[[Mapping[str, str]], AbstractAsyncContextManager[World]]


@pytest.fixture
def worlds(store_kind: str, tmp_path: Path) -> Worlds:
    """Worlds over each store in turn, with settings of the test's choice."""
    return lambda variables: make_world(store_kind, tmp_path, variables)


@pytest.fixture
async def friendly(worlds: Worlds) -> AsyncIterator[World]:
    """Verification is required, and a taken address is said to be taken."""
    async with worlds(FRIENDLY) as made:
        yield made


@pytest.fixture
async def optional(worlds: Worlds) -> AsyncIterator[World]:
    """Verification is optional."""
    async with worlds(OPTIONAL) as made:
        yield made


async def taken(world: World, email: str, *, password: str = OTHER_PASSWORD, **fields: Any) -> list[str]:
    """Which fields a sign-up is told are taken."""
    with pytest.raises(Conflict) as caught:
        await world.ask_to_join(email, password, name="Mallory", client=client(9), **fields)
    assert {violation.code for violation in caught.value.violations} == {"taken"}
    return [violation.field for violation in caught.value.violations]


@pytest.mark.parametrize(
    ("variables", "use_case"),
    [
        ({}, SignUp),
        ({"OSTIARY_DISCLOSURE": "opaque"}, SignUp),
        ({"OSTIARY_DISCLOSURE": "friendly"}, OpenSignUp),
        ({"OSTIARY_VERIFICATION": "optional"}, OpenSignUp),
        ({"OSTIARY_VERIFICATION": "optional", "OSTIARY_DISCLOSURE": "friendly"}, OpenSignUp),
    ],
)
async def test_unless_it_is_asked_for_sign_up_cannot_know_users(
    variables: dict[str, str], use_case: type, tmp_path: Path
) -> None:
    async with make_world("memory", tmp_path, variables) as world:
        assert type(world.use_cases.sign_up) is use_case


# Friendly disclosure, required verification (R16)


async def test_where_disclosure_is_friendly_a_free_address_waits_as_ever(friendly: World) -> None:
    sent = await friendly.sign_up(username="countess")
    assert await refused(friendly.sign_in()) is InvalidCredentials
    friendly.clock.advance(seconds=1)
    await friendly.sign_up(password=OTHER_PASSWORD, client=client(2))
    signed_in = await friendly.verify(await friendly.token_for(), password=OTHER_PASSWORD)
    assert signed_in.user.email_verified
    assert sent.email == signed_in.user.email


async def test_a_users_address_is_a_conflict_and_nothing_is_written(friendly: World) -> None:
    await friendly.member()
    letters = len(friendly.mailbox.letters)
    assert await taken(friendly, f" {ADA.upper()} ", username="mallory") == ["email"]
    assert friendly.events.kinds()[-1] == EventKind.SIGN_UP_CONFLICT
    await friendly.deliver()
    assert len(friendly.mailbox.letters) == letters, "no letter, not even the notice"
    await friendly.sign_up(BOB, username="mallory")  # there is no claim either


async def test_friendly_conflicts_name_address_and_username_together(friendly: World) -> None:
    await friendly.member()
    await friendly.sign_up(BOB, username="countess")
    assert await taken(friendly, ADA, username="countess") == ["email", "username"]
    assert await taken(friendly, "carol@example.com", username="countess") == ["username"]
    assert await taken(friendly, ADA) == ["email"]


async def test_a_disabled_users_address_is_taken_too(friendly: World) -> None:
    await disabled_user(friendly, ADA, PASSWORD)
    assert await taken(friendly, ADA) == ["email"]


# Optional verification (R14)


async def test_where_verification_is_optional_the_user_is_there_at_once_and_signed_in(optional: World) -> None:
    signed_in = await optional.join(username="Countess")
    user = signed_in.user
    assert (str(user.email), str(user.name), str(user.username)) == (ADA, "Ada", "countess")
    assert (user.email_verified, user.disabled, user.role) == (False, False, "user")
    assert (await optional.identify(signed_in)).user == user
    assert optional.events.kinds() == [EventKind.SIGN_UP_REQUESTED, EventKind.SIGNED_IN]
    assert {event.user_id for event in optional.events.recorded} == {user.id}
    assert (await optional.sign_in(client=ELSEWHERE)).user == user


async def test_a_letter_asks_for_the_address_to_be_confirmed(optional: World) -> None:
    await optional.join(name="Click http://evil.example")
    await optional.deliver()
    [letter] = optional.mailbox.to(ADA)
    assert letter.subject == "Confirm your e-mail address for Ostiary"
    assert "evil" not in letter.subject + letter.text + letter.html


async def test_the_session_is_of_the_kind_that_is_asked_for(optional: World) -> None:
    session = (await optional.join(transport=Transport.TOKEN, remember=False)).session
    assert (session.transport, session.remember) == (Transport.TOKEN, False)
    assert session.absolute_expires_at - session.created_at == timedelta(hours=24)
    assert session.user_agent == HERE.user_agent


async def test_signing_up_need_not_sign_in(worlds: Worlds) -> None:
    """R13."""
    async with worlds({**OPTIONAL, "OSTIARY_AUTO_SIGN_IN": "off"}) as world:
        outcome = await world.ask_to_join(ADA, PASSWORD, name="Ada", client=HERE)
        assert isinstance(outcome, SignedUp)
        assert world.events.kinds() == [EventKind.SIGN_UP_REQUESTED]
        assert (await world.sign_in()).user == outcome.user


async def test_a_taken_address_or_username_is_a_conflict_and_both_are_named(optional: World) -> None:
    ada = await optional.join(username="countess")
    assert await taken(optional, ADA) == ["email"]
    assert await taken(optional, BOB, username="Countess") == ["username"]
    assert await taken(optional, ADA, username="countess") == ["email", "username"]
    assert optional.events.kinds()[-3:] == [EventKind.SIGN_UP_CONFLICT] * 3
    assert await refused(optional.sign_in(BOB, OTHER_PASSWORD)) is InvalidCredentials
    assert (await optional.sign_in()).user == ada.user
    await optional.deliver()
    assert [str(letter.recipient) for letter in optional.mailbox.letters] == [ADA]


async def test_a_refused_sign_up_takes_no_username(optional: World) -> None:
    await optional.join()
    assert await taken(optional, ADA, username="countess") == ["email"]
    assert str((await optional.join(BOB, username="countess", client=client(2))).user.username) == "countess"


async def test_a_username_is_its_users_for_good(optional: World) -> None:
    await optional.join(username="countess")
    optional.clock.advance(days=400)
    await optional.use_cases.keep_house()
    assert await taken(optional, BOB, username="countess") == ["username"]


async def test_a_username_that_a_sign_up_waits_with_is_taken_too_until_it_lapses(tmp_path: Path) -> None:
    """After a change of mode: claims are there that belong to no user."""
    async with make_world("sqlite", tmp_path, NAMED) as before:
        await before.sign_up(BOB, username="countess")
    async with make_world("sqlite", tmp_path, OPTIONAL) as world:
        assert await taken(world, ADA, username="countess") == ["username"]
        world.clock.advance(hours=48)
        await world.join(username="countess")


async def test_whatever_is_wrong_is_told_before_anything_is_looked_up(optional: World) -> None:
    await optional.join(username="countess")
    attempt = optional.join(ADA, "short", name="\x00", username="countess")
    assert await violations_of(attempt) == [("name", "invalid_characters"), ("password", "too_short")]


async def test_a_failed_commit_leaves_neither_user_nor_letter_nor_claim(optional: World) -> None:
    sign_up = optional.use_cases.sign_up
    broken = changed(optional, sign_up=replace(sign_up, intake=failing_at_commit(sign_up.intake)))
    for _ in range(10):
        assert await refused(broken.join(username="countess")) is Unavailable
    assert await refused(optional.sign_in()) is InvalidCredentials
    await optional.deliver()
    assert optional.mailbox.letters == []
    await optional.join(username="countess")


async def test_a_busy_service_uses_up_nothing(optional: World) -> None:
    busy = changed(optional, sign_up=replace(optional.use_cases.sign_up, hasher=BusyHasher()))
    for _ in range(20):
        assert await refused(busy.join()) is Overloaded
    await optional.join()


async def test_one_client_learns_about_five_addresses_an_hour(optional: World) -> None:
    """What is left to slow down whoever goes through a list of addresses."""
    await optional.join(client=client(1))
    attempts = [await refused(optional.join(client=client(2))) for _ in range(6)]
    assert attempts == [Conflict] * 5 + [RateLimited]
    assert (await limit_of(optional.join(BOB, client=client(2)))).limit == "sign_up_client"
    optional.clock.advance(hours=1)
    await optional.join(BOB, client=client(2))


async def test_conflicts_use_up_nothing_of_the_address(optional: World) -> None:
    await optional.join()
    for number in range(30):
        assert await refused(optional.join(client=client(number))) is Conflict


# Races (R18)


@pytest.mark.every_store
@pytest.mark.parametrize("fields", [{}, {"username": "countess"}], ids=["address", "address and username"])
async def test_of_fifty_sign_ups_for_one_address_one_becomes_the_user(fields: dict[str, Any], worlds: Worlds) -> None:
    async with worlds({**OPTIONAL, **UNCOUNTED}) as world:
        attempts = (world.join(password=f"{PASSWORD} {number}", **fields) for number in range(50))
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
        [winner] = [outcome for outcome in outcomes if isinstance(outcome, SignedIn)]
        refusals = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
        assert len(refusals) == 49
        assert {violation.field for refusal in refusals for violation in refusal.violations} == {"email", *fields}
        assert (await world.identify(winner)).user == winner.user
        await world.deliver()
        assert len(world.mailbox.to(ADA)) == 1


@pytest.mark.every_store
async def test_of_fifty_who_want_one_username_one_gets_it(worlds: Worlds) -> None:
    async with worlds({**OPTIONAL, **UNCOUNTED}) as world:
        attempts = (world.join(f"person{number}@example.com", username="countess") for number in range(50))
        outcomes = await asyncio.gather(*attempts, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes].count(SignedIn) == 1
        refusals = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
        assert [[violation.field for violation in refusal.violations] for refusal in refusals] == [["username"]] * 49
        await world.deliver()
        assert len(world.mailbox.letters) == 1


# A change of mode


async def test_a_user_and_a_sign_up_from_before_for_one_address_do_not_become_two_users(tmp_path: Path) -> None:
    async with make_world("sqlite", tmp_path) as required:
        waiting = await required.sign_up()
        token = await required.token_for()
    async with make_world("sqlite", tmp_path, OPTIONAL) as world:
        user = (await world.join(password=OTHER_PASSWORD, client=client(2))).user
        assert await refused(world.verify(token, cookie=waiting.cookie.text)) is TokenInvalid
        assert await refused(world.verify(token, new_password="chosen by the mailbox's owner")) is TokenInvalid
        assert (await world.sign_in(password=OTHER_PASSWORD)).user == user


async def test_a_users_username_is_taken_for_those_who_may_not_look_at_users_too(tmp_path: Path) -> None:
    async with make_world("sqlite", tmp_path, OPTIONAL) as before:
        await before.join(username="countess")
    async with make_world("sqlite", tmp_path, NAMED) as world:
        world.clock.advance(days=400)
        await world.use_cases.keep_house()
        assert await taken(world, BOB, username="countess") == ["username"]


async def test_where_verification_is_required_again_the_unverified_are_out_until_they_prove_their_mailbox(
    tmp_path: Path,
) -> None:
    """R47, R50."""
    async with make_world("sqlite", tmp_path, OPTIONAL) as before:
        unverified = await before.join()
        verified = await before.join(BOB)
        await before.verify(await before.token_for(BOB), caller=await before.identify(verified))
    async with make_world("sqlite", tmp_path) as world:
        hasher = WatchedHasher(world.use_cases.sign_in.hasher)
        watched = changed(world, sign_in=replace(world.use_cases.sign_in, hasher=hasher))
        for email in (ADA, "nobody@example.com"):
            assert await refused(watched.sign_in(email)) is InvalidCredentials
        assert hasher.work == ["verify", "verify"], "the same work as for an address nobody has"
        assert await refused(world.identify(unverified)) is Unauthenticated
        await world.identify(verified)
        await world.resend(email=ADA)
        proven = await world.verify(await world.token_for(), password=PASSWORD)
        assert proven.user == replace(unverified.user, email_verified=True)
        assert (await world.sign_in()).user == proven.user


async def test_under_opaque_disclosure_a_sign_up_for_an_unverified_users_address_is_a_letter_to_that_user(
    tmp_path: Path,
) -> None:
    async with make_world("sqlite", tmp_path, OPTIONAL) as before:
        user = (await before.join()).user
        await before.deliver()
    async with make_world("sqlite", tmp_path) as world:
        world.clock.advance(minutes=1)
        sent = await world.sign_up(password=OTHER_PASSWORD, client=client(2))
        assert isinstance(sent, VerificationSent)
        token = await world.token_for()
        assert [letter.subject for letter in world.mailbox.to(ADA)] == ["Confirm your e-mail address for Ostiary"]
        signed_in = await world.verify(token, password=PASSWORD)
        assert signed_in.user.id == user.id
        async with world.use_cases.resend_verification.intake() as intake:
            assert await intake.sign_ups.newest_waiting(EmailAddress(ADA), world.clock.now()) is None
