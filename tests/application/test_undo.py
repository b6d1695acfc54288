"""*This wasn't me* (A 6.3.7; SECURITY 2.2): docs/account.md."""

import asyncio

import pytest

from application.admission import SignedIn
from application.use_cases.sessions import Scope, SignOutCommand
from domain.errors import Conflict, InvalidCredentials, TokenExpired, TokenInvalid, Unauthenticated
from domain.events import EventKind
from domain.letters import Occasion
from tests.support.account_steps import (
    NEW_ADDRESS,
    NEW_PASSWORD,
    RESET,
    alive,
    change_email,
    change_password,
    confirm,
    confirm_token,
    delete,
    events,
    reset,
    reset_token,
    sign_out,
    undo,
)
from tests.support.mail import subject_of
from tests.support.refusals import limit_of, refused
from tests.support.world import ADA, ELSEWHERE, PASSWORD, World, make_world

MALLORY = "mallory@example.com"


async def link(world: World, occasion: Occasion, email: str = ADA) -> str:
    """The link in the newest letter that tells of this."""
    return await world.link_token(subject_of(occasion), email)


async def intruder(world: World) -> SignedIn:
    """Somebody who knows the password, on a device of theirs."""
    return await world.sign_in(client=ELSEWHERE)


async def moved_away(world: World) -> SignedIn:
    """An intruder who has taken the account to an address and a password of their own."""
    theirs = await intruder(world)
    await change_email(world, theirs, MALLORY)
    await confirm(world, await confirm_token(world, MALLORY), client=ELSEWHERE)
    await change_password(world, theirs, password="mallory's own idea")
    return theirs


async def back_in(world: World, mine: SignedIn) -> SignedIn:
    """The owner opens the letter that undoing sends, and signs in."""
    await reset(world, await world.link_token(RESET, ADA), "quite another idea")
    again = await world.sign_in(password="quite another idea")
    assert again.user.id == mine.user.id
    return again


async def test_a_sign_in_on_a_new_device_is_told_and_can_be_undone(any_world: World) -> None:
    mine = await any_world.member()
    theirs = await intruder(any_world)
    assert (await undo(any_world, await link(any_world, Occasion.NEW_DEVICE))).canonical == ADA
    assert not await alive(any_world, theirs)
    assert not await alive(any_world, mine), "the owner's own, too: nobody can tell them apart"
    assert await refused(any_world.sign_in()) is InvalidCredentials, "the intruder knew this password"
    await back_in(any_world, mine)


async def test_a_changed_password_is_undone(any_world: World) -> None:
    mine = await any_world.member()
    theirs = await intruder(any_world)
    await change_password(any_world, theirs)
    await undo(any_world, await link(any_world, Occasion.PASSWORD_CHANGED))
    assert not await alive(any_world, theirs)
    for password in (PASSWORD, NEW_PASSWORD):
        assert await refused(any_world.sign_in(password=password)) is InvalidCredentials
    await back_in(any_world, mine)


async def test_a_reset_is_undone(any_world: World) -> None:
    mine = await any_world.member()
    await reset(any_world, await reset_token(any_world), client=ELSEWHERE)
    theirs = await any_world.sign_in(password=NEW_PASSWORD, client=ELSEWHERE)
    await undo(any_world, await link(any_world, Occasion.PASSWORD_RESET))
    assert not await alive(any_world, theirs)
    await back_in(any_world, mine)


async def test_a_changed_address_is_undone_and_the_other_mailbox_is_worth_nothing(any_world: World) -> None:
    mine = await any_world.member()
    theirs = await moved_away(any_world)
    assert (await undo(any_world, await link(any_world, Occasion.EMAIL_CHANGED))).canonical == ADA
    assert not await alive(any_world, theirs)
    assert await refused(any_world.sign_in(MALLORY, "mallory's own idea")) is InvalidCredentials
    again = await back_in(any_world, mine)
    assert again.user.email.canonical == ADA


async def test_an_intruder_cannot_undo_the_undoing(any_world: World) -> None:
    """Letters about what they did later went to their mailbox; those links die with what they did."""
    mine = await any_world.member()
    await moved_away(any_world)
    theirs = await link(any_world, Occasion.PASSWORD_CHANGED, MALLORY)
    await undo(any_world, await link(any_world, Occasion.EMAIL_CHANGED))
    assert await refused(undo(any_world, theirs)) is TokenInvalid
    await back_in(any_world, mine)


async def test_the_first_letter_of_a_chain_undoes_all_of_it(any_world: World) -> None:
    """Whoever reads only the letter about the new device gets everything back that was done from it."""
    mine = await any_world.member()
    theirs = await intruder(any_world)
    first = await link(any_world, Occasion.NEW_DEVICE)
    await change_email(any_world, theirs, MALLORY)
    await confirm(any_world, await confirm_token(any_world, MALLORY), client=ELSEWHERE)
    await delete(any_world, theirs)
    assert (await undo(any_world, first)).canonical == ADA
    await back_in(any_world, mine)


async def test_a_deleted_account_comes_back_with_what_it_was(any_world: World) -> None:
    mine = await any_world.member()
    await delete(any_world, await intruder(any_world))
    assert await refused(any_world.sign_in()) is InvalidCredentials
    assert (await undo(any_world, await link(any_world, Occasion.ACCOUNT_DELETED))).canonical == ADA
    again = await back_in(any_world, mine)
    assert (again.user.name, again.user.created_at) == (mine.user.name, mine.user.created_at)
    kinds = [event.kind for event in await events(any_world, again)]
    assert {"account_deleted", "change_undone", "address_verified"} <= set(kinds), "their history is theirs again"


async def test_a_stolen_session_is_told_when_address_and_browser_differ_and_can_be_undone(any_world: World) -> None:
    mine = await any_world.member()
    any_world.clock.advance(minutes=1)
    moved = await any_world.refresh(mine)
    any_world.clock.advance(minutes=1)
    await any_world.refresh(moved)
    any_world.clock.advance(minutes=1)
    await refused(any_world.refresh(mine, client=ELSEWHERE))
    await undo(any_world, await link(any_world, Occasion.SESSION_STOLEN))
    await back_in(any_world, mine)


async def test_a_replay_from_the_same_place_ends_the_session_without_a_letter(any_world: World) -> None:
    mine = await any_world.member()
    any_world.clock.advance(minutes=1)
    moved = await any_world.refresh(mine)
    any_world.clock.advance(minutes=1)
    await any_world.refresh(moved)
    any_world.clock.advance(minutes=1)
    before = len(any_world.mailbox.letters)
    await refused(any_world.refresh(mine))
    assert not await alive(any_world, moved)
    await any_world.deliver()
    assert len(any_world.mailbox.letters) == before


@pytest.mark.parametrize("scope", [Scope.OTHERS, Scope.ALL])
async def test_ending_others_sessions_is_told(scope: Scope, any_world: World) -> None:
    """DESIGN section 3: it takes no more than the session."""
    mine = await any_world.member()
    await any_world.sign_in(marks=mine.device_marks)
    await sign_out(any_world, mine, scope)
    await undo(any_world, await link(any_world, Occasion.SESSIONS_ENDED))
    await back_in(any_world, mine)


# Links


@pytest.mark.every_store
async def test_a_link_works_once_and_of_twenty_at_once_one_does(any_world: World) -> None:
    await any_world.member()
    await intruder(any_world)
    token = await link(any_world, Occasion.NEW_DEVICE)
    outcomes = await asyncio.gather(*(refused(undo(any_world, token)) for _ in range(20)))
    assert outcomes.count(None) == 1
    assert set(outcomes) == {None, TokenInvalid}


async def test_a_link_works_for_seven_days(any_world: World) -> None:
    await any_world.member()
    await intruder(any_world)
    token = await link(any_world, Occasion.NEW_DEVICE)
    any_world.clock.advance(days=6, hours=23)
    await any_world.use_cases.keep_house()
    await undo(any_world, token)


async def test_after_seven_days_it_is_too_late(any_world: World) -> None:
    await any_world.member()
    await intruder(any_world)
    token = await link(any_world, Occasion.NEW_DEVICE)
    any_world.clock.advance(days=7)
    assert await refused(undo(any_world, token)) is TokenExpired


@pytest.mark.every_store
async def test_guessing_is_limited(any_world: World) -> None:
    for _ in range(30):
        assert await refused(undo(any_world, "A" * 43)) is TokenInvalid
    assert (await limit_of(undo(any_world, "A" * 43))).limit == "token_client"


async def test_an_address_that_is_anothers_by_now_is_a_conflict_and_spends_nothing(any_world: World) -> None:
    mine = await any_world.member()
    await change_email(any_world, mine)
    await confirm(any_world, await confirm_token(any_world))
    token = await link(any_world, Occasion.EMAIL_CHANGED)
    theirs = await any_world.member()
    assert theirs.user.id != mine.user.id
    assert await refused(undo(any_world, token)) is Conflict
    assert await refused(undo(any_world, token)) is Conflict
    await delete(any_world, theirs)
    await undo(any_world, token)


# When letters are written


async def test_of_the_first_sign_in_no_letter_is_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    optional = {"OSTIARY_VERIFICATION": "optional", "OSTIARY_AUTO_SIGN_IN": "off"}
    async with make_world("memory", tmp_path_factory.mktemp("world"), optional) as world:
        await world.ask_to_join(ADA, PASSWORD, name="Ada", client=ELSEWHERE)
        await world.deliver()
        before = len(world.mailbox.letters)
        await world.sign_in()
        await world.deliver()
        assert len(world.mailbox.letters) == before


async def test_a_device_with_a_mark_is_not_new_until_the_password_is_another(any_world: World) -> None:
    """An intruder who comes back with the password of today must not be silent for a mark of yesterday."""
    mine = await any_world.member()
    await any_world.sign_in(marks=mine.device_marks)
    theirs = await intruder(any_world)
    await undo(any_world, await link(any_world, Occasion.NEW_DEVICE))
    again = await back_in(any_world, mine)
    await any_world.deliver()
    before = len(any_world.mailbox.letters)
    await any_world.sign_in(password="quite another idea", marks=again.device_marks)
    await any_world.deliver()
    assert len(any_world.mailbox.letters) == before
    await any_world.sign_in(password="quite another idea", client=ELSEWHERE, marks=theirs.device_marks)
    await any_world.deliver()
    assert len(any_world.mailbox.letters) == before + 1


async def test_what_is_done_by_a_session_that_was_good_a_moment_ago_leaves_nothing_to_undo_with(
    any_world: World,
) -> None:
    """An intruder signs everybody out at the moment the owner undoes what they did: no letter goes to their mailbox."""
    mine = await any_world.member()
    theirs = await moved_away(any_world)
    caller = await any_world.identify(theirs)
    await undo(any_world, await link(any_world, Occasion.EMAIL_CHANGED))
    before = len(any_world.mailbox.to(MALLORY))
    for scope in Scope:
        late = SignOutCommand(caller=caller, scope=scope, client=ELSEWHERE)
        assert await refused(any_world.use_cases.sign_out(late)) in (None, Unauthenticated)
    await any_world.deliver()
    assert len(any_world.mailbox.to(MALLORY)) == before
    await back_in(any_world, mine)


async def test_the_order_counts_whatever_the_clocks_of_several_nodes_say(any_world: World) -> None:
    mine = await any_world.member()
    theirs = await intruder(any_world)
    await change_email(any_world, theirs, MALLORY)
    await confirm(any_world, await confirm_token(any_world, MALLORY), client=ELSEWHERE)
    any_world.clock.advance(seconds=-2)
    await change_password(any_world, theirs, password="mallory's own idea")
    any_world.clock.advance(seconds=5)
    later = await link(any_world, Occasion.PASSWORD_CHANGED, MALLORY)
    await undo(any_world, await link(any_world, Occasion.EMAIL_CHANGED))
    assert await refused(undo(any_world, later)) is TokenInvalid
    await back_in(any_world, mine)


async def test_an_account_that_nobody_proved_gives_way_to_the_owner_of_the_mailbox(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    optional = {"OSTIARY_VERIFICATION": "optional"}
    async with make_world("memory", tmp_path_factory.mktemp("world"), optional) as world:
        mine = await world.join()
        await world.verify(await world.token_for(), caller=await world.identify(mine))
        await moved_away(world)
        squatter = await world.join(password="a squatter's own idea", client=ELSEWHERE)
        assert (await undo(world, await link(world, Occasion.EMAIL_CHANGED))).canonical == ADA
        assert not await alive(world, squatter)
        await back_in(world, mine)


async def test_letters_about_new_devices_can_be_switched_off(tmp_path_factory: pytest.TempPathFactory) -> None:
    off = {"OSTIARY_NEW_DEVICE_LETTERS": "off"}
    async with make_world("memory", tmp_path_factory.mktemp("world"), off) as world:
        await world.member()
        await intruder(world)
        await world.deliver()
        assert len(world.mailbox.letters) == 1, "the one from sign-up"


async def test_of_one_kind_an_owner_is_told_so_often_in_an_hour(any_world: World) -> None:
    await any_world.member()
    for _ in range(8):
        await intruder(any_world)
    await any_world.deliver()
    told = [
        letter for letter in any_world.mailbox.to(ADA) if letter.subject.startswith(subject_of(Occasion.NEW_DEVICE))
    ]
    assert len(told) == 5


async def test_it_is_written_down(any_world: World) -> None:
    await any_world.member()
    await intruder(any_world)
    await undo(any_world, await link(any_world, Occasion.NEW_DEVICE))
    undone = any_world.events.recorded[-3:]
    assert [event.reason for event in undone if event.kind is EventKind.CHANGE_UNDONE] == ["new_device"]


async def test_an_older_reset_link_is_void_and_a_new_address_that_waits_too(any_world: World) -> None:
    mine = await any_world.member()
    await intruder(any_world)
    undoing = await link(any_world, Occasion.NEW_DEVICE)
    await change_email(any_world, mine, NEW_ADDRESS)
    waiting = await confirm_token(any_world)
    older = await reset_token(any_world)
    any_world.clock.advance(seconds=1)
    await undo(any_world, undoing)
    assert await refused(reset(any_world, older)) is TokenInvalid
    assert await refused(confirm(any_world, waiting)) is TokenInvalid
