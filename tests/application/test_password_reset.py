"""Forgotten passwords (R94; DESIGN section 3, SECURITY 1.3, 2.2): docs/account.md."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from application.use_cases.password_reset import ForgotPasswordCommand
from domain.errors import (
    InvalidCredentials,
    RateLimited,
    TokenExpired,
    TokenInvalid,
    Unauthenticated,
)
from domain.events import EventKind
from domain.letters import Occasion
from tests.support.account_steps import (
    NEW_ADDRESS,
    NEW_PASSWORD,
    alive,
    change_email,
    change_password,
    confirm,
    confirm_token,
    forgot,
    reset,
    reset_token,
    shut_out,
)
from tests.support.mail import subject_of
from tests.support.refusals import limit_of, refused, violations_of
from tests.support.variations import client
from tests.support.world import ADA, ELSEWHERE, HERE, PASSWORD, World, make_world

TOLD = subject_of(Occasion.PASSWORD_RESET)


async def test_whoever_owns_the_mailbox_chooses_a_new_password_and_is_told(any_world: World) -> None:
    await any_world.member()
    await reset(any_world, await reset_token(any_world))
    assert await refused(any_world.sign_in()) is InvalidCredentials
    assert (await any_world.sign_in(password=NEW_PASSWORD)).user.email.canonical == ADA
    await any_world.deliver()
    assert any(letter.subject.startswith(TOLD) for letter in any_world.mailbox.to(ADA))


async def test_every_session_ends_and_nobody_is_signed_in_by_it(any_world: World) -> None:
    mine = await any_world.member()
    other = await any_world.sign_in(client=ELSEWHERE)
    await reset(any_world, await reset_token(any_world))
    assert not await alive(any_world, mine)
    assert not await alive(any_world, other)


async def test_of_nobody_no_letter_goes_out_and_the_answer_is_the_same(any_world: World) -> None:
    await forgot(any_world, "nobody@example.com")
    await any_world.sign_up("waiting@example.com")
    await forgot(any_world, "waiting@example.com")
    await any_world.deliver()
    assert [letter.subject.split()[0] for letter in any_world.mailbox.letters] == ["Confirm"]


async def test_a_disabled_user_gets_no_letter_and_an_older_link_is_worth_nothing(any_world: World) -> None:
    await any_world.member()
    token = await reset_token(any_world)
    await shut_out(any_world)
    before = len(any_world.mailbox.letters)
    any_world.clock.advance(minutes=2)
    await forgot(any_world)
    await any_world.deliver()
    assert len(any_world.mailbox.letters) == before
    assert await refused(reset(any_world, token)) is TokenInvalid


@pytest.mark.every_store
async def test_a_link_works_once_and_of_twenty_at_once_one_does(any_world: World) -> None:
    await any_world.member()
    token = await reset_token(any_world)
    tries = [refused(reset(any_world, token, f"{NEW_PASSWORD} {number}")) for number in range(20)]
    outcomes = await asyncio.gather(*tries)
    assert outcomes.count(None) == 1
    assert set(outcomes) == {None, TokenInvalid}
    assert await refused(reset(any_world, token)) is TokenInvalid


async def test_a_link_expires_an_hour_after_its_letter_left(any_world: World) -> None:
    await any_world.member()
    token = await reset_token(any_world)
    any_world.clock.advance(minutes=60)
    assert await refused(reset(any_world, token)) is TokenExpired
    assert (await any_world.sign_in()).user.email.canonical == ADA, "nothing has changed"


async def test_the_newer_request_supersedes_at_once_before_its_letter_leaves(any_world: World) -> None:
    await any_world.member()
    first = await reset_token(any_world)
    any_world.clock.advance(minutes=2)
    await forgot(any_world)
    assert await refused(reset(any_world, first)) is TokenInvalid
    second = await any_world.link_token("Choose a new password")
    await reset(any_world, second)


async def test_a_stranger_who_asks_for_nobody_elses_address_voids_nothing(any_world: World) -> None:
    await any_world.member()
    token = await reset_token(any_world)
    await forgot(any_world, "else@example.com", client=ELSEWHERE)
    await any_world.deliver()
    await reset(any_world, token)


@pytest.mark.parametrize("text", ["", "x", "A" * 43, "not base64!"])
async def test_what_is_no_link_is_refused_and_counted(text: str, any_world: World) -> None:
    assert await refused(reset(any_world, text)) is TokenInvalid


async def test_links_are_good_for_their_own_purpose_only(any_world: World) -> None:
    """A 6.6.2: a token to verify does not reset, a token to confirm does not either, nor the other way round."""
    await any_world.sign_up("waiting@example.com")
    verify_token = await any_world.token_for("waiting@example.com")
    mine = await any_world.member()
    await change_email(any_world, mine)
    confirm_link = await confirm_token(any_world)
    reset_link = await reset_token(any_world)
    for foreign in (verify_token, confirm_link):
        assert await refused(reset(any_world, foreign)) is TokenInvalid
    for foreign in (verify_token, reset_link):
        assert await refused(confirm(any_world, foreign)) is TokenInvalid
    assert await refused(any_world.verify(reset_link)) is TokenInvalid


async def test_the_policy_applies_and_a_refused_password_spends_nothing(any_world: World) -> None:
    await any_world.member()
    token = await reset_token(any_world)
    assert await violations_of(reset(any_world, token, "short")) == [("password", "too_short")]
    assert await violations_of(reset(any_world, token, ADA)) == [("password", "personal")]
    assert await violations_of(reset(any_world, token, "password1234")) == [("password", "common")]
    await reset(any_world, token)


async def test_a_changed_password_voids_the_letter_that_was_asked_for_before(any_world: World) -> None:
    mine = await any_world.member()
    token = await reset_token(any_world)
    await change_password(any_world, mine)
    assert await refused(reset(any_world, token)) is TokenInvalid


async def test_a_letter_queued_before_a_reset_is_none_once_it_leaves(any_world: World) -> None:
    """Not even a letter that was held up: its token would be minted under the newer credential."""
    mine = await any_world.member()
    await change_email(any_world, mine)
    any_world.clock.advance(minutes=5)
    token = await reset_token(any_world)
    await reset(any_world, token)
    assert await refused(confirm(any_world, await confirm_token(any_world))) is TokenInvalid


async def test_a_letter_to_an_address_that_was_left_since_is_worth_nothing(any_world: World) -> None:
    """Whoever still reads the old mailbox must not reset the account's password."""
    mine = await any_world.member()
    await change_email(any_world, mine)
    link = await confirm_token(any_world)
    token = await reset_token(any_world)
    await confirm(any_world, link)
    assert await refused(reset(any_world, token)) is TokenInvalid
    assert (await any_world.sign_in(NEW_ADDRESS)).user.email.canonical == NEW_ADDRESS


# The way in is free


async def test_after_a_reset_the_owner_gets_in_whatever_strangers_and_they_themselves_tried(any_world: World) -> None:
    """ASVS 6.1.1: failures of others, and one's own on this very device, are no lock-out."""
    mine = await any_world.member()
    for number in range(20):
        await refused(any_world.sign_in(password="guess", client=client(number)))
    for _ in range(10):
        await refused(any_world.sign_in(password="what was it", marks=mine.device_marks))
    assert await refused(any_world.sign_in(marks=mine.device_marks)) is RateLimited
    marks = (await reset(any_world, await reset_token(any_world), marks=mine.device_marks)).device_marks
    assert (await any_world.sign_in(password=NEW_PASSWORD, marks=marks)).user == mine.user


async def test_a_reset_on_a_device_without_marks_opens_the_way_too(any_world: World) -> None:
    await any_world.member()
    for number in range(20):
        await refused(any_world.sign_in(password="guess", client=client(number)))
    marks = (await reset(any_world, await reset_token(any_world), client=ELSEWHERE)).device_marks
    await any_world.sign_in(password=NEW_PASSWORD, marks=marks, client=ELSEWHERE)


# Limits


@pytest.mark.every_store
async def test_letters_are_limited_for_an_address_whoever_has_it(any_world: World) -> None:
    await any_world.member()
    for email in (ADA, "nobody@example.com"):
        await forgot(any_world, email)
        limited = await limit_of(forgot(any_world, email, client=client(7)))
        assert (limited.limit, limited.retry_after, limited.policy) == ("letter_minute", timedelta(minutes=1), None)


@pytest.mark.every_store
async def test_guessing_links_is_limited_for_a_client(any_world: World) -> None:
    for _ in range(30):
        await refused(reset(any_world, "A" * 43))
    assert (await limit_of(reset(any_world, "A" * 43))).limit == "token_client"


# Unproven mailboxes


async def test_a_reset_proves_a_mailbox_and_throws_a_stranger_out(tmp_path: Path) -> None:
    """PH *unexpired session*, *classic*: whoever opened the account with somebody's address is out when they reset."""
    async with make_world("sqlite", tmp_path, {"OSTIARY_VERIFICATION": "optional"}) as world:
        stranger = await world.join(password="a stranger's own idea", client=ELSEWHERE)
        await reset(world, await reset_token(world))
        assert not await alive(world, stranger)
        mine = await world.sign_in(password=NEW_PASSWORD)
        assert mine.user.email_verified
        assert mine.user.name is None, "what a stranger typed"
        assert await refused(world.sign_in(password="a stranger's own idea")) is InvalidCredentials


async def test_strangers_who_ask_all_day_do_not_keep_an_owner_from_a_letter(any_world: World) -> None:
    """SECURITY 0.2: on a device where they have been let in, theirs are counted apart."""
    mine = await any_world.member()
    for hour in range(4):
        any_world.clock.advance(hours=1, minutes=hour)
        for number in range(5):
            await forgot(any_world, client=client(number))
            any_world.clock.advance(minutes=1)
    assert (await limit_of(forgot(any_world))).limit in ("letter_hour", "letter_day")
    await any_world.use_cases.forgot_password(
        ForgotPasswordCommand(email=ADA, device_marks=mine.device_marks, client=HERE)
    )


# What is written down


async def test_it_is_written_down_without_saying_who_has_an_account(any_world: World) -> None:
    await any_world.member()
    await reset(any_world, await reset_token(any_world))
    kinds = any_world.events.kinds()
    assert kinds.count(EventKind.PASSWORD_RESET_REQUESTED) == 1
    assert kinds.count(EventKind.PASSWORD_RESET) == 1
    await refused(reset(any_world, "A" * 43))
    refusal = any_world.events.recorded[-1]
    assert (refusal.kind, refusal.reason, refusal.user_id) == (EventKind.LINK_REFUSED, "token_invalid", None)


@pytest.mark.every_store
async def test_a_session_that_began_under_the_old_password_while_it_was_reset_is_dead(any_world: World) -> None:
    """DESIGN section 3: by construction, since it is stored under the version that was verified."""
    await any_world.member()
    token = await reset_token(any_world)
    outcomes = await asyncio.gather(
        reset(any_world, token), *(any_world.sign_in(client=HERE) for _ in range(4)), return_exceptions=True
    )
    for outcome in outcomes[1:]:
        if not isinstance(outcome, BaseException):
            assert await refused(any_world.identify(outcome)) is Unauthenticated  # type: ignore[arg-type]
    assert await refused(any_world.sign_in(password=PASSWORD)) is InvalidCredentials
