"""Seeing and ending one's sessions, and what happened (A 7.4.5, 7.5.2, 16.3; R56): docs/account.md."""

from datetime import timedelta
from uuid import uuid4

import pytest

from application.use_cases.event_history import ListEventsCommand
from application.use_cases.sessions import EndSessionCommand
from domain.client import Client
from domain.errors import NotFound
from domain.events import RecordedEvent
from domain.session import Transport
from tests.support.account_steps import (
    alive,
    change_email,
    change_password,
    confirm,
    confirm_token,
    end_session,
    events,
    sessions,
)
from tests.support.refusals import refused
from tests.support.world import ADA, HERE, World

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
DESK, PHONE = Client("192.0.2.1", FIREFOX), Client("2001:db8:1:2::3", IPHONE)
BOB = "bob@example.com"


async def test_a_session_is_shown_in_words_and_this_one_is_marked(any_world: World) -> None:
    mine = await any_world.member(client=DESK)
    any_world.clock.advance(minutes=1)
    phone = await any_world.sign_in(client=PHONE, transport=Transport.TOKEN, remember=False)
    listed = await sessions(any_world, mine)
    assert [(each.id, each.current, each.device, each.masked_address) for each in listed] == [
        (phone.session.id, False, "Safari on iOS", "2001:db8:1::/48"),
        (mine.session.id, True, "Firefox on Linux", "192.0.2.0/24"),
    ]
    assert listed[0].expires_at == any_world.clock.now() + timedelta(hours=24)
    assert listed[0].transport is Transport.TOKEN


async def test_only_living_sessions_of_ones_own_are_shown(any_world: World) -> None:
    await any_world.member(BOB)
    mine = await any_world.member()
    await any_world.sign_in(remember=False)
    any_world.clock.advance(hours=25)
    assert [each.id for each in await sessions(any_world, mine)] == [mine.session.id]


async def test_a_session_is_ended_from_another_one(any_world: World) -> None:
    mine = await any_world.member()
    other = await any_world.sign_in()
    await end_session(any_world, mine, other)
    assert [await alive(any_world, each) for each in (mine, other)] == [True, False]
    assert await refused(end_session(any_world, mine, other)) is NotFound


async def test_ending_this_very_session_signs_out(any_world: World) -> None:
    mine = await any_world.member()
    await end_session(any_world, mine, mine)
    assert not await alive(any_world, mine)


async def test_every_other_id_is_not_there_whoever_it_belongs_to(any_world: World) -> None:
    theirs = await any_world.member(BOB)
    mine = await any_world.member()
    caller = await any_world.identify(mine)
    for session_id in (theirs.session.id, uuid4(), mine.user.id):
        attempt = any_world.use_cases.end_session(EndSessionCommand(caller=caller, session_id=session_id, client=HERE))
        assert await refused(attempt) is NotFound
    assert await alive(any_world, theirs)


# Events


async def test_every_door_that_opens_leaves_a_trace_that_its_owner_sees(any_world: World) -> None:
    mine = await any_world.member(client=DESK)
    any_world.clock.advance(seconds=1)
    await refused(any_world.sign_in(password="a guess", client=PHONE))
    any_world.clock.advance(seconds=1)
    await any_world.sign_in(client=PHONE)
    any_world.clock.advance(seconds=1)
    await change_email(any_world, mine)
    await confirm(any_world, await confirm_token(any_world))
    any_world.clock.advance(seconds=1)
    await change_password(any_world, mine)
    told = [(event.kind, event.failed) for event in reversed(await events(any_world, mine))]
    assert told == [
        ("address_verified", False),
        ("sign_in_failed", True),
        ("signed_in", False),
        ("email_change_requested", False),
        ("email_changed", False),
        ("password_changed", False),
    ]


async def test_an_event_says_when_and_where(any_world: World) -> None:
    mine = await any_world.member(client=DESK)
    [event] = await events(any_world, mine)
    assert (event.at, event.address, event.user_agent) == (any_world.clock.now(), "192.0.2.1", FIREFOX)
    assert (event.user_id, event.actor_id) == (mine.user.id, None)


async def test_nobody_sees_anybody_elses(any_world: World) -> None:
    await any_world.member(BOB)
    await refused(any_world.sign_in(BOB, "a guess"))
    await refused(any_world.sign_in("nobody@example.com", "a guess"))
    mine = await any_world.member()
    assert [event.kind for event in await events(any_world, mine)] == ["address_verified"]


@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.every_store
async def test_pages_go_back_in_time_without_a_gap_or_a_repeat(size: int, any_world: World) -> None:
    """Several at one moment, too."""
    mine = await any_world.member()
    for _ in range(7):
        await refused(any_world.sign_in(password="a guess", client=Client("198.51.100.9")))
    caller = await any_world.identify(mine)
    seen: list[RecordedEvent] = []
    while page := await any_world.use_cases.list_events(
        ListEventsCommand(caller=caller, before=seen[-1].id if seen else None, most=size)
    ):
        assert len(page) <= size
        seen += page
    assert [event.id for event in seen] == [event.id for event in await events(any_world, mine)]
    assert len({event.id for event in seen}) == len(seen) == 6, "five guesses, then the limit, and the beginning"


async def test_a_clients_address_is_shortened_after_a_month_and_all_is_forgotten_after_a_year(
    any_world: World,
) -> None:
    """R66: each by a setting."""
    mine = await any_world.member(client=DESK)
    any_world.clock.advance(days=30)
    await any_world.use_cases.keep_house()
    mine = await any_world.sign_in(ADA, client=DESK, marks=mine.device_marks)
    told = [(event.kind, event.address) for event in await events(any_world, mine)]
    assert told == [("signed_in", "192.0.2.1"), ("address_verified", "192.0.2.0/24")]
    any_world.clock.advance(days=366)
    await any_world.use_cases.keep_house()
    mine = await any_world.sign_in(ADA, client=DESK)
    assert [event.kind for event in await events(any_world, mine)] == ["signed_in"]
