"""Asking for the letter again (R45; DESIGN section 2): docs/verify-email.md."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from application.use_cases.resend_verification import ResendVerificationCommand
from domain.errors import RateLimited, TokenExpired, TokenInvalid, Unavailable
from domain.events import EventKind
from tests.support.refusals import limit_of, refused, violations_of
from tests.support.variations import changed, client, failing_at_commit
from tests.support.world import ADA, HERE, OTHER_PASSWORD, PASSWORD, World, make_world

BOB = "bob@example.com"
CAROL = "carol@example.com"
STRANGER = client(66)


# One answer


async def test_absent_waiting_and_verified_addresses_are_answered_and_queued_alike(any_world: World) -> None:
    await any_world.member(CAROL)
    await any_world.sign_up(ADA)
    await any_world.deliver()
    before = len(any_world.events.recorded)
    for address in (ADA, BOB, CAROL):
        await any_world.resend(email=address)
    assert any_world.events.kinds()[before:] == [EventKind.VERIFICATION_REQUESTED] * 3
    any_world.clock.advance(seconds=2)
    assert await any_world.use_cases.deliver_mail() == 3
    assert len(any_world.mailbox.to(ADA)) == 2
    assert any_world.mailbox.to(BOB) == []
    assert len(any_world.mailbox.to(CAROL)) == 1, "the letter from sign-up, and no other"


@pytest.mark.parametrize(
    "command",
    [
        ResendVerificationCommand(token="A" * 43, client=HERE),
        ResendVerificationCommand(email=BOB, cookie="A" * 43, client=HERE),
        ResendVerificationCommand(token="torn", email=BOB, client=HERE),
    ],
)
async def test_an_unknown_token_or_cookie_is_answered_like_a_good_one(
    command: ResendVerificationCommand, any_world: World
) -> None:
    await any_world.sign_up(ADA)
    await any_world.deliver()
    await any_world.use_cases.resend_verification(command)
    await any_world.deliver()
    assert len(any_world.mailbox.letters) == 1


async def test_torn_links_of_different_people_do_not_hinder_each_other(any_world: World) -> None:
    for number in range(3):
        await any_world.resend(token=f"torn {number}", client=client(number))


async def test_somebody_must_be_named(world: World) -> None:
    assert await violations_of(world.resend()) == [("email", "required")]
    assert await violations_of(world.resend(email="nonsense")) == [("email", "invalid_email")]


async def test_a_cookie_alone_is_not_enough_as_it_would_tell_what_became_of_the_sign_up(any_world: World) -> None:
    """R15: else its limit, counted by address while the sign-up waits, would tell when somebody has proven it."""
    sent = await any_world.sign_up(client=STRANGER)
    alone = ResendVerificationCommand(cookie=sent.cookie.text, client=STRANGER)
    assert await violations_of(any_world.use_cases.resend_verification(alone)) == [("email", "required")]


async def test_what_became_of_a_sign_up_is_not_told_by_a_token_of_no_meaning_beside_its_cookie(
    any_world: World,
) -> None:
    sent = await any_world.sign_up(client=STRANGER)
    await any_world.deliver()
    before = len(any_world.mailbox.letters)
    await any_world.resend(token="A" * 43, cookie=sent.cookie.text, client=STRANGER)
    await any_world.deliver()
    assert len(any_world.mailbox.letters) == before
    await any_world.resend(email=ADA, client=STRANGER)


def test_whose_letter_it_is_about_is_not_shown() -> None:
    command = ResendVerificationCommand(token="T" * 43, cookie="C" * 43, client=HERE)
    assert "TTT" not in repr(command)
    assert "CCC" not in repr(command)


# Whose letter


async def test_the_browser_that_signed_up_gets_the_letter_of_its_own_sign_up(any_world: World) -> None:
    mine = await any_world.sign_up()
    await any_world.deliver()
    await any_world.sign_up(password=OTHER_PASSWORD, client=STRANGER)
    await any_world.deliver()
    await any_world.resend(email=ADA, cookie=mine.cookie.text)
    await any_world.verify(await any_world.token_for(), cookie=mine.cookie.text)
    await any_world.sign_in()


async def test_an_expired_token_is_replaced_by_one_for_the_same_sign_up(any_world: World) -> None:
    await any_world.sign_up()
    expired = await any_world.token_for()
    await any_world.sign_up(password=OTHER_PASSWORD, client=STRANGER)
    await any_world.deliver()
    any_world.clock.advance(hours=1)
    assert await refused(any_world.verify(expired, password=PASSWORD)) is TokenExpired
    await any_world.resend(token=expired)
    await any_world.verify(await any_world.token_for(), password=PASSWORD)


async def test_by_the_address_alone_it_is_the_newest_sign_up(any_world: World) -> None:
    await any_world.sign_up(password=OTHER_PASSWORD)
    await any_world.deliver()
    await any_world.sign_up()
    await any_world.deliver()
    await any_world.resend(email=" ADA@example.COM ")
    await any_world.verify(await any_world.token_for(), password=PASSWORD)


async def test_address_and_cookie_together_mean_the_cookies_sign_up_if_it_is_for_that_address(
    any_world: World,
) -> None:
    mine = await any_world.sign_up()
    await any_world.deliver()
    await any_world.sign_up(password=OTHER_PASSWORD, client=STRANGER)
    await any_world.deliver()
    await any_world.resend(email=ADA, cookie=mine.cookie.text)
    await any_world.verify(await any_world.token_for(), cookie=mine.cookie.text)


async def test_when_address_and_cookie_disagree_the_address_is_meant(any_world: World) -> None:
    mine = await any_world.sign_up(ADA)
    await any_world.sign_up(BOB, client=STRANGER)
    await any_world.deliver()
    await any_world.resend(email=BOB, cookie=mine.cookie.text)
    await any_world.deliver()
    assert (len(any_world.mailbox.to(ADA)), len(any_world.mailbox.to(BOB))) == (1, 2)


# A newer request supersedes


async def test_a_newer_request_voids_the_older_letter_and_its_token(any_world: World) -> None:
    sent = await any_world.sign_up()
    older = await any_world.token_for()
    await any_world.resend(email=ADA)
    assert await refused(any_world.verify(older, cookie=sent.cookie.text)) is TokenInvalid, "from the request on"
    newer = await any_world.token_for()
    assert newer != older
    assert await refused(any_world.verify(older, password=PASSWORD)) is TokenInvalid
    assert await refused(any_world.verify(older)) is TokenInvalid
    await any_world.verify(newer, cookie=sent.cookie.text)


async def test_an_older_letter_that_has_not_left_yet_never_does(any_world: World) -> None:
    sent = await any_world.sign_up()
    any_world.clock.advance(seconds=10)
    await any_world.resend(email=ADA)
    await any_world.deliver()
    assert len(any_world.mailbox.to(ADA)) == 1
    await any_world.verify(await any_world.token_for(), cookie=sent.cookie.text)


async def test_a_letter_for_one_sign_up_voids_nothing_of_another(any_world: World) -> None:
    mine = await any_world.sign_up()
    my_token = await any_world.token_for()
    stranger = await any_world.sign_up(password=OTHER_PASSWORD, client=STRANGER)
    await any_world.deliver()
    await any_world.resend(email=ADA, cookie=stranger.cookie.text, client=STRANGER)
    await any_world.deliver()
    await any_world.verify(my_token, cookie=mine.cookie.text)


async def test_asking_again_gives_a_sign_up_no_longer_life(any_world: World) -> None:
    sent = await any_world.sign_up()
    any_world.clock.advance(hours=47, minutes=50)
    await any_world.resend(email=ADA)
    token = await any_world.token_for()
    any_world.clock.advance(minutes=10)
    assert await refused(any_world.verify(token, cookie=sent.cookie.text)) is TokenInvalid
    letters = len(any_world.mailbox.letters)
    await any_world.resend(email=ADA, cookie=sent.cookie.text)
    any_world.clock.advance(minutes=1)
    await any_world.resend(email=ADA)
    await any_world.deliver()
    assert len(any_world.mailbox.letters) == letters


# Limits


@pytest.mark.parametrize("address", [ADA, BOB, CAROL])
async def test_a_letter_is_asked_for_once_a_minute_and_five_times_an_hour_whoever_has_the_address(
    address: str, any_world: World
) -> None:
    await any_world.member(CAROL)
    await any_world.sign_up(ADA)
    for number in range(5):
        await any_world.resend(email=address, client=client(number))
        limited = await limit_of(any_world.resend(email=address, client=client(20 + number)))
        # Of two that are used up, the one that waiting as told is enough for.
        used_up = ("letter_minute", timedelta(minutes=1)) if number < 4 else ("letter_hour", timedelta(hours=1))
        assert (limited.limit, limited.retry_after) == used_up
        assert limited.policy is None
        any_world.clock.advance(minutes=1)
    limited = await limit_of(any_world.resend(email=address, client=client(10)))
    assert (limited.limit, limited.retry_after) == ("letter_hour", timedelta(hours=1)), "the whole window, always"
    any_world.clock.advance(minutes=55)
    await any_world.resend(email=address, client=client(11))


async def test_a_broken_service_costs_no_letter(any_world: World) -> None:
    resend = any_world.use_cases.resend_verification
    broken = changed(any_world, resend_verification=replace(resend, intake=failing_at_commit(resend.intake)))
    for _ in range(3):
        assert await refused(broken.resend(email=ADA)) is Unavailable
    await any_world.resend(email=ADA)


async def test_at_most_20_letters_are_asked_for_in_a_day(world: World) -> None:
    for _ in range(20):
        await world.resend(email=ADA)
        world.clock.advance(minutes=15)
    assert (await limit_of(world.resend(email=ADA))).limit == "letter_day"
    world.clock.advance(hours=19)
    await world.resend(email=ADA)


async def test_a_client_asks_for_30_letters_in_15_minutes_whatever_the_addresses(any_world: World) -> None:
    for number in range(30):
        await any_world.resend(email=f"person{number}@example.com")
    limited = await limit_of(any_world.resend(email=ADA))
    assert (limited.limit, limited.policy) == ("letter_client", (30, timedelta(minutes=15)))
    await any_world.resend(email=ADA, client=STRANGER)


@pytest.mark.every_store
async def test_however_a_letter_is_asked_for_one_mailbox_gets_no_more_of_them(any_world: World) -> None:
    """R45: naming the address, the cookies of several sign-ups and the tokens of old letters are one limit."""
    cookies, tokens = [], []
    for number in range(5):
        cookies.append((await any_world.sign_up(client=client(number))).cookie.text)
        tokens.append(await any_world.token_for())
    before = len(any_world.mailbox.letters)
    requests = [
        any_world.resend(email=ADA),
        *(any_world.resend(email=ADA, cookie=cookie) for cookie in cookies),
        *(any_world.resend(token=token) for token in tokens),
    ]
    outcomes = await asyncio.gather(*requests, return_exceptions=True)
    await any_world.deliver()
    assert all(outcome is None or isinstance(outcome, RateLimited) for outcome in outcomes)
    assert len(any_world.mailbox.letters) - before <= 1


@pytest.mark.every_store
async def test_of_parallel_requests_one_is_let_through(any_world: World) -> None:
    await any_world.sign_up()
    requests = (any_world.resend(email=ADA, client=client(number)) for number in range(10))
    outcomes = await asyncio.gather(*requests, return_exceptions=True)
    assert outcomes.count(None) == 1


async def test_limits_can_be_switched_off(tmp_path: Path) -> None:
    names = ("LETTER_MINUTE", "LETTER_HOUR", "LETTER_DAY", "LETTER_CLIENT")
    async with make_world("memory", tmp_path, {f"OSTIARY_LIMIT_{name}": "off" for name in names}) as world:
        for _ in range(100):
            await world.resend(email=ADA)
