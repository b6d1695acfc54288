"""The profile: declared fields, name and username (R01, R05, R12, R17): docs/profile.md."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from application.admission import SessionWish, SignedIn
from application.recognition import Caller
from application.use_cases.account_deletion import DeleteAccountCommand
from application.use_cases.profile import NAME_KEPT, ChangeProfileCommand, ProfileChanged
from application.use_cases.sign_in import SignInCommand
from application.use_cases.undo import UndoChangeCommand
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.errors import Conflict, InvalidCredentials, Unauthenticated, Unavailable
from domain.events import EventKind
from domain.username import Username
from tests.support.mail import token_in
from tests.support.refusals import limit_of, refused, violations_of
from tests.support.store_kinds import STORES
from tests.support.variations import changed, client, disabled_user, failing_at_commit
from tests.support.world import ADA, ELSEWHERE, HERE, PASSWORD, World, make_world

BOB = "bob@example.com"
NEW_PASSWORD = "chosen by the mailbox's owner"
FIELDS = """
[company]
type = "string"
required = true
max_length = 20

[seats]
type = "integer"
minimum = 1
maximum = 500

[news]
type = "boolean"

[plan]
type = "string"
choices = ["free", "pro"]
input = false
"""
COMPANY = {"company": "Engines"}


@pytest.fixture(params=sorted(STORES))
async def declared(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """Over each store in turn, a place with fields of its own, where usernames are optional."""
    async with make_world(request.param, tmp_path, variables(tmp_path)) as made:
        yield made


@pytest.fixture
async def quick(tmp_path: Path) -> AsyncIterator[World]:
    """The same over the memory adapters."""
    async with make_world("memory", tmp_path, variables(tmp_path)) as made:
        yield made


def variables(folder: Path, **others: str) -> dict[str, str]:
    """With limits as wide as tests of other things need them, but for that of usernames."""
    file = folder / "fields.toml"
    file.write_text(FIELDS)
    wide = {f"OSTIARY_LIMIT_{name}": "off" for name in ("SIGN_UP_CLIENT", "SIGN_UP_ADDRESS", "LETTER_DAY")}
    return {"OSTIARY_FIELDS": str(file), "OSTIARY_USERNAME": "optional", **wide, **others}


async def member(world: World, email: str = ADA, username: str | None = None, **fields: Any) -> SignedIn:
    """Somebody who signed up with these fields and proved their mailbox in the same browser."""
    sent = await world.sign_up(email, username=username, fields={**COMPANY, **fields})
    return await world.verify(await world.token_for(email), cookie=sent.cookie.text)


async def change(world: World, caller: Caller, *, marks: str | None = None, **given: Any) -> ProfileChanged:
    """Change what is given."""
    typed: dict[str, str | None] = {name: given.pop(name) for name in ("name", "username") if name in given}
    return await world.use_cases.change_profile(
        ChangeProfileCommand(caller=caller, typed=typed, fields=given, device_marks=marks, client=HERE)
    )


async def sign_in_by_username(world: World, username: str, marks: str | None = None) -> SignedIn:
    wish = SessionWish(client=ELSEWHERE, device_marks=marks)
    return await world.use_cases.sign_in(SignInCommand(username=username, password=PASSWORD, session=wish))


# Declared fields, from sign-up on


async def test_what_was_given_at_sign_up_goes_live_with_it(declared: World) -> None:
    signed_in = await member(declared, company="  Engines ", seats=3, news=False)
    assert signed_in.user.fields == {"company": "Engines", "seats": 3, "news": False}
    assert (await declared.identify(signed_in)).user == signed_in.user


async def test_whoever_comes_with_the_password_from_elsewhere_has_what_they_typed(quick: World) -> None:
    await quick.sign_up(fields={**COMPANY, "seats": 3})
    signed_in = await quick.verify(await quick.token_for(), password=PASSWORD, client=ELSEWHERE)
    assert signed_in.user.fields == {"company": "Engines", "seats": 3}


async def test_with_a_new_password_nothing_that_a_stranger_typed_survives(declared: World) -> None:
    await declared.sign_up(username="stranger", fields={"company": "The stranger's", "seats": 3, "news": True})
    signed_in = await declared.verify(await declared.token_for(), new_password=NEW_PASSWORD, client=ELSEWHERE)
    assert (signed_in.user.fields, signed_in.user.username, signed_in.user.name) == ({}, None, None)
    after = await change(declared, await declared.identify(signed_in), company="My own")
    assert after.user.fields == {"company": "My own"}


async def test_a_sign_up_says_everything_that_is_wrong_with_everything(quick: World) -> None:
    given = {"seats": 0, "news": "yes", "plan": "pro", "role": "admin"}
    assert await violations_of(quick.sign_up("x", "short", fields=given)) == [
        ("email", "invalid_email"),
        ("plan", "server_only"),
        ("role", "unknown_field"),
        ("company", "required"),
        ("seats", "out_of_range"),
        ("news", "invalid_type"),
        ("password", "too_short"),
    ]


async def test_where_verification_is_optional_the_user_has_them_at_once(tmp_path: Path) -> None:
    async with make_world("sqlite", tmp_path, variables(tmp_path, OSTIARY_VERIFICATION="optional")) as world:
        joined = await world.join(fields={**COMPANY, "news": True})
        assert joined.user.fields == {"company": "Engines", "news": True}
        proven = await world.verify(await world.token_for(), password=PASSWORD)
        assert proven.user == replace(joined.user, email_verified=True)


@pytest.mark.parametrize("store", sorted(STORES))
async def test_who_takes_over_an_account_finds_nothing_that_a_stranger_typed(store: str, tmp_path: Path) -> None:
    """Pre-hijacking: a field may show, or mail, something to its owner in the product's name."""
    async with make_world(store, tmp_path, variables(tmp_path, OSTIARY_VERIFICATION="optional")) as world:
        stranger = await world.join(fields={"company": "The stranger's", "seats": 3})
        await change(world, await world.identify(stranger), news=True)
        await set_by_administrator(world, stranger, plan="pro")
        owner = await world.verify(await world.token_for(), new_password=NEW_PASSWORD, client=ELSEWHERE)
        assert owner.user.fields == {"plan": "pro"}
        assert (await world.identify(owner)).user.fields == {"plan": "pro"}


async def test_a_change_made_while_the_mailbox_is_being_proven_stays(tmp_path: Path) -> None:
    async with make_world("sqlite", tmp_path, variables(tmp_path, OSTIARY_VERIFICATION="optional")) as world:
        joined = await world.join(fields=COMPANY)
        caller = await world.identify(joined)
        token = await world.token_for()
        await asyncio.gather(
            world.verify(token, caller=caller), change(world, caller, seats=3), change(world, caller, name="Countess")
        )
        user = (await world.identify(joined)).user
        assert (user.email_verified, user.fields, user.name) == (
            True,
            {"company": "Engines", "seats": 3},
            DisplayName("Countess"),
        )


async def set_by_administrator(world: World, signed_in: SignedIn, **fields: Any) -> None:
    """What no use case of this page can do."""
    async with world.use_cases.change_profile.keeping() as unit:
        user = await unit.users.hold(signed_in.user.id)
        assert user is not None
        assert await unit.users.save(replace(user, fields={**user.fields, **fields}))
        await unit.commit()


# Changing the profile


async def test_only_what_is_given_changes(declared: World) -> None:
    signed_in = await member(declared, seats=3, news=True)
    caller = await declared.identify(signed_in)
    after = (await change(declared, caller, name=" Countess ", seats=4)).user
    assert after == replace(
        signed_in.user, name=DisplayName("Countess"), fields={"company": "Engines", "seats": 4, "news": True}
    )
    assert (await declared.identify(signed_in)).user == after
    recorded = declared.events.recorded[-1]
    assert (recorded.kind, recorded.user_id, recorded.reason) == (EventKind.PROFILE_CHANGED, after.id, None)


async def test_what_an_administrator_set_stays(declared: World) -> None:
    signed_in = await member(declared)
    caller = await declared.identify(signed_in)
    await set_by_administrator(declared, signed_in, plan="pro")
    after = (await change(declared, caller, seats=4)).user
    assert after.fields == {"company": "Engines", "plan": "pro", "seats": 4}


async def test_an_optional_field_is_cleared_and_a_required_one_is_not(quick: World) -> None:
    caller = await quick.identify(await member(quick, seats=3, news=False))
    assert (await change(quick, caller, seats=None)).user.fields == {"company": "Engines", "news": False}
    assert await violations_of(change(quick, caller, company=None, name=None, news="no")) == [
        ("name", "required"),
        ("company", "required"),
        ("news", "invalid_type"),
    ]


async def test_a_name_is_cleared_where_it_is_optional(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, variables(tmp_path, OSTIARY_NAME="optional")) as world:
        caller = await world.identify(await member(world))
        assert (await change(world, caller, name=None)).user.name is None
        assert (await change(world, caller, name="")).user.name is None


async def test_nothing_is_written_or_recorded_when_everything_is_as_it_was(quick: World) -> None:
    caller = await quick.identify(await member(quick, username="ada", seats=3))
    before = len(quick.events.recorded)
    nothing = changed(
        quick,
        change_profile=replace(
            quick.use_cases.change_profile, keeping=failing_at_commit(quick.use_cases.change_profile.keeping)
        ),
    )
    for given in ({}, {"name": "Ada"}, {"username": " ADA "}, {"seats": 3, "company": "Engines"}):
        assert (await change(nothing, caller, **given)) == ProfileChanged(caller.user, None)
    assert len(quick.events.recorded) == before


async def test_of_changes_of_different_fields_at_once_all_stay(declared: World) -> None:
    caller = await declared.identify(await member(declared, username="ada"))
    changes: list[dict[str, Any]] = [{"seats": 7}, {"news": True}, {"name": "Countess"}, {"username": "countess"}]
    await asyncio.gather(*(change(declared, caller, **given) for given in changes * 3), return_exceptions=True)
    user = (await change(declared, caller)).user
    assert (user.fields, user.name, user.username) == (
        {"company": "Engines", "seats": 7, "news": True},
        DisplayName("Countess"),
        Username("countess"),
    )


async def test_a_session_that_is_dead_by_then_changes_nothing(declared: World) -> None:
    signed_in = await member(declared)
    caller = await declared.identify(signed_in)
    older = replace(caller, session=replace(caller.session, credential_version=0))
    assert await refused(change(declared, older, seats=3)) is Unauthenticated
    assert (await declared.identify(signed_in)).user == signed_in.user


async def test_somebody_who_is_disabled_by_then_changes_nothing(declared: World) -> None:
    signed_in = await member(declared)
    await disabled_user(declared, BOB, PASSWORD)
    async with declared.use_cases.change_profile.keeping() as unit:
        bob = await unit.users.of_email(EmailAddress(BOB))
    assert bob is not None
    caller = await declared.identify(signed_in)
    theirs = Caller(user=bob, session=replace(caller.session, user_id=bob.id))
    assert await refused(change(declared, theirs, name="Robert")) is Unauthenticated


# The username


async def test_after_a_change_the_new_name_signs_in_and_the_old_one_does_not(declared: World) -> None:
    signed_in = await member(declared, username="ada")
    after = await change(declared, await declared.identify(signed_in), username="Countess")
    assert after.user.username == Username("countess")
    assert (await sign_in_by_username(declared, "countess")).user == after.user
    assert await refused(sign_in_by_username(declared, "ada")) is InvalidCredentials
    [recorded] = [event for event in declared.events.recorded if event.kind is EventKind.PROFILE_CHANGED]
    assert recorded.reason == "username"


async def test_the_device_is_marked_anew_for_the_new_name_and_only_then(quick: World) -> None:
    signed_in = await member(quick, username="ada")
    caller = await quick.identify(signed_in)
    assert (await change(quick, caller, name="Countess", marks=signed_in.device_marks)).device_marks is None
    marks = (await change(quick, caller, username="countess", marks=signed_in.device_marks)).device_marks
    known = quick.use_cases.change_profile.device_marks
    now = quick.clock.now()
    new, old = (known.recognises(marks, Username(name), now) for name in ("countess", "ada"))
    before = known.recognises(signed_in.device_marks, EmailAddress(ADA), now)
    assert new == before == known.recognises(marks, EmailAddress(ADA), now)
    assert new is not None
    assert old is None


@pytest.mark.parametrize("holder", ["a user", "a waiting sign-up", "a sign-up that died"])
async def test_a_name_that_somebody_holds_is_a_conflict(declared: World, holder: str) -> None:
    """R17. That a claim outlives its sign-up teaches nobody what became of it."""
    signed_in = await member(declared, username="ada")
    if holder == "a user":
        await member(declared, BOB, username="countess")
    else:
        await declared.sign_up(BOB, username="countess", fields=COMPANY)
        await declared.deliver()
    if holder == "a sign-up that died":
        await member(declared, BOB)
    with pytest.raises(Conflict) as caught:
        await change(declared, await declared.identify(signed_in), username="countess", seats=3)
    assert [(violation.field, violation.code) for violation in caught.value.violations] == [("username", "taken")]
    assert (await declared.identify(signed_in)).user == signed_in.user
    assert (await sign_in_by_username(declared, "ada")).user == signed_in.user


async def test_the_old_name_is_kept_for_a_while_for_who_had_it(declared: World) -> None:
    signed_in = await member(declared, username="ada")
    bob = await declared.identify(await member(declared, BOB))
    await change(declared, await declared.identify(signed_in), username="countess")
    declared.clock.advance(seconds=(NAME_KEPT - timedelta(seconds=1)).total_seconds())
    bob = await declared.identify(await declared.sign_in(BOB))
    assert await refused(change(declared, bob, username="ada")) is Conflict
    assert await refused(declared.sign_up("eve@example.com", username="ada", fields=COMPANY)) is Conflict
    back = await declared.identify(await declared.sign_in())
    assert (await change(declared, back, username="ada")).user.username == Username("ada")
    declared.clock.advance(seconds=365 * 86400)
    bob = await declared.identify(await declared.sign_in(BOB))
    assert await refused(change(declared, bob, username="ada")) is Conflict, "it is for good again"
    assert (await change(declared, bob, username="countess")).user.username == Username("countess")


async def test_then_it_is_anybodys(declared: World) -> None:
    signed_in = await member(declared, username="ada")
    await member(declared, BOB)
    await change(declared, await declared.identify(signed_in), username="countess")
    declared.clock.advance(seconds=NAME_KEPT.total_seconds())
    bob = await declared.identify(await declared.sign_in(BOB))
    assert (await change(declared, bob, username="ada")).user.username == Username("ada")
    ada = await declared.identify(await declared.sign_in())
    assert await refused(change(declared, ada, username="ada")) is Conflict


async def test_a_name_given_up_is_kept_as_well(quick: World) -> None:
    signed_in = await member(quick, username="ada")
    caller = await quick.identify(signed_in)
    bob = await quick.identify(await member(quick, BOB))
    assert (await change(quick, caller, username=None)).user.username is None
    assert await refused(change(quick, bob, username="ada")) is Conflict
    caller = await quick.identify(signed_in)
    assert (await change(quick, caller, username="ada")).user.username == Username("ada")


async def test_of_many_who_want_one_name_at_once_one_has_it(declared: World) -> None:
    callers = [await declared.identify(await member(declared, f"p{number}@example.com")) for number in range(6)]
    outcomes = await asyncio.gather(*(refused(change(declared, caller, username="ada")) for caller in callers))
    assert sorted(map(str, outcomes)) == sorted(map(str, [None, *[Conflict] * 5]))


async def test_two_who_swap_their_names_at_once_both_keep_their_own(declared: World) -> None:
    ada = await declared.identify(await member(declared, username="ada"))
    bob = await declared.identify(await member(declared, BOB, username="bob"))
    swaps = (change(declared, ada, username="bob"), change(declared, bob, username="ada"))
    assert await asyncio.gather(*map(refused, swaps)) == [Conflict, Conflict]
    assert {(await sign_in_by_username(declared, name)).user.id for name in ("ada", "bob")} == {
        ada.user.id,
        bob.user.id,
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [("ab", "invalid_length"), ("with space", "invalid_characters"), ("admin", "reserved"), ("", "invalid_length")],
)
async def test_a_name_keeps_the_rules_of_sign_up(quick: World, text: str, code: str) -> None:
    caller = await quick.identify(await member(quick))
    assert await violations_of(change(quick, caller, username=text)) == [("username", code)]


async def test_where_there_are_no_usernames_nobody_takes_one(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, variables(tmp_path, OSTIARY_USERNAME="off")) as world:
        caller = await world.identify(await member(world))
        for text in ("ada", None):
            assert await violations_of(change(world, caller, username=text)) == [("username", "unknown_field")]


async def test_where_a_username_is_required_it_is_not_given_up(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, variables(tmp_path, OSTIARY_USERNAME="required")) as world:
        caller = await world.identify(await member(world, username="ada"))
        assert await violations_of(change(world, caller, username=None)) == [("username", "required")]


# Its limit


async def test_changes_and_conflicts_count_and_nothing_else_does(declared: World) -> None:
    caller = await declared.identify(await member(declared, username="ada"))
    await member(declared, BOB, username="bob")
    for given in ({"username": "x"}, {"username": "ada"}, {"name": "Countess"}, {"username": "ada", "seats": 1}):
        await refused(change(declared, caller, **given))
    broken = replace(
        declared.use_cases.change_profile, keeping=failing_at_commit(declared.use_cases.change_profile.keeping)
    )
    assert await refused(change(changed(declared, change_profile=broken), caller, username="later")) is Unavailable
    for _ in range(3):
        assert await refused(change(declared, caller, username="bob")) is Conflict
    await change(declared, caller, username="ada2")
    caller = replace(caller, user=(await change(declared, caller)).user)
    await change(declared, caller, username=None)
    caller = replace(caller, user=(await change(declared, caller)).user)
    limit = await limit_of(change(declared, caller, username="ada3"))
    assert (limit.limit, limit.policy) == ("username_change", (5, timedelta(days=1)))
    assert (await change(declared, caller, name="Ada again")).user.name == DisplayName("Ada again")


async def test_somebody_elses_limit_is_their_own(quick: World) -> None:
    ada, bob = [await quick.identify(await member(quick, email)) for email in (ADA, BOB)]
    for number in range(5):
        await change(quick, ada, username=f"ada{number}")
        ada = replace(ada, user=(await change(quick, ada)).user)
    await limit_of(change(quick, ada, username="ada5"))
    assert (await change(quick, bob, username="bob")).user.username == Username("bob")


# The rest of an account's life


async def test_an_account_brought_back_has_its_fields(declared: World) -> None:
    signed_in = await member(declared, username="ada", seats=3, news=False)
    caller = await declared.identify(signed_in)
    await declared.use_cases.delete_account(DeleteAccountCommand(caller=caller, client=client(1)))
    await declared.deliver()
    letter = declared.mailbox.to(ADA)[-1]
    await declared.use_cases.undo_change(UndoChangeCommand(token=token_in(letter), client=client(1)))
    async with declared.use_cases.change_profile.keeping() as unit:
        user = await unit.users.get(signed_in.user.id)
    assert user is not None
    assert (user.fields, user.username) == ({"company": "Engines", "seats": 3, "news": False}, Username("ada"))
