"""Pre-hijacked accounts (SECURITY 2.2; Sudhodanan and Paverd 2022): each attack fails, and works once its defence is
taken out, so that neither test is blind.

There is no sign-in by others yet, so of the classes *classic-federated merge* and *non-verifying provider* there is
nothing to attack: a user has the one account of their password.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.errors import Refusal
from domain.password import PasswordHash
from domain.session import Session
from domain.user import Credential
from tests.support.account_steps import (
    NEW_PASSWORD,
    alive,
    change_email,
    change_password,
    confirm,
    confirm_token,
    reset,
    reset_token,
)
from tests.support.variations import changed
from tests.support.world import ADA, ELSEWHERE, World, make_world

STRANGERS = "a stranger's own idea"
MALLORY = "mallory@example.com"

Attack = Callable[[World], Awaitable[bool]]


@pytest.fixture
async def optional(tmp_path: Path) -> AsyncIterator[World]:
    """Where a stranger may open an account with somebody's address and have a session at once."""
    async with make_world("memory", tmp_path, {"OSTIARY_VERIFICATION": "optional"}) as world:
        yield world


async def succeeds(attempt: Awaitable[object]) -> bool:
    """Whether it was not refused."""
    try:
        await attempt
    except Refusal:
        return False
    return True


class _KeepsVersion:
    """Accounts whose new password does not raise the credential version."""

    def __init__(self, accounts: Any) -> None:
        self._accounts = accounts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._accounts, name)

    async def replace(self, credential: Credential, new: PasswordHash, now: datetime) -> bool:
        kept: bool = await self._accounts.rehash(credential.user_id, old=credential.password_hash, new=new, now=now)
        return kept


class _EndsNothing:
    """Sessions that outlive what should end them."""

    def __init__(self, sessions: Any) -> None:
        self._sessions = sessions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sessions, name)

    async def add(self, session: Session) -> bool:
        version = session.credential_version
        under_either = await self._sessions.add(session) or await self._sessions.add(
            replace(session, credential_version=version - 1)
        )
        return bool(under_either)

    async def end_all(self, user_id: UUID, *, keep: UUID | None = None) -> int:
        return 0

    async def move(self, session_id: UUID, credential_version: int) -> bool:
        return True


class _Undefended:
    """A unit of work without both."""

    def __init__(self, unit: Any) -> None:
        self._unit = unit
        self.accounts, self.sessions = _KeepsVersion(unit.accounts), _EndsNothing(unit.sessions)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._unit, name)


def undefended(world: World) -> World:
    """The same world where a new password raises no version and ends no session."""

    def without(opens: Any) -> Any:
        @asynccontextmanager
        async def opened() -> AsyncIterator[Any]:
            async with opens() as unit:
                yield _Undefended(unit)

        return opened

    cases = world.use_cases
    of_users = replace(cases.verify_email.of_users, proving=without(cases.verify_email.of_users.proving))
    return changed(
        world,
        reset_password=replace(cases.reset_password, keeping=without(cases.reset_password.keeping)),
        change_password=replace(cases.change_password, keeping=without(cases.change_password.keeping)),
        verify_email=replace(cases.verify_email, of_users=of_users),
    )


# Unexpired session


async def a_session_outlives_a_reset(world: World) -> bool:
    stranger = await world.join(password=STRANGERS, client=ELSEWHERE)
    await reset(world, await reset_token(world))
    return await alive(world, stranger)


async def a_session_outlives_a_change(world: World) -> bool:
    mine = await world.join()
    stranger = await world.sign_in(client=ELSEWHERE)
    await change_password(world, mine)
    return await alive(world, stranger)


async def a_session_outlives_the_proof_of_the_mailbox(world: World) -> bool:
    stranger = await world.join(password=STRANGERS, client=ELSEWHERE)
    await world.verify(await world.token_for(), new_password=NEW_PASSWORD)
    return await alive(world, stranger)


# Unexpired e-mail change, and with it the trojan identifier: an address of the attacker's own that waits


async def a_waiting_address_outlives_a_reset(world: World) -> bool:
    stranger = await world.join(password=STRANGERS, client=ELSEWHERE)
    await change_email(world, stranger, MALLORY, password=STRANGERS)
    trojan = await confirm_token(world, MALLORY)
    world.clock.advance(minutes=1)
    await reset(world, await reset_token(world))
    return await succeeds(confirm(world, trojan))


async def a_waiting_address_outlives_a_change(world: World) -> bool:
    mine = await world.join()
    await change_email(world, mine, MALLORY)
    trojan = await confirm_token(world, MALLORY)
    await change_password(world, mine)
    return await succeeds(confirm(world, trojan))


async def a_waiting_address_outlives_the_proof_of_the_mailbox(world: World) -> bool:
    stranger = await world.join(password=STRANGERS, client=ELSEWHERE)
    await change_email(world, stranger, MALLORY, password=STRANGERS)
    trojan = await confirm_token(world, MALLORY)
    await world.verify(await world.token_for(), new_password=NEW_PASSWORD)
    return await succeeds(confirm(world, trojan))


ATTACKS: list[Attack] = [
    a_session_outlives_a_reset,
    a_session_outlives_a_change,
    a_session_outlives_the_proof_of_the_mailbox,
    a_waiting_address_outlives_a_reset,
    a_waiting_address_outlives_a_change,
    a_waiting_address_outlives_the_proof_of_the_mailbox,
]


@pytest.mark.parametrize("attack", ATTACKS)
async def test_what_a_stranger_left_behind_is_worth_nothing(attack: Attack, optional: World) -> None:
    assert not await attack(optional)


@pytest.mark.parametrize("attack", ATTACKS)
async def test_it_is_the_credential_version_that_stands_in_the_way(attack: Attack, optional: World) -> None:
    assert await attack(undefended(optional))


# Password kept: the victim opens the letter of a sign-up that the attacker made


async def a_strangers_password_goes_live(world: World) -> bool:
    await world.sign_up(password=STRANGERS, client=ELSEWHERE)
    await succeeds(world.verify(await world.token_for()))
    return await succeeds(world.sign_in(ADA, STRANGERS, client=ELSEWHERE))


async def test_a_click_alone_activates_no_password(world: World) -> None:
    assert not await a_strangers_password_goes_live(world)


async def test_it_is_the_second_fact_that_stands_in_the_way(world: World) -> None:
    undefended = changed(world, verify_email=replace(world.use_cases.verify_email, token_suffices=True))
    assert await a_strangers_password_goes_live(undefended)


async def test_a_sign_up_after_the_victims_own_changes_nothing(world: World) -> None:
    """The victim's link still gives the victim's password."""
    mine = await world.sign_up()
    token = await world.token_for()
    await world.sign_up(password=STRANGERS, client=ELSEWHERE)
    await world.verify(token, cookie=mine.cookie.text)
    assert not await succeeds(world.sign_in(ADA, STRANGERS, client=ELSEWHERE))
    assert await succeeds(world.sign_in())
