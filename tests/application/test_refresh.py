"""Refreshing a session (R57; DESIGN section 3, SECURITY 1.4, 2.5): docs/sessions.md."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from application.admission import SignedIn
from application.recognition import Caller
from application.use_cases.identify import IdentifyCommand
from application.use_cases.refresh import RefreshCommand
from application.use_cases.sessions import SignOutCommand
from domain.errors import Unauthenticated, Unavailable
from domain.events import Event, EventKind
from domain.session import Session, SessionToken, Transport
from tests.support.fault_world import FAULTY, FaultyWorld, make_faulty_world
from tests.support.refusals import refused
from tests.support.variations import changed, failing_at_commit
from tests.support.world import ELSEWHERE, HERE, World, make_world

BOB = "bob@example.com"


async def row(world: World, holding: SignedIn) -> Session | None:
    """The session as it is stored."""
    async with world.use_cases.refresh.recognition.reading() as unit:
        found = await unit.sessions.find(holding.session.id)
    return found[0] if found else None


async def recognised(world: World, holding: SignedIn) -> bool:
    """Whether the session cookie is good at every other door."""
    command = IdentifyCommand(session_cookie=holding.session_token.text)
    return await refused(world.use_cases.identify(command)) is None


async def alive(world: World, holding: SignedIn) -> bool:
    """Whether the session is, whatever its cookie has become; by the access token."""
    return await refused(world.use_cases.identify(IdentifyCommand(access_token=holding.access_token))) is None


def show(world: World, text: str, transport: Transport = Transport.COOKIE) -> Awaitable[SignedIn]:
    """Refresh by any text."""
    return world.use_cases.refresh(RefreshCommand(session_token=text, transport=transport, client=HERE))


def meanwhile(world: World, act: Callable[[], Awaitable[Any]]) -> World:
    """The same world, in which something happens between a refresh's look at the session and its writing."""
    keeping = world.use_cases.refresh.keeping
    acts = [act]

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        if acts:
            await acts.pop()()
        async with keeping() as unit:
            yield unit

    return changed(world, refresh=replace(world.use_cases.refresh, keeping=opened))


# Moving on


@pytest.mark.parametrize("transport", Transport)
async def test_a_refresh_gives_a_new_session_token_and_a_new_access_token(
    transport: Transport, any_world: World
) -> None:
    member = await any_world.member()
    first = await any_world.sign_in(transport=transport)
    any_world.clock.advance(minutes=14)
    second = await any_world.refresh(first)
    assert (second.user, second.session.id, second.session.transport) == (member.user, first.session.id, transport)
    assert second.session_token != first.session_token
    assert second.access_token != first.access_token
    any_world.clock.advance(minutes=14)
    assert not await alive(any_world, first)
    assert await alive(any_world, second), "its access token is good for another quarter of an hour"


async def test_a_session_moves_on_by_one_and_stores_what_it_answers(any_world: World) -> None:
    holding = await any_world.member()
    any_world.clock.advance(minutes=2)
    refreshed = await any_world.refresh(holding)
    now = any_world.clock.now()
    assert await row(any_world, holding) == refreshed.session
    assert refreshed.session == replace(
        holding.session,
        counter=1,
        refreshed_at=now,
        last_seen_at=now,
        idle_expires_at=now + timedelta(days=14),
    )


async def test_within_the_grace_nothing_is_written_and_the_current_token_is_the_answer(any_world: World) -> None:
    holding = await any_world.member()
    stored = await row(any_world, holding)
    any_world.clock.advance(seconds=30)
    full = failing_at_commit(any_world.use_cases.refresh.keeping)
    unwritable = changed(any_world, refresh=replace(any_world.use_cases.refresh, keeping=full))
    again = await unwritable.refresh(holding)
    assert again.session_token == holding.session_token
    assert again.access_token != holding.access_token
    assert await row(any_world, holding) == stored


async def test_tokens_take_turns_for_as_long_as_the_session_lives(any_world: World) -> None:
    holding = await any_world.member()
    seen = {holding.session_token.text}
    for _ in range(20):
        any_world.clock.advance(days=1)
        holding = await any_world.refresh(holding)
        seen.add(holding.session_token.text)
        assert await recognised(any_world, holding)
    assert len(seen) == 21


async def test_neither_the_command_nor_its_answer_shows_a_token(world: World) -> None:
    holding = await world.member()
    command = RefreshCommand(session_token=holding.session_token.text, transport=Transport.COOKIE, client=HERE)
    assert holding.session_token.text not in repr(command)
    answer = repr(await world.use_cases.refresh(command))
    assert holding.session_token.text not in answer
    assert holding.access_token not in answer


# Two tabs, late answers, lost answers


@pytest.mark.every_store
async def test_fifty_tabs_at_once_move_the_session_on_once_and_get_the_same_token(any_world: World) -> None:
    holding = await any_world.member()
    any_world.clock.advance(minutes=2)
    answers = await asyncio.gather(*(any_world.refresh(holding) for _ in range(50)))
    assert {answer.session.counter for answer in answers} == {1}
    assert len({answer.session_token.text for answer in answers}) == 1
    stored = await row(any_world, holding)
    assert stored is not None
    assert stored.counter == 1
    assert await recognised(any_world, answers[0])
    assert EventKind.REFRESH_REUSED not in any_world.events.kinds()


async def test_an_answer_that_got_lost_is_given_again(any_world: World) -> None:
    holding = await any_world.member()
    any_world.clock.advance(minutes=2)
    lost = await any_world.refresh(holding)
    any_world.clock.advance(seconds=30)
    assert (await any_world.refresh(holding)).session_token == lost.session_token
    assert (await any_world.refresh(lost)).session_token == lost.session_token


async def test_the_parent_is_recognised_within_the_grace_and_a_plain_401_after_it(any_world: World) -> None:
    """A request sent before the new cookie arrived; only refreshing by an old token is theft."""
    holding = await any_world.member()
    any_world.clock.advance(minutes=2)
    refreshed = await any_world.refresh(holding)
    any_world.clock.advance(seconds=30)
    assert await recognised(any_world, holding)
    any_world.clock.advance(microseconds=1)
    assert not await recognised(any_world, holding)
    assert await recognised(any_world, refreshed)


async def test_who_loses_the_update_gets_the_winners_token(any_world: World) -> None:
    holding = await any_world.member()
    any_world.clock.advance(minutes=2)
    winners: list[SignedIn] = []

    async def win() -> None:
        winners.append(await any_world.refresh(holding))

    loser = await meanwhile(any_world, win).refresh(holding)
    assert loser.session_token == winners[0].session_token
    assert loser.session.counter == 1


async def test_who_loses_and_is_held_up_for_minutes_is_no_thief(any_world: World) -> None:
    """The token was good when it was shown; a machine may be asleep between two statements."""
    holding = await any_world.member()
    any_world.clock.advance(minutes=2)

    async def win_and_wait() -> None:
        await any_world.refresh(holding)
        any_world.clock.advance(minutes=5)

    loser = await meanwhile(any_world, win_and_wait).refresh(holding)
    assert await recognised(any_world, loser)


async def test_a_clock_put_back_by_an_hour_signs_nobody_out(any_world: World) -> None:
    holding = await any_world.member()
    any_world.clock.advance(minutes=2)
    refreshed = await any_world.refresh(holding)
    any_world.clock.advance(hours=-1)
    for each in (holding, refreshed):
        assert (await any_world.refresh(each)).session_token == refreshed.session_token
        assert await recognised(any_world, each)
    any_world.clock.advance(hours=1, minutes=1)
    assert (await any_world.refresh(refreshed)).session.counter == 2


# Replays


async def test_a_replay_after_the_grace_ends_the_session_and_is_recorded(any_world: World) -> None:
    """A 10.4.5: whoever of the two is the thief, both are out."""
    holding, other = await any_world.member(), await any_world.sign_in()
    any_world.clock.advance(minutes=2)
    refreshed = await any_world.refresh(holding)
    any_world.clock.advance(seconds=30, microseconds=1)
    assert await refused(any_world.refresh(holding, client=ELSEWHERE)) is Unauthenticated
    assert any_world.events.recorded[-1] == Event(
        kind=EventKind.REFRESH_REUSED, client=ELSEWHERE, user_id=holding.user.id
    )
    assert await row(any_world, holding) is None
    assert await refused(any_world.refresh(refreshed)) is Unauthenticated
    assert not await recognised(any_world, refreshed)
    assert not await alive(any_world, refreshed), "dead at once, under its access tokens too"
    assert await recognised(any_world, other), "the person's other sessions are not the thief's"


async def test_the_token_before_the_parent_is_a_replay_at_once(any_world: World) -> None:
    first = await any_world.member()
    any_world.clock.advance(minutes=2)
    second = await any_world.refresh(first)
    any_world.clock.advance(minutes=2)
    await any_world.refresh(second)
    assert await refused(any_world.refresh(first)) is Unauthenticated
    assert await row(any_world, first) is None


async def test_a_well_sealed_token_that_was_never_given_out_ends_the_session(any_world: World) -> None:
    holding = await any_world.member()
    ahead = any_world.use_cases.refresh.recognition.seal.token_for(replace(holding.session, counter=1))
    assert await refused(show(any_world, ahead.text)) is Unauthenticated
    assert await row(any_world, holding) is None
    assert any_world.events.kinds()[-1] is EventKind.REFRESH_REUSED


async def test_a_replay_that_could_not_be_acted_upon_is_not_reported_as_done(any_world: World) -> None:
    holding = await any_world.member()
    any_world.clock.advance(minutes=2)
    await any_world.refresh(holding)
    any_world.clock.advance(minutes=2)
    use_case = any_world.use_cases.refresh
    full = changed(any_world, refresh=replace(use_case, keeping=failing_at_commit(use_case.keeping)))
    assert await refused(full.refresh(holding)) is Unavailable
    assert EventKind.REFRESH_REUSED not in any_world.events.kinds()
    assert await refused(any_world.refresh(holding)) is Unauthenticated
    assert EventKind.REFRESH_REUSED in any_world.events.kinds()


# What touches nothing


async def test_a_forged_token_touches_nothing(any_world: World) -> None:
    """SECURITY 1.4: no session can be ended by guessing."""
    mine, theirs = await any_world.member(), await any_world.member(BOB)
    any_world.clock.advance(minutes=2)
    mine = await any_world.refresh(mine)
    any_world.clock.advance(minutes=2)
    stored = [await row(any_world, mine), await row(any_world, theirs)]
    recorded = list(any_world.events.recorded)
    token, text = mine.session_token, mine.session_token.text
    forged = [
        *(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :] for at in range(len(text))),
        *(SessionToken(token.session_id, counter, token.mac).text for counter in (0, 2, 3, 2**32 - 1)),
        SessionToken(theirs.session.id, token.counter, token.mac).text,
        SessionToken(token.session_id, token.counter, theirs.session_token.mac).text,
        SessionToken(token.session_id, 0, bytes(32)).text,
        *("", "x", "A" * 71, text + "=", text[:-1], "é", "\x00", mine.access_token),
    ]
    for each in forged:
        assert await refused(show(any_world, each)) is Unauthenticated, each
    assert [await row(any_world, mine), await row(any_world, theirs)] == stored
    assert any_world.events.recorded == recorded
    assert (await any_world.refresh(mine)).session.counter == 2


async def test_nothing_at_all_refreshes_nothing(world: World) -> None:
    for transport in Transport:
        command = RefreshCommand(session_token=None, transport=transport, client=HERE)
        assert await refused(world.use_cases.refresh(command)) is Unauthenticated


@pytest.mark.parametrize("transport", Transport)
@pytest.mark.parametrize("age", ["current", "replayed"])
async def test_a_token_of_one_transport_is_not_accepted_in_the_other_and_does_no_harm_there(
    transport: Transport, age: str, any_world: World
) -> None:
    await any_world.member()
    holding = await any_world.sign_in(transport=transport)
    any_world.clock.advance(minutes=2)
    text = holding.session_token.text
    if age == "replayed":
        await any_world.refresh(holding)
        any_world.clock.advance(minutes=2)
    stored = await row(any_world, holding)
    other = Transport.TOKEN if transport is Transport.COOKIE else Transport.COOKIE
    assert await refused(show(any_world, text, other)) is Unauthenticated
    assert await row(any_world, holding) == stored


# How long


async def test_refreshing_keeps_a_session_beyond_14_days_and_never_beyond_30(any_world: World) -> None:
    """A 10.4.8: idle and absolute expiry hold for refreshing too."""
    holding = await any_world.member()
    for _ in range(2):
        any_world.clock.advance(days=14, microseconds=-1)
        holding = await any_world.refresh(holding)
    assert holding.session.idle_expires_at == holding.session.absolute_expires_at
    any_world.clock.advance(days=2, microseconds=1)
    assert await refused(any_world.refresh(holding)) is None
    any_world.clock.advance(microseconds=1)
    assert await refused(any_world.refresh(holding)) is Unauthenticated


async def test_a_session_unused_for_14_days_is_not_revived_by_refreshing(any_world: World) -> None:
    holding = await any_world.member()
    any_world.clock.advance(days=14)
    assert await refused(any_world.refresh(holding)) is Unauthenticated
    assert not await recognised(any_world, holding)


async def test_a_replay_of_a_session_that_is_over_is_a_plain_401(any_world: World) -> None:
    holding = await any_world.member()
    any_world.clock.advance(minutes=2)
    await any_world.refresh(holding)
    any_world.clock.advance(days=15)
    assert await refused(any_world.refresh(holding)) is Unauthenticated
    assert EventKind.REFRESH_REUSED not in any_world.events.kinds()


async def test_a_session_not_to_be_remembered_is_refreshed_for_24_hours_in_all(any_world: World) -> None:
    await any_world.member()
    holding = await any_world.sign_in(remember=False)
    for _ in range(23):
        any_world.clock.advance(hours=1)
        holding = await any_world.refresh(holding)
        assert not holding.session.remember
    any_world.clock.advance(hours=1)
    assert await refused(any_world.refresh(holding)) is Unauthenticated


async def test_refreshing_counts_as_being_there(any_world: World) -> None:
    holding = await any_world.member()
    any_world.clock.advance(minutes=3)
    refreshed = await any_world.refresh(holding)
    any_world.clock.advance(minutes=4)
    caller: Caller = await any_world.use_cases.identify(IdentifyCommand(access_token=refreshed.access_token))
    assert caller.session.last_seen_at == any_world.clock.now() - timedelta(minutes=4)


# Ended meanwhile


async def test_a_sign_out_during_a_refresh_wins(any_world: World) -> None:
    holding = await any_world.member()
    any_world.clock.advance(minutes=2)
    caller = await any_world.use_cases.identify(IdentifyCommand(access_token=holding.access_token))
    during = meanwhile(any_world, lambda: any_world.use_cases.sign_out(SignOutCommand(caller=caller, client=HERE)))
    assert await refused(during.refresh(holding)) is Unauthenticated
    assert await row(any_world, holding) is None


@pytest.fixture(params=sorted(FAULTY))
async def faulty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FaultyWorld]:
    async with make_faulty_world(request.param, tmp_path) as made:
        yield made


ENDINGS = [
    "UPDATE users SET disabled_at = '2026-01-01 12:00:00.000000'",
    "UPDATE accounts SET credential_version = credential_version + 1",
    "DELETE FROM accounts",
]


@pytest.mark.parametrize("ending", ENDINGS, ids=["disabled", "password changed", "no account"])
@pytest.mark.parametrize("moment", ["before", "during", "within the grace"])
async def test_somebody_disabled_or_with_a_newer_password_refreshes_nothing(
    ending: str, moment: str, faulty: FaultyWorld
) -> None:
    holding = await faulty.member()
    faulty.clock.advance(minutes=0 if moment == "within the grace" else 2)

    async def end() -> None:
        faulty.execute(ending)

    world = meanwhile(faulty, end) if moment == "during" else faulty
    if moment != "during":
        await end()
    assert await refused(world.refresh(holding)) is Unauthenticated
    assert faulty.count("SELECT counter FROM sessions") == 0, "nothing was written"


async def test_a_store_that_cannot_be_written_refuses_and_the_token_is_as_good_as_before(any_world: World) -> None:
    holding = await any_world.member()
    any_world.clock.advance(minutes=2)
    use_case = any_world.use_cases.refresh
    full = changed(any_world, refresh=replace(use_case, keeping=failing_at_commit(use_case.keeping)))
    assert await refused(full.refresh(holding)) is Unavailable
    assert (await any_world.refresh(holding)).session.counter == 1


# Rotating the secret (R58)


async def test_a_refresh_under_a_new_secret_seals_with_it(tmp_path: Path) -> None:
    """So that the old one can be dropped, one longest lifetime later, without signing anybody out."""
    old, new = "the-old-secret-of-this-house-6c1f93a7", "the-new-secret-of-this-house-b20d4e58"
    async with make_world("sqlite", tmp_path, {"OSTIARY_SECRET": old}) as world:
        just_begun, older = await world.member(), await world.sign_in()
    both = {"OSTIARY_SECRET": new, "OSTIARY_ACCEPTED_SECRETS": old}
    async with make_world("sqlite", tmp_path, both) as world:
        resealed = await world.refresh(just_begun)
        assert resealed.session.counter == 0, "within the grace the counter stays"
        assert resealed.session_token != just_begun.session_token
        world.clock.advance(minutes=2)
        refreshed = await world.refresh(older)
    async with make_world("sqlite", tmp_path, {"OSTIARY_SECRET": new}) as world:
        world.clock.advance(minutes=3)
        assert await recognised(world, resealed)
        assert await recognised(world, refreshed)
        assert await alive(world, refreshed)
        assert await refused(world.refresh(just_begun)) is Unauthenticated, "the retired key opens nothing"
        assert await row(world, just_begun) is not None, "and does no harm"


async def test_a_sign_up_outlives_the_secret_it_was_made_under(tmp_path: Path) -> None:
    """Its cookie, its letter's token and the limits depend on the database alone."""
    old, new = "the-old-secret-of-this-house-6c1f93a7", "the-new-secret-of-this-house-b20d4e58"
    async with make_world("sqlite", tmp_path, {"OSTIARY_SECRET": old}) as world:
        sent = await world.sign_up()
        token = await world.token_for()
    async with make_world("sqlite", tmp_path, {"OSTIARY_SECRET": new}) as world:
        world.clock.advance(minutes=1)
        assert (await world.verify(token, cookie=sent.cookie.text)).user.email_verified
