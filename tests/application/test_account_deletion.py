"""Farewell (A 14.2.7, 7.4.2, 7.5.1; docs/decisions/0013): docs/account.md."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from domain.errors import (
    InvalidCredentials,
    ReauthenticationRequired,
    TokenInvalid,
    Unauthenticated,
)
from domain.letters import Occasion
from tests.support.account_steps import (
    alive,
    change_email,
    confirm,
    confirm_token,
    delete,
    forgot,
    reset,
    reset_token,
    undo,
)
from tests.support.mail import subject_of
from tests.support.refusals import refused, violations_of
from tests.support.world import ADA, ELSEWHERE, PASSWORD, World, make_world

NAMED = {"OSTIARY_USERNAME": "optional"}


async def test_the_account_is_gone_with_every_session_and_link(any_world: World) -> None:
    mine = await any_world.member()
    other = await any_world.sign_in(client=ELSEWHERE)
    token = await reset_token(any_world)
    await delete(any_world, mine)
    assert [await alive(any_world, each) for each in (mine, other)] == [False, False]
    assert await refused(any_world.sign_in()) is InvalidCredentials
    assert await refused(reset(any_world, token)) is TokenInvalid
    assert await refused(any_world.refresh(mine)) is Unauthenticated


async def test_a_letter_tells_its_owner(any_world: World) -> None:
    await delete(any_world, await any_world.member())
    await any_world.deliver()
    subjects = [letter.subject for letter in any_world.mailbox.to(ADA)]
    assert subjects[-1].startswith(subject_of(Occasion.ACCOUNT_DELETED))


async def test_it_takes_the_password_or_a_sign_in_of_just_now(any_world: World) -> None:
    mine = await any_world.member()
    any_world.clock.advance(minutes=10)
    assert await refused(delete(any_world, mine, password=None)) is ReauthenticationRequired
    assert await violations_of(delete(any_world, mine, password="a guess")) == [("password", "wrong_password")]
    assert await alive(any_world, mine)
    fresh = await any_world.sign_in()
    await delete(any_world, fresh, password=None)
    assert not await alive(any_world, mine)


async def test_the_address_is_free_at_once(any_world: World) -> None:
    mine = await any_world.member()
    await delete(any_world, mine)
    again = await any_world.member(password="another beginning")
    assert again.user.id != mine.user.id
    assert (await any_world.sign_in(password="another beginning")).user == again.user


async def test_forgotten_passwords_of_the_deleted_reach_nobody(any_world: World) -> None:
    await delete(any_world, await any_world.member())
    await any_world.deliver()
    before = len(any_world.mailbox.letters)
    await forgot(any_world)
    await any_world.deliver()
    assert len(any_world.mailbox.letters) == before


async def test_a_second_deletion_by_another_session_finds_nobody(any_world: World) -> None:
    mine = await any_world.member()
    caller = await any_world.identify(mine)
    await delete(any_world, mine)
    assert await refused(delete(any_world, mine, caller=caller)) is Unauthenticated


async def test_nothing_personal_is_left_in_the_database(tmp_path: Path) -> None:
    """What brings the account back is sealed; what happened stays on record under a pseudonym."""
    async with make_world("sqlite", tmp_path, NAMED) as world:
        sent = await world.sign_up(username="countess", name="Augusta Ada")
        mine = await world.verify(await world.token_for(), cookie=sent.cookie.text)
        await world.sign_in(client=ELSEWHERE)
        await change_email(world, mine, "byron@example.com")
        await confirm(world, await confirm_token(world, "byron@example.com"))
        await change_email(world, mine, ADA)
        world.clock.advance(minutes=2)
        await confirm(world, await confirm_token(world, ADA))
        await world.deliver()
        await delete(world, mine)
        await world.deliver()
        with closing(sqlite3.connect(tmp_path / "ostiary.sqlite3")) as connection:
            dump = "\n".join(connection.iterdump())
    assert mine.user.id.hex not in "\n".join(line for line in dump.splitlines() if '"events"' in line)
    for personal in (ADA, "byron@", "Augusta", "192.0.2.1", "Firefox"):
        assert personal not in dump, personal
    assert "account_deleted" in dump


async def test_a_username_is_kept_for_its_owner_for_as_long_as_they_may_come_back(tmp_path: Path) -> None:
    async with make_world("sqlite", tmp_path, NAMED) as world:
        sent = await world.sign_up(username="countess")
        mine = await world.verify(await world.token_for(), cookie=sent.cookie.text)
        await delete(world, mine)
        token = await world.link_token(subject_of(Occasion.ACCOUNT_DELETED))
        from domain.errors import Conflict

        assert await refused(world.sign_up("b@example.com", username="countess", client=ELSEWHERE)) is Conflict
        await undo(world, token)
        await reset(world, await world.link_token("Choose a new password"))
        assert str((await world.sign_in(password="difference of engines")).user.username) == "countess"


async def test_after_that_time_the_username_is_free_and_nothing_is_left_to_undo(tmp_path: Path) -> None:
    async with make_world("sqlite", tmp_path, NAMED) as world:
        sent = await world.sign_up(username="countess")
        mine = await world.verify(await world.token_for(), cookie=sent.cookie.text)
        await delete(world, mine)
        token = await world.link_token(subject_of(Occasion.ACCOUNT_DELETED))
        world.clock.advance(days=15)
        await world.use_cases.keep_house()
        assert await refused(undo(world, token)) is TokenInvalid
        await world.sign_up("b@example.com", username="countess", client=ELSEWHERE)


@pytest.mark.parametrize("minutes", [1, 9])
async def test_a_session_that_is_only_refreshed_stays_as_old_as_it_is(minutes: int, any_world: World) -> None:
    mine = await any_world.member()
    any_world.clock.advance(minutes=minutes)
    renewed = await any_world.refresh(mine)
    any_world.clock.advance(seconds=timedelta(minutes=10 - minutes).total_seconds())
    assert await refused(delete(any_world, renewed, password=None)) is ReauthenticationRequired
    await delete(any_world, renewed, password=PASSWORD)
