"""Changing the address (A 6.3.7, 7.5.1, PH; DESIGN sections 2 and 3): docs/account.md."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from application.admission import SignedIn
from domain.errors import (
    InvalidCredentials,
    ReauthenticationRequired,
    TokenExpired,
    TokenInvalid,
    Unauthenticated,
)
from domain.letters import Occasion
from tests.support.account_steps import (
    CONFIRM,
    NEW_ADDRESS,
    NEW_PASSWORD,
    alive,
    change_email,
    change_password,
    confirm,
    confirm_token,
    delete,
    forgot,
    reset,
    reset_token,
    shut_out,
    undo,
)
from tests.support.mail import subject_of
from tests.support.refusals import limit_of, refused, violations_of
from tests.support.world import ADA, ELSEWHERE, PASSWORD, World, make_world

TOLD = subject_of(Occasion.EMAIL_CHANGED)


async def asked_for(world: World) -> tuple[SignedIn, str]:
    """A member who asked for another address, and the link that confirms it."""
    mine = await world.member()
    await change_email(world, mine)
    return mine, await confirm_token(world)


async def test_the_account_moves_once_the_new_mailbox_has_proven_itself(any_world: World) -> None:
    mine = await any_world.member()
    await change_email(any_world, mine)
    assert (await any_world.identify(mine)).user.email.canonical == ADA, "nothing changes by asking"
    await any_world.sign_in()
    assert (await confirm(any_world, await confirm_token(any_world))).canonical == NEW_ADDRESS
    user = (await any_world.identify(mine)).user
    assert (user.email.canonical, user.email_verified, user.id) == (NEW_ADDRESS, True, mine.user.id)
    assert await refused(any_world.sign_in()) is InvalidCredentials
    await any_world.sign_in(NEW_ADDRESS)


async def test_the_old_address_is_told(any_world: World) -> None:
    _, token = await asked_for(any_world)
    await confirm(any_world, token)
    await any_world.deliver()
    [notice] = [letter for letter in any_world.mailbox.to(ADA) if letter.subject.startswith(TOLD)]
    assert NEW_ADDRESS not in notice.text, "whoever reads the old mailbox need not learn the new one"


async def test_the_new_address_gets_a_letter_without_a_word_of_the_asker(any_world: World) -> None:
    sent = await any_world.sign_up(name="Click http://evil.example now")
    mine = await any_world.verify(await any_world.token_for(), cookie=sent.cookie.text)
    await change_email(any_world, mine)
    await any_world.deliver()
    [letter] = any_world.mailbox.to(NEW_ADDRESS)
    assert "evil" not in letter.text + letter.html
    assert ADA not in letter.text


# Nobody learns who has an account


async def test_asking_for_a_taken_address_answers_the_same_and_tells_its_owner(any_world: World) -> None:
    await any_world.member(NEW_ADDRESS)
    mine = await any_world.member()
    for asked in (NEW_ADDRESS, "free@example.com"):
        assert (await change_email(any_world, mine, asked)).canonical == asked
    await any_world.deliver()
    assert [letter.subject.split(" at ")[0] for letter in any_world.mailbox.to(NEW_ADDRESS)][-1] == (
        "You already have an account"
    )
    assert not any(letter.subject.startswith(CONFIRM) for letter in any_world.mailbox.to(NEW_ADDRESS))


async def test_an_address_that_somebody_takes_meanwhile_is_theirs(any_world: World) -> None:
    _, token = await asked_for(any_world)
    theirs = await any_world.member(NEW_ADDRESS)
    assert await refused(confirm(any_world, token)) is TokenInvalid
    assert (await any_world.identify(theirs)).user.email.canonical == NEW_ADDRESS
    assert (await any_world.sign_in()).user.email.canonical == ADA


async def test_a_sign_up_that_waits_under_the_address_loses_to_the_proof(any_world: World) -> None:
    sent = await any_world.sign_up(NEW_ADDRESS, client=ELSEWHERE)
    waiting = await any_world.token_for(NEW_ADDRESS)
    _, token = await asked_for(any_world)
    await confirm(any_world, token)
    assert await refused(any_world.verify(waiting, cookie=sent.cookie.text)) is TokenInvalid


# Fresh proof


async def test_an_old_session_needs_the_password_and_a_fresh_one_does_not(any_world: World) -> None:
    mine = await any_world.member()
    await change_email(any_world, mine, password=None)
    any_world.clock.advance(minutes=10)
    assert await refused(change_email(any_world, mine, "b@example.com", password=None)) is ReauthenticationRequired
    attempt = change_email(any_world, mine, "b@example.com", password="a guess")
    assert await violations_of(attempt) == [("password", "wrong_password")]
    await change_email(any_world, mine, "b@example.com", password=PASSWORD)


async def test_a_refreshed_session_is_no_fresher(any_world: World) -> None:
    mine = await any_world.member()
    any_world.clock.advance(minutes=11)
    renewed = await any_world.refresh(mine)
    assert await refused(change_email(any_world, renewed, password=None)) is ReauthenticationRequired


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_an_hour_off_makes_no_session_fresh(hours: int, any_world: World) -> None:
    mine = await any_world.member()
    any_world.clock.advance(hours=hours)
    assert await refused(change_email(any_world, mine, password=None)) is ReauthenticationRequired


# Bad input


@pytest.mark.parametrize(
    ("email", "code"), [(None, "required"), ("", "invalid_email"), ("nobody", "invalid_email"), (ADA, "unchanged")]
)
async def test_what_is_no_new_address_is_refused(email: str | None, code: str, any_world: World) -> None:
    mine = await any_world.member()
    assert await violations_of(change_email(any_world, mine, email)) == [("email", code)]


# Links


@pytest.mark.every_store
async def test_a_link_works_once_and_of_twenty_at_once_one_does(any_world: World) -> None:
    _, token = await asked_for(any_world)
    outcomes = await asyncio.gather(*(refused(confirm(any_world, token)) for _ in range(20)))
    assert outcomes.count(None) == 1
    assert set(outcomes) == {None, TokenInvalid}


async def test_a_link_expires(any_world: World) -> None:
    _, token = await asked_for(any_world)
    any_world.clock.advance(minutes=60)
    assert await refused(confirm(any_world, token)) is TokenExpired


async def test_the_newer_wish_supersedes_the_older_to_whatever_address(any_world: World) -> None:
    mine, first = await asked_for(any_world)
    any_world.clock.advance(seconds=1)
    await change_email(any_world, mine, "b@example.com")
    assert await refused(confirm(any_world, first)) is TokenInvalid
    await confirm(any_world, await confirm_token(any_world, "b@example.com"))
    assert (await any_world.identify(mine)).user.email.canonical == "b@example.com"


# Unexpired e-mail change (SECURITY 2.2): whoever waited with another address is out with the rest


async def by_reset(world: World, mine: SignedIn) -> None:
    await reset(world, await reset_token(world))


async def by_change(world: World, mine: SignedIn) -> None:
    await change_password(world, mine)


async def by_deletion(world: World, mine: SignedIn) -> None:
    await delete(world, mine)


async def by_disabling(world: World, mine: SignedIn) -> None:
    await shut_out(world)


async def by_undoing(world: World, mine: SignedIn) -> None:
    await world.sign_in(client=ELSEWHERE)
    await undo(world, await world.link_token(subject_of(Occasion.NEW_DEVICE)))


@pytest.mark.parametrize("means", [by_reset, by_change, by_deletion, by_disabling, by_undoing])
async def test_a_change_that_waits_is_void_once_the_owner_has_acted(
    means: Callable[[World, SignedIn], Awaitable[None]], any_world: World
) -> None:
    mine, token = await asked_for(any_world)
    await means(any_world, mine)
    assert await refused(confirm(any_world, token)) is TokenInvalid


async def test_a_letter_that_has_not_left_is_none_once_the_password_is_another(any_world: World) -> None:
    mine = await any_world.member()
    await change_email(any_world, mine)
    await change_password(any_world, mine, password=NEW_PASSWORD)
    await any_world.deliver()
    assert any_world.mailbox.to(NEW_ADDRESS) == []


async def test_whoever_is_gone_meanwhile_asks_for_nothing(any_world: World) -> None:
    mine = await any_world.member()
    caller = await any_world.identify(mine)
    await delete(any_world, mine)
    assert await refused(change_email(any_world, mine, caller=caller)) is Unauthenticated


# Limits


async def test_nobody_writes_to_one_address_after_another(any_world: World) -> None:
    mine = await any_world.member()
    for number in range(5):
        await change_email(any_world, mine, f"stranger{number}@example.com")
    assert (await limit_of(change_email(any_world, mine, "stranger9@example.com"))).limit == "letter_hour"


async def test_refused_mail_domains_are_refused_here_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("world")
    (folder / "domains").write_text("trash.example\n")
    async with make_world("memory", folder, {"OSTIARY_DISPOSABLE_DOMAINS": str(folder / "domains")}) as world:
        mine = await world.member()
        attempt = change_email(world, mine, "ada@trash.example")
        assert await violations_of(attempt) == [("email", "disposable_domain")]


async def test_sessions_go_on_and_letters_to_the_old_mailbox_open_nothing(any_world: World) -> None:
    mine, token = await asked_for(any_world)
    await confirm(any_world, token)
    assert await alive(any_world, mine)
    before = len(any_world.mailbox.to(ADA))
    await forgot(any_world)
    await any_world.deliver()
    assert [letter.subject for letter in any_world.mailbox.to(ADA)[before:] if "password" in letter.subject] == []
