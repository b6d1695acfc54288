"""Verification of somebody who is a user already (R14; DESIGN section 2, SECURITY 2.2): docs/verify-email.md."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from application.admission import SignedIn
from application.ports.letters import MailDelayed
from application.use_cases.identify import IdentifyCommand
from domain.email_address import EmailAddress
from domain.errors import (
    AlreadyVerified,
    InvalidCredentials,
    Overloaded,
    PasswordRequired,
    RateLimited,
    TokenExpired,
    TokenInvalid,
    Unauthenticated,
    Unavailable,
)
from domain.events import EventKind
from domain.letters import Occasion
from domain.one_time_token import OneTimeToken, Purpose
from domain.secret import Secret
from domain.session import Transport
from tests.support.mail import token_in
from tests.support.refusals import limit_of, refused, violations_of
from tests.support.variations import (
    BusyHasher,
    ForgetfulMailbox,
    PausingHasher,
    changed,
    client,
    disabled_user,
    failing_at_commit,
    with_mailbox,
)
from tests.support.world import ADA, ELSEWHERE, OTHER_PASSWORD, PASSWORD, World, make_world

BOB = "bob@example.com"
NEW_PASSWORD = "chosen by the mailbox's owner"
STRANGER = client(66)
OPTIONAL = {"OSTIARY_VERIFICATION": "optional", "OSTIARY_USERNAME": "optional"}


@pytest.fixture
async def optional(store_kind: str, tmp_path: Path) -> AsyncIterator[World]:
    """Over each store in turn, a place where verification is optional."""
    async with make_world(store_kind, tmp_path, OPTIONAL) as made:
        yield made


async def alive(world: World, signed_in: SignedIn) -> bool:
    """Whether the session is good for anything, by its own token, by an access token, or for another one."""
    by_token = await refused(world.identify(signed_in))
    by_access_token = await refused(world.use_cases.identify(IdentifyCommand(access_token=signed_in.access_token)))
    assert by_token is by_access_token is await refused(world.refresh(signed_in))
    return by_token is not Unauthenticated


# The second fact


async def test_with_their_session_the_user_is_verified_and_the_session_goes_on(optional: World) -> None:
    joined = await optional.join(username="countess")
    token = await optional.token_for()
    proven = await optional.verify(token, caller=await optional.identify(joined))
    assert proven.user == replace(joined.user, email_verified=True)
    assert proven.session.id == joined.session.id
    assert proven.session_token == joined.session_token
    assert (await optional.identify(joined)).user == proven.user
    assert optional.events.kinds()[-1] == EventKind.ADDRESS_VERIFIED
    assert optional.events.recorded[-1].reason is None
    async with optional.use_cases.verify_email.reading() as unit:
        secret = Secret.parse(token)
        assert secret is not None
        spent = await unit.tokens.find(secret.digest, Purpose.VERIFY_ADDRESS)
    assert spent is not None
    assert spent.used_at == optional.clock.now()


async def test_a_session_that_travels_otherwise_than_asked_for_proves_and_a_new_one_begins(optional: World) -> None:
    joined = await optional.join()
    token = await optional.token_for()
    proven = await optional.verify(token, caller=await optional.identify(joined), transport=Transport.TOKEN)
    assert proven.session.id != joined.session.id
    assert proven.session.transport is Transport.TOKEN
    assert await alive(optional, joined)


async def test_elsewhere_the_password_does_the_same_and_a_new_session_begins(optional: World) -> None:
    joined = await optional.join(username="countess")
    proven = await optional.verify(await optional.token_for(), password=PASSWORD, client=ELSEWHERE)
    assert proven.user == replace(joined.user, email_verified=True)
    assert proven.session.id != joined.session.id
    assert await alive(optional, joined)
    assert await alive(optional, proven)


async def test_the_link_alone_asks_for_a_password_and_spends_nothing(optional: World) -> None:
    await optional.join()
    token = await optional.token_for()
    for _ in range(3):
        assert await refused(optional.verify(token)) is PasswordRequired
    assert not (await optional.sign_in()).user.email_verified
    await optional.verify(token, password=PASSWORD)


async def test_somebody_elses_session_is_no_second_fact(optional: World) -> None:
    await optional.join()
    bob = await optional.join(BOB, client=client(2))
    token = await optional.token_for()
    assert await refused(optional.verify(token, caller=await optional.identify(bob))) is PasswordRequired


async def test_where_the_operator_says_so_the_token_alone_suffices(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, {**OPTIONAL, "OSTIARY_VERIFY_ELSEWHERE": "allow"}) as world:
        await world.join()
        assert (await world.verify(await world.token_for(), client=ELSEWHERE)).user.email_verified


async def test_five_wrong_passwords_close_that_way_and_no_other(optional: World) -> None:
    joined = await optional.join()
    token = await optional.token_for()
    for number in range(5):
        assert await refused(optional.verify(token, password=f"guess number {number}")) is PasswordRequired
    assert (await limit_of(optional.verify(token, password=PASSWORD))).limit == "waiting_password"
    await optional.verify(token, caller=await optional.identify(joined))


async def test_a_letter_for_one_address_proves_no_other(optional: World) -> None:
    await optional.join()
    token = await optional.token_for()
    assert await refused(optional.verify(token, email=BOB, password=PASSWORD)) is TokenInvalid
    await optional.verify(token, email=ADA, password=PASSWORD)


async def test_the_link_expires_and_another_one_comes_for_the_asking(optional: World) -> None:
    await optional.join()
    expired = await optional.token_for()
    optional.clock.advance(hours=1)
    assert await refused(optional.verify(expired, password=PASSWORD)) is TokenExpired
    await optional.resend(token=expired)
    await optional.verify(await optional.token_for(), password=PASSWORD)


async def test_a_user_waits_for_ever(optional: World) -> None:
    """Unlike a sign-up, which nobody depends on."""
    await optional.join()
    optional.clock.advance(days=100)
    await optional.use_cases.keep_house()
    await optional.resend(email=ADA)
    await optional.verify(await optional.token_for(), password=PASSWORD)


# Taking an account over: pre-hijacking (SECURITY 2.2)


async def test_the_owner_of_the_mailbox_takes_the_account_over_from_a_stranger(optional: World) -> None:
    """*Unexpired session* and *password kept*: what the stranger has is worth nothing any more."""
    stranger = await optional.join(password=OTHER_PASSWORD, name="Mallory", username="mallory", client=STRANGER)
    elsewhere = await optional.sign_in(password=OTHER_PASSWORD, client=STRANGER)
    token = await optional.token_for()
    assert await refused(optional.verify(token)) is PasswordRequired
    mine = await optional.verify(token, new_password=NEW_PASSWORD, name="Ada")
    assert (mine.user.id, mine.user.email_verified, str(mine.user.name)) == (stranger.user.id, True, "Ada")
    assert await alive(optional, mine)
    assert not await alive(optional, stranger)
    assert not await alive(optional, elsewhere)
    assert await refused(optional.sign_in(password=OTHER_PASSWORD, client=STRANGER)) is InvalidCredentials
    assert (await optional.sign_in(password=NEW_PASSWORD)).user == mine.user
    assert optional.events.recorded[-2].kind == EventKind.SIGN_IN_FAILED
    assert [event.reason for event in optional.events.recorded if event.kind == EventKind.ADDRESS_VERIFIED] == [
        "password_replaced"
    ]


async def test_the_name_that_a_stranger_gave_goes_and_the_public_username_stays(optional: World) -> None:
    """A name is free text that could turn up in letters; a username opens nothing without the password."""
    await optional.join(password=OTHER_PASSWORD, name="Click http://evil.example", username="mallory", client=STRANGER)
    mine = await optional.verify(await optional.token_for(), new_password=NEW_PASSWORD)
    assert (mine.user.name, str(mine.user.username)) == (None, "mallory")
    assert (await optional.sign_in(password=NEW_PASSWORD)).user == mine.user


async def test_the_owner_is_told_that_the_address_is_taken_and_gets_the_letter_by_asking(optional: World) -> None:
    await optional.join(password=OTHER_PASSWORD, client=STRANGER)
    optional.clock.advance(days=10)
    await optional.resend(email=ADA)
    mine = await optional.verify(await optional.token_for(), new_password=NEW_PASSWORD)
    assert mine.user.email_verified


async def test_even_with_a_session_in_hand_a_new_password_ends_all_sessions(optional: World) -> None:
    joined = await optional.join(password=OTHER_PASSWORD)
    caller = await optional.identify(joined)
    proven = await optional.verify(await optional.token_for(), caller=caller, new_password=NEW_PASSWORD)
    assert not await alive(optional, joined)
    assert await alive(optional, proven)


async def test_a_stranger_without_the_mailbox_verifies_nothing(optional: World) -> None:
    stranger = await optional.join(password=OTHER_PASSWORD, client=STRANGER)
    caller = await optional.identify(stranger)
    assert await refused(optional.verify("A" * 43, caller=caller, password=OTHER_PASSWORD)) is TokenInvalid
    assert not (await optional.identify(stranger)).user.email_verified


async def test_the_rules_for_passwords_hold_and_spend_nothing(optional: World) -> None:
    await optional.join(password=OTHER_PASSWORD, client=STRANGER)
    token = await optional.token_for()
    assert await violations_of(optional.verify(token, new_password="short")) == [("new_password", "too_short")]
    assert await violations_of(optional.verify(token, new_password=ADA)) == [("new_password", "personal")]
    await optional.verify(token, new_password=NEW_PASSWORD)


async def test_a_sign_in_that_was_under_way_during_the_take_over_comes_to_nothing(optional: World) -> None:
    await optional.join(password=OTHER_PASSWORD, client=STRANGER)
    token = await optional.token_for()
    sign_in = optional.use_cases.sign_in
    hasher = PausingHasher(sign_in.hasher)
    slow = changed(optional, sign_in=replace(sign_in, hasher=hasher))
    under_way = asyncio.create_task(slow.sign_in(password=OTHER_PASSWORD, client=STRANGER))
    await hasher.verified.wait()
    await optional.verify(token, new_password=NEW_PASSWORD)
    hasher.go_on.set()
    assert await refused(under_way) is InvalidCredentials


async def test_a_sign_in_that_was_under_way_during_an_ordinary_verification_gets_in(optional: World) -> None:
    joined = await optional.join()
    token = await optional.token_for()
    sign_in = optional.use_cases.sign_in
    hasher = PausingHasher(sign_in.hasher)
    slow = changed(optional, sign_in=replace(sign_in, hasher=hasher))
    under_way = asyncio.create_task(slow.sign_in(client=ELSEWHERE))
    await hasher.verified.wait()
    await optional.verify(token, caller=await optional.identify(joined))
    hasher.go_on.set()
    assert (await optional.identify(await under_way)).user.email_verified


async def test_a_password_verification_that_was_under_way_during_the_take_over_comes_to_nothing(
    optional: World,
) -> None:
    """The older letter was read by two: whoever knows the old password loses to the one who set another."""
    await optional.join(password=OTHER_PASSWORD, client=STRANGER)
    token = await optional.token_for()
    verify_email = optional.use_cases.verify_email
    hasher = PausingHasher(verify_email.passwords.hasher)
    passwords = replace(verify_email.passwords, hasher=hasher)
    of_users = replace(verify_email.of_users, passwords=passwords)
    slow = changed(optional, verify_email=replace(verify_email, passwords=passwords, of_users=of_users))
    under_way = asyncio.create_task(slow.verify(token, password=OTHER_PASSWORD, client=STRANGER))
    await hasher.verified.wait()
    await optional.verify(token, new_password=NEW_PASSWORD)
    hasher.go_on.set()
    assert await refused(under_way) is TokenInvalid
    await optional.sign_in(password=NEW_PASSWORD)


# Once


@pytest.mark.every_store
async def test_of_many_who_open_the_letter_at_once_one_is_the_first(optional: World) -> None:
    joined = await optional.join()
    token = await optional.token_for()
    caller = await optional.identify(joined)
    attempts = (optional.verify(token, caller=caller) for _ in range(10))
    outcomes = [type(outcome) for outcome in await asyncio.gather(*attempts, return_exceptions=True)]
    assert (outcomes.count(SignedIn), outcomes.count(AlreadyVerified)) == (1, 9)


@pytest.mark.every_store
async def test_nor_does_a_second_letter_make_a_second_one(optional: World) -> None:
    """A letter that is tried again carries another token, and kills none."""
    mailbox = ForgetfulMailbox()
    world = with_mailbox(optional, mailbox)
    mailbox.trouble = MailDelayed("the answer got lost")
    caller = await world.identify(await world.join())
    await world.deliver()
    world.clock.advance(minutes=1)
    await world.deliver()
    one, other = map(token_in, mailbox.to(ADA))
    attempts = (world.verify(token, caller=caller) for token in (one, other, one, other))
    outcomes = [type(outcome) for outcome in await asyncio.gather(*attempts, return_exceptions=True)]
    assert (outcomes.count(SignedIn), outcomes.count(AlreadyVerified)) == (1, 3)


@pytest.mark.every_store
async def test_of_many_who_take_over_at_once_one_does(optional: World) -> None:
    await optional.join(password=OTHER_PASSWORD)
    token = await optional.token_for()
    passwords = [f"{NEW_PASSWORD} {number}" for number in range(5)]
    attempts = (optional.verify(token, new_password=password) for password in passwords)
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    [winner] = [number for number, outcome in enumerate(outcomes) if isinstance(outcome, SignedIn)]
    assert {type(outcome) for outcome in outcomes} == {SignedIn, TokenInvalid}
    await optional.sign_in(password=passwords[winner])


async def test_a_double_click_is_told_so_and_anybody_else_learns_nothing(optional: World) -> None:
    joined = await optional.join()
    token = await optional.token_for()
    caller = await optional.identify(joined)
    await optional.verify(token, caller=caller)
    assert await refused(optional.verify(token, caller=caller)) is AlreadyVerified
    assert await refused(optional.verify(token, password=PASSWORD)) is AlreadyVerified
    assert await refused(optional.verify(token)) is TokenInvalid
    assert await refused(optional.verify(token, password=OTHER_PASSWORD)) is TokenInvalid
    assert await refused(optional.verify(token, new_password=NEW_PASSWORD)) is TokenInvalid
    await optional.sign_in()


async def test_a_failed_commit_verifies_nobody_and_replaces_nothing(optional: World) -> None:
    stranger = await optional.join(password=OTHER_PASSWORD, client=STRANGER)
    token = await optional.token_for()
    verify_email = optional.use_cases.verify_email
    of_users = replace(verify_email.of_users, proving=failing_at_commit(verify_email.of_users.proving))
    broken = changed(optional, verify_email=replace(verify_email, of_users=of_users))
    assert await refused(broken.verify(token, new_password=NEW_PASSWORD)) is Unavailable
    assert not (await optional.identify(stranger)).user.email_verified
    await optional.verify(token, new_password=NEW_PASSWORD)


async def test_a_busy_service_costs_neither_tries_nor_tokens(optional: World) -> None:
    await optional.join()
    token = await optional.token_for()
    verify_email = optional.use_cases.verify_email
    passwords = replace(verify_email.passwords, hasher=BusyHasher())
    of_users = replace(verify_email.of_users, passwords=passwords)
    busy = changed(optional, verify_email=replace(verify_email, of_users=of_users))
    for _ in range(10):
        assert await refused(busy.verify(token, password=PASSWORD)) is Overloaded
        assert await refused(busy.verify(token, new_password=NEW_PASSWORD)) is Overloaded
    await optional.verify(token, password=PASSWORD)


# Letters


async def test_by_the_address_an_unverified_user_gets_the_letter_again_and_the_older_link_is_dead(
    optional: World,
) -> None:
    await optional.join()
    older = await optional.token_for()
    optional.clock.advance(minutes=1)
    await optional.resend(email=ADA)
    newer = await optional.token_for()
    assert newer != older
    assert await refused(optional.verify(older, password=PASSWORD)) is TokenInvalid
    await optional.verify(newer, password=PASSWORD)


async def test_the_letter_tells_an_owner_who_did_not_sign_up_how_to_get_the_account(optional: World) -> None:
    await optional.join()
    await optional.deliver()
    [letter] = optional.mailbox.to(ADA)
    for text in (letter.text, letter.html):
        assert "somebody else opened an account with your address" in " ".join(text.split())
        assert "nobody can use your address" not in " ".join(text.split())


async def test_an_older_letter_that_has_not_left_when_a_newer_one_does_never_will(optional: World) -> None:
    optional.mailbox.trouble = RuntimeError("the mail system is on fire")
    await optional.join()
    await optional.deliver()
    optional.mailbox.trouble = None
    await optional.resend(email=ADA)
    await optional.deliver()
    optional.clock.advance(minutes=30)
    await optional.deliver()
    assert len(optional.mailbox.to(ADA)) == 1
    await optional.verify(await optional.token_for(), password=PASSWORD)


async def test_nor_does_one_that_falls_due_after_a_newer_one_about_somebody_nobody_knew(optional: World) -> None:
    """Neither request knows whose it is: the newer one's delivery finds out first."""
    user = (await optional.join()).user
    await optional.deliver()
    resend = optional.use_cases.resend_verification
    async with resend.intake() as intake:
        asked = resend.letters.make(Occasion.RESEND, user.email, None, optional.clock.now(), client=None)
        await intake.letters.enqueue(replace(asked, due_at=optional.clock.now() + timedelta(hours=1)))
        await intake.commit()
    optional.clock.advance(minutes=1)
    await optional.resend(email=ADA)
    token = await optional.token_for()
    optional.clock.advance(minutes=59)
    await optional.deliver()
    assert len(optional.mailbox.to(ADA)) == 2
    await optional.verify(token, password=PASSWORD)


async def test_a_verified_user_gets_no_letter_by_asking(optional: World) -> None:
    joined = await optional.join()
    token = await optional.token_for()
    await optional.verify(token, caller=await optional.identify(joined))
    before = len(optional.mailbox.letters)
    await optional.resend(email=ADA)
    optional.clock.advance(minutes=1)
    await optional.resend(token=token)
    await optional.deliver()
    assert len(optional.mailbox.letters) == before


async def test_the_owners_own_letter_tried_again_does_not_become_a_notice_about_an_account(optional: World) -> None:
    mailbox = ForgetfulMailbox()
    world = with_mailbox(optional, mailbox)
    mailbox.trouble = MailDelayed("the answer got lost")
    joined = await world.join()
    token = await world.token_for()
    mailbox.trouble = None
    await world.verify(token, caller=await world.identify(joined))
    world.clock.advance(minutes=1)
    await world.deliver()
    assert [letter.subject for letter in mailbox.to(ADA)] == ["Confirm your e-mail address for Ostiary"]


async def test_a_disabled_user_is_neither_written_to_nor_proven(optional: World) -> None:
    await disabled_user(optional, ADA, PASSWORD, email_verified=False)
    await optional.resend(email=ADA)
    await optional.deliver()
    assert optional.mailbox.letters == []
    token = Secret.of(bytes(32))
    async with optional.use_cases.deliver_mail.delivery() as unit:
        user = await unit.users.of_email(EmailAddress(ADA))
        assert user is not None
        now = optional.clock.now()
        await unit.tokens.add(
            OneTimeToken(
                digest=token.digest,
                purpose=Purpose.VERIFY_ADDRESS,
                subject_id=user.id,
                requested_at=now,
                expires_at=now + timedelta(hours=1),
            )
        )
        await unit.commit()
    assert await refused(optional.verify(token.text, password=PASSWORD)) is TokenInvalid
    assert await refused(optional.verify(token.text, new_password=NEW_PASSWORD)) is TokenInvalid
    assert await refused(optional.sign_in()) is InvalidCredentials


@pytest.mark.parametrize("address", [ADA, BOB, "carol@example.com"])
async def test_asking_again_is_one_answer_and_one_letter_to_be_for_every_address(address: str, optional: World) -> None:
    """R45: also where sign-up itself is less discreet."""
    await optional.join()
    bob = await optional.join(BOB)
    await optional.verify(await optional.token_for(BOB), caller=await optional.identify(bob))
    optional.clock.advance(minutes=1)
    before = len(optional.events.recorded)
    await optional.resend(email=address)
    assert optional.events.kinds()[before:] == [EventKind.VERIFICATION_REQUESTED]
    optional.clock.advance(seconds=2)
    assert await optional.use_cases.deliver_mail() == 1


async def test_a_device_where_a_stranger_was_let_in_is_a_stranger_once_the_account_is_taken_over(
    optional: World,
) -> None:
    await optional.join(ADA, OTHER_PASSWORD, client=STRANGER)
    marks = [(await optional.sign_in(password=OTHER_PASSWORD, client=STRANGER)).device_marks for _ in range(4)]
    assert len({*marks}) == 4
    await optional.verify(await optional.token_for(), new_password=NEW_PASSWORD)
    outcomes = [
        await refused(optional.sign_in(password="a guess", client=STRANGER, marks=mark))
        for mark in marks
        for _ in range(3)
    ]
    assert outcomes == [InvalidCredentials] * 5 + [RateLimited] * 7, "as many guesses as anybody has"
    assert (await optional.sign_in(password=NEW_PASSWORD)).user.email_verified
