"""Changing the password (A 6.2.2, 6.2.3, 7.4.3; DESIGN section 3): docs/account.md."""

import asyncio

import pytest

from domain.errors import InvalidCredentials, Overloaded, Unauthenticated
from domain.events import EventKind
from domain.letters import Occasion
from domain.session import Transport
from tests.support.account_steps import NEW_PASSWORD, alive, change_password, shut_out
from tests.support.mail import subject_of
from tests.support.refusals import limit_of, refused, violations_of
from tests.support.variations import client
from tests.support.world import ADA, ELSEWHERE, World


async def test_the_new_password_gets_in_and_the_old_one_does_not(any_world: World) -> None:
    mine = await any_world.member()
    await change_password(any_world, mine)
    assert await refused(any_world.sign_in()) is InvalidCredentials
    await any_world.sign_in(password=NEW_PASSWORD)


async def test_this_session_goes_on_and_every_other_ends(any_world: World) -> None:
    mine = await any_world.member()
    others = [await any_world.sign_in(client=ELSEWHERE), await any_world.sign_in(transport=Transport.TOKEN)]
    await change_password(any_world, mine)
    assert await alive(any_world, mine)
    assert [await alive(any_world, other) for other in others] == [False, False]
    any_world.clock.advance(minutes=1)
    assert await alive(any_world, await any_world.refresh(mine)), "it can be refreshed, too"


async def test_the_owner_is_told_at_the_address_they_had(any_world: World) -> None:
    mine = await any_world.member()
    await change_password(any_world, mine)
    await any_world.deliver()
    subjects = [letter.subject for letter in any_world.mailbox.to(ADA)]
    assert sum(subject.startswith(subject_of(Occasion.PASSWORD_CHANGED)) for subject in subjects) == 1


@pytest.mark.parametrize("current", ["not it", "", ADA])
async def test_a_wrong_current_password_changes_nothing_and_names_the_field(current: str, any_world: World) -> None:
    mine = await any_world.member()
    attempt = change_password(any_world, mine, current=current)
    assert await violations_of(attempt) == [("current_password", "wrong_password")]
    assert await alive(any_world, mine)
    await any_world.sign_in()


async def test_both_passwords_are_asked_for_and_all_is_said_at_once(any_world: World) -> None:
    mine = await any_world.member()
    attempt = change_password(any_world, mine, current=None, password=None)
    assert await violations_of(attempt) == [("current_password", "required"), ("password", "required")]
    attempt = change_password(any_world, mine, current=None, password="short")
    assert await violations_of(attempt) == [("current_password", "required"), ("password", "too_short")]


async def test_having_just_signed_in_is_not_enough(any_world: World) -> None:
    """DESIGN section 3: changing the password always takes the current one."""
    mine = await any_world.member()
    assert mine.session.fresh(any_world.clock.now())
    assert await violations_of(change_password(any_world, mine, current=None)) == [("current_password", "required")]


@pytest.mark.parametrize("password", ["ada@example.com", "Ada", "password1234"])
async def test_the_policy_is_that_of_sign_up(password: str, any_world: World) -> None:
    mine = await any_world.member()
    assert {field for field, _ in await violations_of(change_password(any_world, mine, password=password))} == {
        "password"
    }


@pytest.mark.every_store
async def test_guessing_with_a_stolen_session_is_limited_and_success_gives_its_own_unit_back(any_world: World) -> None:
    mine = await any_world.member()
    for _ in range(4):
        await refused(change_password(any_world, mine, current="a guess"))
    await change_password(any_world, mine)
    await refused(change_password(any_world, mine, current="a guess"))
    assert (await limit_of(change_password(any_world, mine, current=NEW_PASSWORD))).limit == "own_password"
    kinds = any_world.events.kinds()
    assert kinds.count(EventKind.REAUTHENTICATION_FAILED) == 5


async def test_the_devices_own_mark_is_renewed_and_older_marks_elsewhere_are_strangers(any_world: World) -> None:
    mine = await any_world.member()
    elsewhere = await any_world.sign_in(client=ELSEWHERE)
    marks = (await change_password(any_world, mine, marks=mine.device_marks)).device_marks
    for number in range(20):
        await refused(any_world.sign_in(password="a guess", client=client(number)))
    assert await refused(any_world.sign_in(password=NEW_PASSWORD, marks=elsewhere.device_marks)) is not None
    await any_world.sign_in(password=NEW_PASSWORD, marks=marks)


@pytest.mark.every_store
async def test_of_two_at_once_one_succeeds_and_the_others_session_is_over(any_world: World) -> None:
    mine = await any_world.member()
    other = await any_world.sign_in(client=ELSEWHERE)
    outcomes = await asyncio.gather(
        refused(change_password(any_world, mine, password=f"{NEW_PASSWORD} 1")),
        refused(change_password(any_world, other, password=f"{NEW_PASSWORD} 2")),
    )
    assert sorted(map(str, outcomes)) == sorted(map(str, (None, Unauthenticated)))
    winner, loser = (mine, other) if outcomes[0] is None else (other, mine)
    assert await alive(any_world, winner)
    assert not await alive(any_world, loser)
    good = f"{NEW_PASSWORD} {1 if outcomes[0] is None else 2}"
    await any_world.sign_in(password=good)


async def test_a_session_that_has_ended_meanwhile_changes_nothing(any_world: World) -> None:
    mine = await any_world.member()
    caller = await any_world.identify(mine)
    await shut_out(any_world)
    assert await refused(change_password(any_world, mine, caller=caller)) is Unauthenticated


async def test_a_busy_service_costs_no_try(any_world: World) -> None:
    from dataclasses import replace

    from tests.support.variations import BusyHasher, changed

    mine = await any_world.member()
    use_case = any_world.use_cases.change_password
    busy = changed(any_world, change_password=replace(use_case, proof=replace(use_case.proof, hasher=BusyHasher())))
    for _ in range(6):
        assert await refused(change_password(busy, mine)) is Overloaded
    await change_password(any_world, mine)
