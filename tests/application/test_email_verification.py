"""Verification (R18-R20, R40-R44, R61; DESIGN section 2, SECURITY 2.2): docs/verify-email.md."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from application.admission import SessionWish, SignedIn
from application.use_cases.email_verification import VerifyEmailCommand
from application.use_cases.identify import IdentifyCommand
from domain.email_address import EmailAddress
from domain.errors import (
    AlreadyVerified,
    Conflict,
    InvalidCredentials,
    Overloaded,
    PasswordRequired,
    RateLimited,
    TokenExpired,
    TokenInvalid,
    Unavailable,
)
from domain.events import EventKind
from domain.one_time_token import OneTimeToken, Purpose
from domain.secret import Secret
from domain.session import Transport
from tests.support.refusals import limit_of, refused, violations_of
from tests.support.variations import BusyHasher, changed, client, failing_at_commit
from tests.support.world import ADA, ELSEWHERE, HERE, OTHER_PASSWORD, PASSWORD, World, make_world

NEW_PASSWORD = "chosen by the mailbox's owner"
STRANGER = client(66)


# The second fact


async def test_the_link_opened_in_the_browser_that_signed_up_makes_the_user_and_signs_them_in(
    named_world: World,
) -> None:
    sent = await named_world.sign_up(username="countess")
    signed_in = await named_world.verify(await named_world.token_for(), cookie=sent.cookie.text)
    user = signed_in.user
    assert (str(user.email), str(user.name), str(user.username)) == (ADA, "Ada", "countess")
    assert user.email_verified
    assert not user.disabled
    caller = await named_world.use_cases.identify(IdentifyCommand(session_cookie=signed_in.session_token.text))
    assert caller.user == user
    assert named_world.events.kinds()[-1] == EventKind.ADDRESS_VERIFIED
    assert (await named_world.sign_in()).user == user


async def test_elsewhere_the_password_chosen_at_sign_up_does_the_same(named_world: World) -> None:
    await named_world.sign_up(username="countess")
    signed_in = await named_world.verify(await named_world.token_for(), password=PASSWORD, client=ELSEWHERE)
    assert (str(signed_in.user.name), str(signed_in.user.username)) == ("Ada", "countess")
    await named_world.sign_in()


async def test_a_new_password_keeps_nothing_of_the_sign_up_but_its_id(named_world: World) -> None:
    await named_world.sign_up(password=OTHER_PASSWORD, name="Mallory", username="mallory")
    token = await named_world.token_for()
    async with named_world.use_cases.sign_up.intake() as intake:
        waiting = await intake.sign_ups.newest_waiting(EmailAddress.parse(ADA), named_world.clock.now())
    signed_in = await named_world.verify(token, new_password=NEW_PASSWORD)
    assert signed_in.user.id == waiting
    assert (signed_in.user.name, signed_in.user.username) == (None, None)
    assert await refused(named_world.sign_in(password=OTHER_PASSWORD)) is InvalidCredentials
    assert (await named_world.sign_in(password=NEW_PASSWORD)).user == signed_in.user


async def test_with_a_new_password_comes_the_language_of_whoever_chose_it(world: World) -> None:
    """Letters to the owner of a mailbox are not in the language that a stranger asked for."""
    arab = replace(ELSEWHERE, languages=("ar-EG", "en"))
    await world.sign_up(locale="de")
    signed_in = await world.verify(await world.link_token(""), new_password=NEW_PASSWORD, client=arab)
    assert signed_in.user.locale == "ar"


async def test_with_the_password_of_the_sign_up_comes_its_language(world: World) -> None:
    arab = replace(ELSEWHERE, languages=("ar-EG", "en"))
    await world.sign_up(locale="de")
    signed_in = await world.verify(await world.link_token(""), password=PASSWORD, client=arab)
    assert signed_in.user.locale == "de"


async def test_with_a_new_password_comes_a_new_name(named_world: World) -> None:
    await named_world.sign_up(password=OTHER_PASSWORD, name="Mallory")
    signed_in = await named_world.verify(await named_world.token_for(), new_password=NEW_PASSWORD, name=" Ada ")
    assert str(signed_in.user.name) == "Ada"


async def test_even_the_browser_that_signed_up_may_change_its_mind_about_the_password(world: World) -> None:
    sent = await world.sign_up(password=OTHER_PASSWORD)
    await world.verify(await world.token_for(), cookie=sent.cookie.text, new_password=NEW_PASSWORD)
    assert await refused(world.sign_in(password=OTHER_PASSWORD)) is InvalidCredentials
    await world.sign_in(password=NEW_PASSWORD)


async def test_the_link_alone_asks_for_a_password_and_spends_nothing(any_world: World) -> None:
    await any_world.sign_up()
    token = await any_world.token_for()
    for _ in range(3):
        assert await refused(any_world.verify(token)) is PasswordRequired
    assert await refused(any_world.sign_in()) is InvalidCredentials
    assert any_world.events.recorded[-2].reason == "password_required"
    await any_world.verify(token, password=PASSWORD)


@pytest.mark.parametrize("cookie", ["", "nonsense", "A" * 43, "é"])
async def test_a_cookie_that_is_not_the_sign_ups_counts_for_nothing(cookie: str, world: World) -> None:
    await world.sign_up()
    assert await refused(world.verify(await world.token_for(), cookie=cookie)) is PasswordRequired


async def test_nor_does_the_cookie_of_another_sign_up_for_the_same_address(any_world: World) -> None:
    stranger = await any_world.sign_up(password=OTHER_PASSWORD, client=STRANGER)
    await any_world.deliver()
    await any_world.sign_up()
    token = await any_world.token_for()
    assert await refused(any_world.verify(token, cookie=stranger.cookie.text)) is PasswordRequired
    assert await refused(any_world.verify(token, password=OTHER_PASSWORD)) is PasswordRequired


async def test_of_password_and_new_password_only_one_can_be_meant(world: World) -> None:
    await world.sign_up()
    token = await world.token_for()
    attempt = world.verify(token, password=PASSWORD, new_password=NEW_PASSWORD)
    assert await violations_of(attempt) == [("new_password", "ambiguous")]
    await world.verify(token, password=PASSWORD)


@pytest.mark.parametrize(
    ("new_password", "codes"),
    [
        ("short", ["too_short"]),
        ("123456789012", ["common"]),
        (ADA, ["personal"]),
        ("Ostiary", ["too_short", "personal"]),
        ("Countess Ada", ["personal"]),
    ],
)
async def test_the_rules_for_passwords_hold_for_a_new_one(new_password: str, codes: list[str], world: World) -> None:
    await world.sign_up()
    token = await world.token_for()
    attempt = world.verify(token, new_password=new_password, name="Countess Ada")
    assert await violations_of(attempt) == [("new_password", code) for code in codes]
    await world.verify(token, new_password=NEW_PASSWORD)


async def test_facts_that_make_no_sense_are_all_told_at_once(world: World) -> None:
    attempt = world.verify("x", email="nonsense", password="x" * 1025, name="\x00")
    assert await violations_of(attempt) == [
        ("email", "invalid_email"),
        ("password", "too_many_bytes"),
        ("name", "invalid_characters"),
    ]


def test_the_second_facts_do_not_show_themselves() -> None:
    command = VerifyEmailCommand(
        token="T" * 43,
        cookie="C" * 43,
        password=PASSWORD,
        new_password=NEW_PASSWORD,
        session=SessionWish(client=HERE),
    )
    assert not any(secret in repr(command) for secret in ("TTT", "CCC", PASSWORD, NEW_PASSWORD))


# Tries


async def test_five_wrong_passwords_close_that_way_and_no_other(any_world: World) -> None:
    await any_world.sign_up()
    token = await any_world.token_for()
    for number in range(5):
        assert await refused(any_world.verify(token, password=f"guess number {number}")) is PasswordRequired
    limited = await limit_of(any_world.verify(token, password=PASSWORD, client=ELSEWHERE))
    assert (limited.limit, limited.policy) == ("waiting_password", None)
    assert await refused(any_world.verify(token)) is PasswordRequired
    await any_world.verify(token, new_password=NEW_PASSWORD)
    await any_world.sign_in(password=NEW_PASSWORD)


async def test_five_wrong_passwords_do_not_lock_out_the_browser_that_signed_up(any_world: World) -> None:
    sent = await any_world.sign_up()
    token = await any_world.token_for()
    for number in range(5):
        await refused(any_world.verify(token, password=f"guess number {number}", client=STRANGER))
    await any_world.verify(token, cookie=sent.cookie.text)


async def test_five_wrong_passwords_for_one_sign_up_are_none_for_another(any_world: World) -> None:
    await any_world.sign_up(password=OTHER_PASSWORD, client=STRANGER)
    strangers = await any_world.token_for()
    await any_world.sign_up()
    mine = await any_world.token_for()
    for number in range(5):
        await refused(any_world.verify(strangers, password=f"guess number {number}"))
    await any_world.verify(mine, password=PASSWORD)


@pytest.mark.every_store
async def test_of_parallel_guesses_five_are_judged(any_world: World) -> None:
    await any_world.sign_up()
    token = await any_world.token_for()
    guesses = (any_world.verify(token, password=f"guess number {number}") for number in range(12))
    outcomes = [type(outcome) for outcome in await asyncio.gather(*guesses, return_exceptions=True)]
    assert (outcomes.count(PasswordRequired), outcomes.count(RateLimited)) == (5, 7)


async def test_a_client_tries_30_tokens_without_success_in_15_minutes(any_world: World) -> None:
    for _ in range(30):
        assert await refused(any_world.verify("A" * 43)) is TokenInvalid
    limited = await limit_of(any_world.verify("A" * 43))
    assert (limited.limit, limited.policy) == ("token_client", (30, timedelta(minutes=15)))
    assert await refused(any_world.verify("A" * 43, client=ELSEWHERE)) is TokenInvalid
    any_world.clock.advance(minutes=15)
    assert await refused(any_world.verify("A" * 43)) is TokenInvalid


async def test_a_success_or_a_mistyped_form_is_no_try(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, {"OSTIARY_LIMIT_TOKEN_CLIENT": "1/15m"}) as world:
        for number in range(3):
            await violations_of(world.verify("A" * 43, email="nonsense"))
            await world.member(f"person{number}@example.com")
        await violations_of(world.verify(await _waiting_token(world), new_password="short"))
        assert await refused(world.verify("A" * 43)) is TokenInvalid
        await limit_of(world.verify("A" * 43))


async def test_whoever_has_a_real_token_is_not_guessing_tokens(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, {"OSTIARY_LIMIT_TOKEN_CLIENT": "1/15m"}) as world:
        token = await _waiting_token(world)
        for number in range(5):
            assert await refused(world.verify(token)) is PasswordRequired
            assert await refused(world.verify(token, password=f"guess number {number}")) is PasswordRequired
        assert (await limit_of(world.verify(token, password=PASSWORD))).limit == "waiting_password"
        await world.verify(token, new_password=NEW_PASSWORD)
        assert await refused(world.verify(token, new_password=NEW_PASSWORD, client=ELSEWHERE)) is RateLimited
        assert await refused(world.verify(token)) is TokenInvalid
        assert (await limit_of(world.verify(token))).limit == "token_client"


# Tokens that are no good (R40, R42, R44)


@pytest.mark.parametrize("token", ["", " ", "x", "A" * 42, "A" * 44, "A" * 43 + "=", "é" * 43, "\x00" * 43, "A" * 9999])
async def test_what_is_no_token_at_all_is_invalid(token: str, world: World) -> None:
    sent = await world.sign_up()
    assert await refused(world.verify(token, cookie=sent.cookie.text)) is TokenInvalid


async def test_every_mutilation_of_a_token_is_invalid(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, {"OSTIARY_LIMIT_TOKEN_CLIENT": "off"}) as world:
        sent = await world.sign_up()
        token = await world.token_for()
        for place in range(len(token)):
            other = "A" if token[place] != "A" else "B"
            changed_token = token[:place] + other + token[place + 1 :]
            assert await refused(world.verify(changed_token, cookie=sent.cookie.text)) is TokenInvalid
        for mutilated in (token + "=", token + "\n", " " + token, token[:-1], token.swapcase()):
            assert await refused(world.verify(mutilated, cookie=sent.cookie.text)) is TokenInvalid
        await world.verify(token, cookie=sent.cookie.text)


async def test_an_unknown_token_is_invalid(any_world: World) -> None:
    assert await refused(any_world.verify(Secret.of(bytes(32)).text, new_password=NEW_PASSWORD)) is TokenInvalid


async def test_a_token_meant_for_something_else_is_invalid(any_world: World) -> None:
    sent = await any_world.sign_up()
    secret, now = Secret.of(b"p" * 32), any_world.clock.now()
    async with any_world.use_cases.deliver_mail.delivery() as unit:
        sign_up_id = await unit.sign_ups.newest_waiting(sent.email, now)
        assert sign_up_id is not None
        await unit.tokens.add(
            OneTimeToken(
                digest=secret.digest,
                purpose=Purpose.NOTHING,
                subject_id=sign_up_id,
                requested_at=now,
                expires_at=now + timedelta(hours=1),
            )
        )
        await unit.commit()
    assert await refused(any_world.verify(secret.text, cookie=sent.cookie.text)) is TokenInvalid


async def test_an_address_that_comes_with_the_token_must_be_its_own(any_world: World) -> None:
    sent = await any_world.sign_up()
    token = await any_world.token_for()
    attempt = any_world.verify(token, email="bob@example.com", cookie=sent.cookie.text)
    assert await refused(attempt) is TokenInvalid
    await any_world.verify(token, email=" ADA@Example.com ", cookie=sent.cookie.text)


async def test_a_token_is_good_for_an_hour_and_not_a_moment_longer(any_world: World) -> None:
    sent = await any_world.sign_up()
    token = await any_world.token_for()
    any_world.clock.advance(hours=1, microseconds=-1)
    assert await refused(any_world.verify(token)) is PasswordRequired
    any_world.clock.advance(microseconds=1)
    assert await refused(any_world.verify(token, cookie=sent.cookie.text)) is TokenExpired
    assert await refused(any_world.verify(token, new_password=NEW_PASSWORD)) is TokenExpired


async def test_the_hour_begins_when_the_letter_leaves_not_when_it_was_asked_for(any_world: World) -> None:
    sent = await any_world.sign_up()
    any_world.clock.advance(hours=20)
    token = await any_world.token_for()
    any_world.clock.advance(minutes=59)
    await any_world.verify(token, cookie=sent.cookie.text)


async def test_how_long_a_link_works_is_the_operators_choice(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, {"OSTIARY_TOKEN_LIFETIME": "15m"}) as world:
        await world.sign_up()
        token = await world.token_for()
        assert "15 minutes" in world.mailbox.letters[-1].text
        world.clock.advance(minutes=15)
        assert await refused(world.verify(token, password=PASSWORD)) is TokenExpired


async def test_after_48_hours_a_sign_up_is_gone_even_under_a_fresh_token(any_world: World) -> None:
    sent = await any_world.sign_up()
    any_world.clock.advance(hours=47, minutes=30)
    token = await any_world.token_for()
    any_world.clock.advance(minutes=30)
    assert await refused(any_world.verify(token)) is TokenInvalid
    assert await refused(any_world.verify(token, cookie=sent.cookie.text)) is TokenInvalid
    assert await refused(any_world.verify(token, new_password=NEW_PASSWORD)) is TokenInvalid
    await any_world.use_cases.keep_house()
    assert await refused(any_world.verify(token, cookie=sent.cookie.text)) is TokenInvalid


# Once, and only once (R43)


async def test_a_double_click_by_the_right_person_is_told_so(any_world: World) -> None:
    sent = await any_world.sign_up()
    token = await any_world.token_for()
    await any_world.verify(token, cookie=sent.cookie.text)
    assert await refused(any_world.verify(token, cookie=sent.cookie.text)) is AlreadyVerified
    assert await refused(any_world.verify(token, password=PASSWORD, client=ELSEWHERE)) is AlreadyVerified
    any_world.clock.advance(hours=2)
    assert await refused(any_world.verify(token, cookie=sent.cookie.text)) is AlreadyVerified


async def test_a_double_click_by_the_owner_who_chose_a_new_password_is_told_so(any_world: World) -> None:
    await any_world.sign_up(password=OTHER_PASSWORD)
    token = await any_world.token_for()
    await any_world.verify(token, new_password=NEW_PASSWORD)
    assert await refused(any_world.verify(token, new_password=NEW_PASSWORD)) is AlreadyVerified
    assert await refused(any_world.verify(token, password=NEW_PASSWORD)) is AlreadyVerified


async def test_to_anybody_else_a_used_token_is_an_invalid_one(any_world: World) -> None:
    sent = await any_world.sign_up()
    token = await any_world.token_for()
    await any_world.verify(token, cookie=sent.cookie.text)
    assert await refused(any_world.verify(token)) is TokenInvalid
    assert await refused(any_world.verify(token, cookie="A" * 43)) is TokenInvalid
    assert await refused(any_world.verify(token, password=OTHER_PASSWORD)) is TokenInvalid
    assert await refused(any_world.verify(token, new_password=NEW_PASSWORD)) is TokenInvalid
    await any_world.sign_in()
    assert await refused(any_world.sign_in(password=NEW_PASSWORD)) is InvalidCredentials


async def test_a_used_token_is_no_way_to_guess_a_members_password(any_world: World) -> None:
    await any_world.sign_up()
    token = await any_world.token_for()
    await any_world.verify(token, password=PASSWORD)
    for number in range(5):
        assert await refused(any_world.verify(token, password=f"guess number {number}")) is TokenInvalid
    assert (await limit_of(any_world.verify(token, password=PASSWORD))).limit == "waiting_password"


@pytest.mark.every_store
async def test_of_many_clicks_at_once_exactly_one_makes_the_user(any_world: World) -> None:
    sent = await any_world.sign_up()
    token = await any_world.token_for()
    clicks = (any_world.verify(token, cookie=sent.cookie.text) for _ in range(8))
    outcomes = [type(outcome) for outcome in await asyncio.gather(*clicks, return_exceptions=True)]
    assert (outcomes.count(SignedIn), outcomes.count(AlreadyVerified)) == (1, 7)
    assert any_world.events.kinds().count(EventKind.ADDRESS_VERIFIED) == 1


@pytest.mark.every_store
async def test_of_two_new_passwords_at_once_one_goes_live_and_the_other_never(any_world: World) -> None:
    await any_world.sign_up()
    token = await any_world.token_for()
    passwords = ["the first new password", "the other new password"]
    outcomes = await asyncio.gather(
        *(any_world.verify(token, new_password=password) for password in passwords), return_exceptions=True
    )
    kinds = [type(outcome) for outcome in outcomes]
    assert sorted(kind.__name__ for kind in kinds) == ["SignedIn", "TokenInvalid"]
    await any_world.sign_in(password=passwords[kinds.index(SignedIn)])
    assert await refused(any_world.sign_in(password=passwords[kinds.index(TokenInvalid)])) is InvalidCredentials


@pytest.mark.every_store
async def test_of_several_sign_ups_for_one_address_proven_at_once_one_wins_whole(any_world: World) -> None:
    tokens, cookies = [], []
    for number in range(4):
        sent = await any_world.sign_up(password=f"password number {number}", client=client(number))
        tokens.append(await any_world.token_for())
        cookies.append(sent.cookie.text)
    outcomes = await asyncio.gather(
        *(any_world.verify(token, cookie=cookie) for token, cookie in zip(tokens, cookies, strict=True)),
        return_exceptions=True,
    )
    kinds = [type(outcome) for outcome in outcomes]
    assert (kinds.count(SignedIn), kinds.count(TokenInvalid)) == (1, 3)
    for number, kind in enumerate(kinds):
        live = await refused(any_world.sign_in(password=f"password number {number}", client=client(number)))
        assert live is (None if kind is SignedIn else InvalidCredentials)


async def test_with_the_proven_sign_up_the_others_of_its_address_die(any_world: World) -> None:
    stranger = await any_world.sign_up(password=OTHER_PASSWORD, client=STRANGER)
    strangers_token = await any_world.token_for()
    await any_world.member()
    attempt = any_world.verify(strangers_token, cookie=stranger.cookie.text, client=STRANGER)
    assert await refused(attempt) is TokenInvalid
    assert await refused(any_world.verify(strangers_token, new_password=NEW_PASSWORD)) is TokenInvalid
    assert await refused(any_world.verify(strangers_token)) is TokenInvalid


async def test_a_verification_that_could_not_be_stored_has_not_happened(any_world: World) -> None:
    sent = await any_world.sign_up()
    token = await any_world.token_for()
    verify_email = any_world.use_cases.verify_email
    broken = changed(any_world, verify_email=replace(verify_email, proving=failing_at_commit(verify_email.proving)))
    for _ in range(40):
        assert await refused(broken.verify(token, cookie=sent.cookie.text)) is Unavailable
    assert await refused(any_world.sign_in()) is InvalidCredentials
    await any_world.verify(token, cookie=sent.cookie.text)


async def test_a_busy_service_costs_neither_tries_nor_tokens(any_world: World) -> None:
    await any_world.sign_up()
    token = await any_world.token_for()
    verify_email = any_world.use_cases.verify_email
    passwords = replace(verify_email.passwords, hasher=BusyHasher())
    busy = changed(any_world, verify_email=replace(verify_email, passwords=passwords))
    for _ in range(20):
        assert await refused(busy.verify(token, password=PASSWORD)) is Overloaded
        assert await refused(busy.verify(token, new_password=NEW_PASSWORD)) is Overloaded
    await any_world.verify(token, password=PASSWORD)


# Pre-hijacking (SECURITY 2.2)


async def test_a_stranger_who_signed_up_with_my_address_gains_nothing_when_i_click(named_world: World) -> None:
    stranger = await named_world.sign_up(password=OTHER_PASSWORD, name="Mallory", username="mallory", client=STRANGER)
    token = await named_world.token_for()
    assert await refused(named_world.verify(token)) is PasswordRequired
    mine = await named_world.verify(token, new_password=NEW_PASSWORD, name="Ada")
    assert await refused(named_world.sign_in(password=OTHER_PASSWORD, client=STRANGER)) is InvalidCredentials
    assert (str(mine.user.name), mine.user.username) == ("Ada", None)
    cookie = IdentifyCommand(session_cookie=stranger.cookie.text)
    assert await refused(named_world.use_cases.identify(cookie)) is not None


@pytest.mark.parametrize("when", ["before", "after", "while"])
async def test_whenever_a_stranger_signs_up_with_my_address_my_link_makes_my_account(
    when: str, any_world: World
) -> None:
    async def stranger() -> None:
        await any_world.sign_up(password=OTHER_PASSWORD, name="Mallory", client=STRANGER)

    if when == "before":
        await stranger()
        await any_world.deliver()
    sent = await any_world.sign_up()
    token = await any_world.token_for()
    if when == "after":
        await stranger()
        await any_world.deliver()
    click = asyncio.create_task(any_world.verify(token, cookie=sent.cookie.text))
    if when == "while":
        await stranger()
    mine = await click
    await any_world.deliver()
    assert str(mine.user.name) == "Ada"
    await any_world.sign_in()
    assert await refused(any_world.sign_in(password=OTHER_PASSWORD, client=STRANGER)) is InvalidCredentials


async def test_a_stranger_who_used_up_my_addresss_sign_ups_cannot_keep_me_out(any_world: World) -> None:
    for number in range(5):
        await any_world.sign_up(password=OTHER_PASSWORD, client=client(number))
    assert await refused(any_world.sign_up()) is RateLimited
    await any_world.verify(await any_world.token_for(), new_password=NEW_PASSWORD)
    await any_world.sign_in(password=NEW_PASSWORD)


async def test_a_strangers_sign_up_after_mine_is_proven_never_becomes_anything(any_world: World) -> None:
    await any_world.member()
    stranger = await any_world.sign_up(password=OTHER_PASSWORD, client=STRANGER)
    await any_world.deliver()
    assert "?token=" not in any_world.mailbox.to(ADA)[-1].text
    await any_world.resend(email=ADA, cookie=stranger.cookie.text, client=STRANGER)
    await any_world.deliver()
    assert "?token=" not in any_world.mailbox.to(ADA)[-1].text
    assert await refused(any_world.sign_in(password=OTHER_PASSWORD, client=STRANGER)) is InvalidCredentials


async def test_the_operator_may_let_the_link_alone_suffice(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, {"OSTIARY_VERIFY_ELSEWHERE": "allow"}) as world:
        await world.sign_up()
        signed_in = await world.verify(await world.token_for(), client=ELSEWHERE)
        assert str(signed_in.user.name) == "Ada"
        await world.sign_in()


# What goes with it


async def test_proving_by_the_own_browser_gives_the_clients_unit_back(any_world: World) -> None:
    for number in range(4):
        await any_world.sign_up(f"person{number}@example.com")
    await any_world.member()
    await any_world.sign_up("bob@example.com")
    assert (await limit_of(any_world.sign_up("carol@example.com"))).limit == "sign_up_client"


async def test_an_office_can_sign_up_behind_one_address(any_world: World) -> None:
    for number in range(12):
        await any_world.member(f"person{number}@example.com")


async def test_proving_by_password_gives_no_unit_back(any_world: World) -> None:
    await any_world.sign_up()
    await any_world.verify(await any_world.token_for(), password=PASSWORD)
    for number in range(4):
        await any_world.sign_up(f"person{number}@example.com")
    assert (await limit_of(any_world.sign_up("bob@example.com"))).limit == "sign_up_client"


async def test_the_session_travels_as_the_caller_asked(any_world: World) -> None:
    await any_world.sign_up()
    signed_in = await any_world.verify(
        await any_world.token_for(), password=PASSWORD, transport=Transport.TOKEN, client=ELSEWHERE
    )
    assert signed_in.session.transport is Transport.TOKEN
    assert (signed_in.session.user_agent, signed_in.session.masked_address) == ("Chrome", "198.51.100.0/24")
    bearer = IdentifyCommand(access_token=signed_in.access_token)
    assert (await any_world.use_cases.identify(bearer)).session.id == signed_in.session.id


async def test_a_username_that_was_not_taken_over_stays_claimed_until_its_sign_up_would_have_ended(
    named_world: World,
) -> None:
    await named_world.sign_up(username="mallory", client=STRANGER)
    await named_world.verify(await named_world.token_for(), new_password=NEW_PASSWORD)
    assert await refused(named_world.sign_up("bob@example.com", username="mallory")) is Conflict
    named_world.clock.advance(hours=48)
    await named_world.sign_up("bob@example.com", username="mallory")


async def test_each_refusal_is_recorded_with_its_code(world: World) -> None:
    await world.sign_up()
    token = await world.token_for()
    await refused(world.verify("A" * 43))
    await refused(world.verify(token))
    world.clock.advance(hours=1)
    await refused(world.verify(token))
    recorded = [event for event in world.events.recorded if event.kind is EventKind.VERIFICATION_REFUSED]
    assert [event.reason for event in recorded] == ["token_invalid", "password_required", "token_expired"]
    assert all(event.client == HERE for event in recorded)


async def _waiting_token(world: World) -> str:
    await world.sign_up()
    return await world.token_for()
