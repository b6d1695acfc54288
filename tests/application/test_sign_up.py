"""Sign-up (R01-R06, R08, R11, R15, R18, R20, R61; SECURITY 2.1): docs/sign-up.md."""

import asyncio
import unicodedata
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import pytest

from application.admission import SessionWish
from application.ports.units_of_work import Intake
from application.sign_up_form import SignUpCommand
from application.use_cases.resend_verification import ResendVerification
from application.use_cases.sign_up import SignUp
from application.waiting_room import VerificationSent
from domain.client import Client
from domain.errors import Conflict, InvalidCredentials, Overloaded, Unavailable, Violation
from domain.events import EventKind
from domain.sentence import Sentence
from tests.support.refusals import limit_of, violations_of
from tests.support.variations import BusyHasher, WatchedHasher, changed, client, failing_at_commit
from tests.support.world import ADA, HERE, OTHER_PASSWORD, PASSWORD, World, make_world

BOB = "bob@example.com"
WISH = SessionWish(client=HERE)


async def test_a_sign_up_is_answered_with_the_canonical_address_and_followed_by_a_letter(world: World) -> None:
    sent = await world.sign_up("  Ada@EXAMPLE.com ")
    await world.deliver()
    assert sent.email.canonical == ADA
    assert [letter.subject for letter in world.mailbox.letters] == ["Confirm your e-mail address for Ostiary"]
    assert world.mailbox.letters[0].recipient.canonical == ADA


async def test_a_sign_up_is_not_a_user_yet(any_world: World) -> None:
    await any_world.sign_up()
    with pytest.raises(InvalidCredentials):
        await any_world.sign_in()


async def test_a_sign_up_is_recorded_and_shows_no_secret(world: World) -> None:
    command = SignUpCommand(email=ADA, password=PASSWORD, name="Ada", password_confirm=PASSWORD, session=WISH)
    sent = await world.use_cases.sign_up(command)
    assert isinstance(sent, VerificationSent)
    assert world.events.kinds() == [EventKind.SIGN_UP_REQUESTED]
    assert PASSWORD not in repr(command)
    assert sent.cookie.text not in repr(sent)


async def test_no_word_of_whoever_signs_up_reaches_a_mailbox_that_is_not_proven(named_world: World) -> None:
    await named_world.sign_up(name="Click http://evil.example", username="evil.example")
    await named_world.deliver()
    [letter] = named_world.mailbox.letters
    assert "evil" not in letter.subject + letter.text + letter.html


# What is asked for


async def test_all_that_is_wrong_with_all_fields_is_told_at_once(world: World) -> None:
    attempt = world.sign_up("nonsense", "ostiary", name="\u202eadA", username="x", password_confirm="something else")
    assert await violations_of(attempt) == [
        ("email", "invalid_email"),
        ("name", "invalid_characters"),
        ("username", "unknown_field"),
        ("password", "too_short"),
        ("password", "personal"),
        ("password_confirm", "mismatch"),
    ]


async def test_fields_that_are_missing_are_all_named(world: World) -> None:
    attempt = world.use_cases.sign_up(SignUpCommand(email=None, password=None, session=WISH))
    assert await violations_of(attempt) == [("email", "required"), ("password", "required"), ("name", "required")]


async def test_fields_that_could_not_even_be_read_are_reported_with_the_rest_and_once(world: World) -> None:
    malformed = (
        Violation("password", "not_text", Sentence("Text is expected here.")),
        Violation("plan", "unknown_field", Sentence("There is no such field.")),
    )
    command = SignUpCommand(email="nonsense", password=None, name="Ada", session=WISH, malformed=malformed)
    assert await violations_of(world.use_cases.sign_up(command)) == [
        ("password", "not_text"),
        ("plan", "unknown_field"),
        ("email", "invalid_email"),
    ]


async def test_a_request_with_nothing_wrong_but_an_unreadable_field_is_still_refused(world: World) -> None:
    malformed = (Violation("plan", "unknown_field", Sentence("There is no such field.")),)
    command = SignUpCommand(email=ADA, password=PASSWORD, name="Ada", session=WISH, malformed=malformed)
    assert await violations_of(world.use_cases.sign_up(command)) == [("plan", "unknown_field")]
    await world.deliver()
    assert world.mailbox.letters == []


async def test_the_repeated_password_may_be_spelt_otherwise_in_unicode_but_not_in_anything_else(world: World) -> None:
    await world.sign_up(password="différence engine", password_confirm="diffe\u0301rence engine")
    attempt = world.sign_up(password="différence engine", password_confirm="différence engine ")
    assert await violations_of(attempt) == [("password_confirm", "mismatch")]


async def test_a_name_may_be_left_out_where_the_operator_says_so(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, {"OSTIARY_NAME": "optional"}) as world:
        await world.sign_up(name=None)
        assert await violations_of(world.sign_up(name="\x00")) == [("name", "invalid_characters")]


async def test_a_username_may_be_optional_or_required(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path / "optional", {"OSTIARY_USERNAME": "optional"}) as world:
        await world.sign_up()
        await world.sign_up(username="countess")
        assert await violations_of(world.sign_up(username="admin")) == [("username", "reserved")]
    async with make_world("memory", tmp_path / "required", {"OSTIARY_USERNAME": "required"}) as world:
        await world.sign_up(username="countess")
        assert await violations_of(world.sign_up()) == [("username", "required")]


@pytest.mark.parametrize("address", ["ada@trash.example", "ada@TRASH.example", "ada@deep.below.trash.example"])
async def test_addresses_of_disposable_domains_are_refused(address: str, tmp_path: Path) -> None:
    domains = tmp_path / "domains.txt"
    domains.write_text("# one a line\n\nTrash.example\nxn--bcher-kva.de\n")
    async with make_world("memory", tmp_path, {"OSTIARY_DISPOSABLE_DOMAINS": str(domains)}) as world:
        assert await violations_of(world.sign_up(address)) == [("email", "disposable_domain")]
        assert await violations_of(world.sign_up("ada@Bücher.de")) == [("email", "disposable_domain")]
        await world.sign_up("ada@nottrash.example")
        await world.sign_up("ada@trash.example.com")


# Passwords


@pytest.mark.parametrize("password", ["123456789012", "qwertyuiopasdfghjkl", "PASSWORDPASSWORD"])
async def test_a_password_from_the_lists_that_attackers_try_first_is_refused(password: str, world: World) -> None:
    assert await violations_of(world.sign_up(password=password)) == [("password", "common")]


async def test_common_passwords_may_be_allowed_by_the_operator(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, {"OSTIARY_PASSWORD_REFUSE_COMMON": "off"}) as world:
        await world.sign_up(password="123456789012")


@pytest.mark.parametrize(
    "password", ["ada.lovelace@example.com", "ADA.LOVELACE", "Ada King-Lovelace", "countess of l", "Analytical Engines"]
)
async def test_ones_own_address_names_and_the_products_name_are_no_passwords(password: str, tmp_path: Path) -> None:
    variables = {"OSTIARY_USERNAME": "optional", "OSTIARY_BRAND": "Analytical Engines"}
    async with make_world("memory", tmp_path, variables) as world:
        attempt = world.sign_up(
            "Ada.Lovelace@example.com", password, name="Ada King Lovelace", username="countess-of-l"
        )
        assert await violations_of(attempt) == [("password", "personal")]


async def test_ones_own_name_is_no_password_in_whichever_unicode_spelling_it_was_typed(world: World) -> None:
    typed = unicodedata.normalize("NFD", "Zoë Québécois")
    assert await violations_of(world.sign_up(name=typed, password="zoë québécois")) == [("password", "personal")]


async def test_the_password_rules_are_the_operators(tmp_path: Path) -> None:
    variables = {"OSTIARY_PASSWORD_MIN_LENGTH": "15", "OSTIARY_PASSWORD_REQUIRE": "upper,digit"}
    async with make_world("memory", tmp_path, variables) as world:
        attempt = world.sign_up(password="fourteen chars")
        assert await violations_of(attempt) == [
            ("password", "too_short"),
            ("password", "needs_upper"),
            ("password", "needs_digit"),
        ]
        await world.sign_up(password="Fifteen chars 1")


# Nobody learns who has an account (R15)


async def test_a_taken_address_is_answered_like_a_free_one_after_the_same_work(any_world: World) -> None:
    await any_world.member(ADA)
    hasher = WatchedHasher(any_world.use_cases.sign_up.hasher)
    watched = changed(any_world, sign_up=replace(any_world.use_cases.sign_up, hasher=hasher))
    before = len(any_world.events.recorded)
    taken = await watched.sign_up(ADA, OTHER_PASSWORD)
    free = await watched.sign_up(BOB, OTHER_PASSWORD)
    assert (type(taken), type(free)) == (VerificationSent, VerificationSent)
    assert len(taken.cookie.text) == len(free.cookie.text)
    assert hasher.work == ["hash", "hash"]
    assert any_world.events.kinds()[before:] == [EventKind.SIGN_UP_REQUESTED, EventKind.SIGN_UP_REQUESTED]
    any_world.clock.advance(seconds=2)
    assert await any_world.use_cases.deliver_mail() == 2


async def test_a_weak_password_is_refused_alike_for_a_taken_and_a_free_address(world: World) -> None:
    await world.member(ADA)
    taken, free = world.sign_up(ADA, "short"), world.sign_up(BOB, "short")
    assert await violations_of(taken) == await violations_of(free) == [("password", "too_short")]


async def test_the_code_that_answers_strangers_is_given_no_users_accounts_or_sessions(any_world: World) -> None:
    allowed = {"sign_ups", "usernames", "letters", "commit"}
    for use_case in (any_world.use_cases.sign_up, any_world.use_cases.resend_verification):
        async with use_case.intake() as intake:
            assert {name for name in dir(intake) if not name.startswith("_")} == allowed


@pytest.mark.parametrize("use_case", [SignUp, ResendVerification])
def test_nor_could_it_be_by_its_type(use_case: type) -> None:
    assert {name for name in dir(Intake) if not name.startswith("_")} == {"sign_ups", "usernames", "letters", "commit"}
    fields = get_type_hints(use_case)
    units_of_work = {name for name, hint in fields.items() if get_origin(hint) is Callable}
    assert units_of_work == {"intake"}
    assert get_args(fields["intake"]) == ([], AbstractAsyncContextManager[Intake])


# Usernames are public and may conflict (R17)


async def test_a_taken_username_is_a_conflict_and_leaves_nothing_behind(named_world: World) -> None:
    await named_world.sign_up(ADA, username="countess")
    with pytest.raises(Conflict) as caught:
        await named_world.sign_up(BOB, username="Countess", client=client(2))
    await named_world.deliver()
    assert [(each.field, each.code) for each in caught.value.violations] == [("username", "taken")]
    assert named_world.mailbox.to(BOB) == []
    assert EventKind.SIGN_UP_CONFLICT in named_world.events.kinds()


@pytest.mark.every_store
async def test_of_many_who_want_a_username_at_once_one_gets_it(named_world: World) -> None:
    attempts = (
        named_world.sign_up(f"person{number}@example.com", username="countess", client=client(number))
        for number in range(10)
    )
    outcomes = [type(outcome) for outcome in await asyncio.gather(*attempts, return_exceptions=True)]
    assert (outcomes.count(VerificationSent), outcomes.count(Conflict)) == (1, 9)


async def test_a_username_claimed_with_a_taken_address_is_as_taken_as_any(named_world: World) -> None:
    await named_world.member(ADA)
    await named_world.sign_up(ADA, username="countess", client=client(2))
    await named_world.sign_up(BOB, username="duchess", client=client(3))
    for username in ("countess", "duchess"):
        with pytest.raises(Conflict):
            await named_world.sign_up("carol@example.com", username=username, client=client(4))


async def test_a_claim_outlives_its_sign_up_so_that_its_end_teaches_nothing(named_world: World) -> None:
    await named_world.sign_up(ADA, OTHER_PASSWORD, username="countess", client=client(2))
    await named_world.deliver()
    await named_world.member(ADA)
    named_world.clock.advance(hours=40)
    with pytest.raises(Conflict):
        await named_world.sign_up(BOB, username="countess", client=client(3))


async def test_a_username_that_nobody_proved_is_free_after_48_hours(named_world: World) -> None:
    await named_world.sign_up(ADA, username="countess")
    named_world.clock.advance(hours=48)
    await named_world.sign_up(BOB, username="countess", client=client(2))


async def test_a_members_username_is_theirs_for_good(named_world: World) -> None:
    sent = await named_world.sign_up(ADA, username="countess")
    await named_world.verify(await named_world.token_for(ADA), cookie=sent.cookie.text)
    named_world.clock.advance(days=400)
    await named_world.use_cases.keep_house()
    with pytest.raises(Conflict):
        await named_world.sign_up(BOB, username="countess", client=client(2))


# Any number may wait for one address


@pytest.mark.parametrize("proven", range(5))
async def test_of_five_sign_ups_for_an_address_each_letter_proves_its_own(proven: int, any_world: World) -> None:
    tokens = []
    for number in range(5):
        await any_world.sign_up(password=f"password number {number}", name=f"Ada {number}", client=client(number))
        tokens.append(await any_world.token_for(ADA))
    signed_in = await any_world.verify(tokens[proven], password=f"password number {proven}")
    assert str(signed_in.user.name) == f"Ada {proven}"
    for number in range(5):
        if number == proven:
            await any_world.sign_in(password=f"password number {number}")
        else:
            with pytest.raises(InvalidCredentials):
                await any_world.sign_in(password=f"password number {number}", client=client(number))


# Limits (R61)


async def test_the_sixth_sign_up_for_an_address_within_an_hour_waits_whoever_asks(any_world: World) -> None:
    for number in range(5):
        await any_world.sign_up(client=client(number))
        any_world.clock.advance(minutes=5)
    limited = await limit_of(any_world.sign_up(client=client(6)))
    assert limited.limit == "sign_up_address"
    assert limited.retry_after == timedelta(hours=1), "when strangers tried is not told"
    assert limited.policy is None
    assert any_world.events.recorded[-1].kind == EventKind.RATE_LIMITED
    any_world.clock.advance(minutes=35)
    await any_world.sign_up(client=client(7))
    await limit_of(any_world.sign_up(client=client(8)))


async def test_the_limit_for_an_address_counts_alike_whether_or_not_somebody_has_it(any_world: World) -> None:
    await any_world.member(ADA)
    any_world.clock.advance(hours=2)
    for number in range(5):
        await any_world.sign_up(ADA, client=client(number))
        await any_world.sign_up(BOB, client=client(number + 10))
    taken = await limit_of(any_world.sign_up(ADA, client=client(20)))
    free = await limit_of(any_world.sign_up(BOB, client=client(21)))
    assert (taken.limit, taken.retry_after, taken.policy) == (free.limit, free.retry_after, free.policy)


async def test_the_sixth_unproven_sign_up_of_a_client_waits_until_one_is_an_hour_old(any_world: World) -> None:
    for number in range(5):
        await any_world.sign_up(f"person{number}@example.com")
        any_world.clock.advance(minutes=5)
    limited = await limit_of(any_world.sign_up(ADA))
    assert (limited.limit, limited.policy) == ("sign_up_client", (5, timedelta(hours=1)))
    assert limited.retry_after == timedelta(minutes=35), "what the caller did itself may be told"
    any_world.clock.advance(minutes=35)
    await any_world.sign_up(ADA)


async def test_at_most_20_sign_ups_write_to_an_address_in_a_day(world: World) -> None:
    for number in range(20):
        await world.sign_up(client=client(number))
        world.clock.advance(minutes=15)
    assert (await limit_of(world.sign_up(client=client(21)))).limit == "letter_day"
    world.clock.advance(hours=19)
    await world.sign_up(client=client(22))


async def test_a_client_is_its_ipv6_network_not_each_address_in_it(any_world: World) -> None:
    for number in range(5):
        await any_world.sign_up(f"person{number}@example.com", client=Client(f"2001:db8:0:1::{number + 1}"))
    await limit_of(any_world.sign_up(ADA, client=Client("2001:db8:0:1:ffff::1")))
    await any_world.sign_up(ADA, client=Client("2001:db8:0:2::1"))


async def test_a_sign_up_that_the_address_refuses_does_not_cost_the_client_a_unit(any_world: World) -> None:
    for number in range(5):
        await any_world.sign_up(client=client(number))
    for _ in range(3):
        await limit_of(any_world.sign_up())
    for number in range(5):
        await any_world.sign_up(f"person{number}@example.com")


async def test_mistyped_sign_ups_cost_nothing(world: World) -> None:
    for _ in range(10):
        await violations_of(world.sign_up(password="short"))
    for _ in range(5):
        await world.sign_up()


@pytest.mark.every_store
async def test_of_parallel_sign_ups_exactly_five_are_let_through(any_world: World) -> None:
    attempts = (any_world.sign_up(client=client(number)) for number in range(20))
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(outcome, VerificationSent) for outcome in outcomes) == 5


# Turned away by us, not used up by them


async def test_a_sign_up_turned_away_by_a_busy_service_costs_nothing(any_world: World) -> None:
    sign_up = any_world.use_cases.sign_up
    busy = changed(any_world, sign_up=replace(sign_up, hasher=BusyHasher()))
    for _ in range(10):
        with pytest.raises(Overloaded):
            await busy.sign_up()
    for _ in range(5):
        await any_world.sign_up()
    await limit_of(any_world.sign_up())


async def test_a_sign_up_that_could_not_be_stored_costs_nothing_and_leaves_no_trace(named_world: World) -> None:
    sign_up = named_world.use_cases.sign_up
    broken = changed(named_world, sign_up=replace(sign_up, intake=failing_at_commit(sign_up.intake)))
    for _ in range(10):
        with pytest.raises(Unavailable):
            await broken.sign_up(username="countess")
    await named_world.deliver()
    assert named_world.mailbox.letters == []
    assert EventKind.SIGN_UP_REQUESTED not in named_world.events.kinds()
    await named_world.sign_up(username="countess")
    for _ in range(4):
        await named_world.sign_up()


async def test_mail_leaves_later_and_cannot_delay_or_fail_a_sign_up(world: World) -> None:
    world.mailbox.trouble = RuntimeError("the mail system is on fire")
    await world.sign_up()
    assert world.mailbox.letters == []
    world.mailbox.trouble = None
    await world.deliver()
    assert len(world.mailbox.to(ADA)) == 1


async def test_a_taken_username_uses_up_nothing_of_the_address(tmp_path: Path) -> None:
    """Else a stranger could keep somebody out by signing them up under a name that is taken, without a letter."""
    async with make_world("memory", tmp_path, {"OSTIARY_USERNAME": "optional"}) as world:
        await world.sign_up("owner@example.com", username="squat", client=client(0))
        for number in range(1, 7):
            with pytest.raises(Conflict):
                await world.sign_up(username="squat", client=client(number))
        await world.sign_up()
