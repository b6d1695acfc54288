"""The contracts of `Users.hold`, `save`, `remove` and `note_first_sign_in` and of `Accounts.hold`, on every store."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.ports.units_of_work import Units
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.password import PasswordHash
from domain.user import Credential, User
from domain.username import Username
from tests.support import postgresql
from tests.support.postgresql_roads import blocked
from tests.support.store_kinds import over
from tests.support.store_samples import (
    ADA,
    GRACE,
    HOUR,
    NOW,
    ODD,
    TICK,
    a_session,
    a_user,
    keep_session,
    settle_in,
)


async def get(units: Units, user_id: UUID) -> User | None:
    async with units.proof_reading() as unit:
        return await unit.users.get(user_id)


async def credential_of(units: Units, user_id: UUID) -> Credential | None:
    async with units.proof_reading() as unit:
        return await unit.accounts.of_user(user_id)


async def change(units: Units, user_id: UUID, how: Callable[[User], User]) -> bool:
    """What every change of a user does: hold, look, save."""
    async with units.account_keeping() as unit:
        await unit.accounts.hold(user_id)
        user = await unit.users.hold(user_id)
        assert user is not None
        saved = await unit.users.save(how(user))
        if saved:
            await unit.commit()
    return saved


async def move(units: Units, user: User, email: EmailAddress) -> bool:
    return await change(units, user.id, lambda held: replace(held, email=email))


async def remove(units: Units, user_id: UUID) -> None:
    async with units.account_keeping() as unit:
        await unit.accounts.hold(user_id)
        await unit.users.hold(user_id)
        await unit.users.remove(user_id)
        await unit.commit()


async def note_first_sign_in(units: Units, user_id: UUID, moment: int) -> None:
    async with units.signing_in() as unit:
        await unit.users.note_first_sign_in(user_id, NOW + TICK * moment)
        await unit.commit()


# -- Holding --


async def test_who_is_held_is_read_as_they_are_and_nobody_is_held_who_is_not_there(units: Units) -> None:
    user = await settle_in(units, a_user(fields={"seats": 3}))
    async with units.account_keeping() as unit:
        assert await unit.accounts.hold(user.id) == await unit.accounts.of_user(user.id)
        assert await unit.users.hold(user.id) == user
        assert await unit.accounts.hold(uuid4()) is None
        assert await unit.users.hold(uuid4()) is None


async def test_of_twenty_who_hold_an_account_read_it_and_replace_it_none_is_lost(units: Units) -> None:
    user = await settle_in(units, a_user())

    async def hold_and_replace(number: int) -> bool:
        async with units.account_keeping() as unit:
            credential = await unit.accounts.hold(user.id)
            assert credential is not None
            replaced = await unit.accounts.replace(credential, PasswordHash(f"hash {number}"), NOW)
            await unit.commit()
        return replaced

    assert all(await asyncio.gather(*map(hold_and_replace, range(20))))
    credential = await credential_of(units, user.id)
    assert credential is not None
    assert credential.version == 21


async def test_of_twenty_who_hold_a_user_read_them_and_save_them_none_is_lost(units: Units) -> None:
    user = await settle_in(units, a_user(fields={"seats": 0}))

    async def hold_and_count() -> None:
        async with units.account_keeping() as unit:
            held = await unit.users.hold(user.id)
            assert held is not None
            assert await unit.users.save(replace(held, fields={"seats": int(held.fields["seats"]) + 1}))
            await unit.commit()

    await asyncio.gather(*(hold_and_count() for _ in range(20)))
    assert await get(units, user.id) == replace(user, fields={"seats": 20})


async def test_who_waited_for_an_account_sees_what_became_of_it_and_of_its_user(units: Units) -> None:
    user = await settle_in(units, a_user(email=ADA))

    async def look() -> tuple[Credential | None, User | None]:
        async with units.account_keeping() as unit:
            return await unit.accounts.hold(user.id), await unit.users.hold(user.id)

    async with units.account_keeping() as unit:
        credential, held = await unit.accounts.hold(user.id), await unit.users.hold(user.id)
        assert credential is not None
        assert held is not None
        looking = [asyncio.create_task(look()) for _ in range(3)]
        await asyncio.sleep(0)
        await unit.accounts.replace(credential, PasswordHash("new"), NOW)
        await unit.users.save(replace(held, email=GRACE))
        await unit.commit()
    expected = replace(credential, password_hash=PasswordHash("new"), version=2), replace(user, email=GRACE)
    assert await asyncio.gather(*looking) == [expected] * 3


async def test_holding_keeps_nobody_from_reading_and_nobody_from_another_account(units: Units) -> None:
    user, other = await settle_in(units, a_user()), await settle_in(units, a_user())
    session = a_session(user.id)
    await keep_session(units, session)
    async with units.account_keeping() as unit:
        await unit.accounts.hold(user.id)
        await unit.users.hold(user.id)
        assert await get(units, user.id) == user
        async with units.session_reading() as reading:
            assert await reading.sessions.find(session.id) == (session, user)
        assert await get(units, other.id) == other


# -- Saving --


async def test_every_field_that_may_change_comes_back_as_it_was_saved(units: Units) -> None:
    user, other = await settle_in(units, a_user()), await settle_in(units, a_user())
    changed = replace(
        user,
        email=ODD,
        email_verified=False,
        name=DisplayName("Ada Łovelace 🧮"),
        username=Username("countess"),
        role="admin",
        fields={"company": "Söhne", "seats": -3, "newsletter": True},
        disabled_at=NOW + TICK,
        first_signed_in_at=NOW - HOUR,
    )
    assert await change(units, user.id, lambda _: changed)
    assert await get(units, user.id) == changed
    assert await change(units, user.id, lambda _: user)
    assert await get(units, user.id) == user
    assert await get(units, other.id) == other


async def test_a_user_keeps_their_own_address_and_username(units: Units) -> None:
    user = await settle_in(units, a_user(email=ADA, username=Username("ada")))
    assert await change(units, user.id, lambda held: replace(held, name=None))
    assert await get(units, user.id) == replace(user, name=None)


@pytest.mark.parametrize("taken", [{"email": ADA}, {"username": Username("ada")}], ids=["address", "username"])
async def test_neither_address_nor_username_of_somebody_else_can_be_saved(units: Units, taken: dict[str, Any]) -> None:
    owner = await settle_in(units, a_user(email=ADA, username=Username("ada")))
    rival = await settle_in(units, a_user())
    assert not await change(units, rival.id, lambda held: replace(held, **taken))
    assert await get(units, owner.id) == owner
    assert await get(units, rival.id) == rival


async def test_any_number_of_users_may_be_saved_without_a_username(units: Units) -> None:
    for user in [await settle_in(units, a_user(username=Username(name))) for name in ("ada", "grace")]:
        assert await change(units, user.id, lambda held: replace(held, username=None))


async def test_of_twenty_who_move_to_one_address_at_once_one_does_and_the_others_are_told_so(units: Units) -> None:
    users = [await settle_in(units, a_user()) for _ in range(20)]
    outcomes = await asyncio.gather(*(move(units, user, ADA) for user in users))
    assert sorted(outcomes) == [False] * 19 + [True]
    for user, moved in zip(users, outcomes, strict=True):
        assert await get(units, user.id) == (replace(user, email=ADA) if moved else user)


async def test_two_who_want_each_others_address_at_once_keep_their_own_and_are_told_so(units: Units) -> None:
    for _ in range(5):
        one, other = await settle_in(units, a_user()), await settle_in(units, a_user())
        swaps = [move(units, one, other.email), move(units, other, one.email)]
        assert await asyncio.gather(*swaps) == [False, False]
        assert [await get(units, user.id) for user in (one, other)] == [one, other]


async def test_an_address_moves_to_one_of_those_who_prove_it_and_those_who_move_to_it_at_once(units: Units) -> None:
    movers = [await settle_in(units, a_user()) for _ in range(10)]
    newcomers = [a_user(email=ADA) for _ in range(10)]

    async def join(user: User) -> bool:
        async with units.proving() as unit:
            taken = await unit.users.add(user)
            await unit.commit()
        return not taken

    outcomes = await asyncio.gather(
        *(move(units, user, ADA) for user in movers), *(join(newcomer) for newcomer in newcomers)
    )
    assert sum(outcomes) == 1


async def test_saving_somebody_who_is_gone_brings_nobody_back(units: Units) -> None:
    gone = a_user(email=ADA)
    async with units.account_keeping() as unit:
        await unit.users.save(gone)
        await unit.commit()
    assert await get(units, gone.id) is None


# -- Removing --


async def test_a_removed_user_is_gone_with_account_and_sessions_and_nobody_else_is(units: Units) -> None:
    user = await settle_in(units, a_user(email=ADA, username=Username("ada")))
    other = await settle_in(units, a_user(email=GRACE))
    sessions = [a_session(user.id), a_session(user.id), a_session(other.id)]
    for session in sessions:
        await keep_session(units, session)
    await remove(units, user.id)
    assert await get(units, user.id) is None
    assert await credential_of(units, user.id) is None
    async with units.session_reading() as unit:
        found = [await unit.sessions.find(session.id) for session in sessions]
    assert found == [None, None, (sessions[2], other)]
    assert await settle_in(units, a_user(email=ADA, username=Username("ada")))
    await remove(units, uuid4())


async def test_whoever_comes_back_under_the_same_id_finds_none_of_their_sessions(units: Units) -> None:
    user = await settle_in(units, a_user())
    session = a_session(user.id)
    await keep_session(units, session)
    await remove(units, user.id)
    await settle_in(units, user)
    async with units.session_reading() as unit:
        assert await unit.sessions.find(session.id) is None


async def test_sessions_that_begin_while_their_user_is_removed_are_gone_or_were_never_added(units: Units) -> None:
    users = [await settle_in(units, a_user()) for _ in range(10)]
    sessions = [a_session(user.id) for user in users for _ in range(3)]
    outcomes = await asyncio.gather(
        *(keep_session(units, session) for session in sessions), *(remove(units, user.id) for user in users)
    )
    assert set(outcomes) <= {True, False, None}
    async with units.session_reading() as unit:
        assert [await unit.sessions.find(session.id) for session in sessions] == [None] * len(sessions)


async def test_a_session_that_waited_for_the_removal_of_its_user_is_not_added_and_that_is_no_error() -> None:
    """On PostgreSQL the user is seen when the session is added, and is gone when the foreign key is checked (23503)."""
    with postgresql.fresh_database() as url:
        async with postgresql.open_database(url) as database:
            units = over(database).units
            user = await settle_in(units, a_user())
            async with units.account_keeping() as unit:
                await unit.accounts.hold(user.id)
                await unit.users.hold(user.id)
                await unit.users.remove(user.id)
                adding = asyncio.create_task(keep_session_or_leave(units, user.id))
                await blocked(url, 1)
                await unit.commit()
            assert not await adding


async def keep_session_or_leave(units: Units, user_id: UUID) -> bool:
    async with units.signing_in() as unit:
        if not await unit.sessions.add(a_session(user_id)):
            return False
        await unit.commit()
    return True


# -- The first sign-in --


async def test_the_first_sign_in_is_noted_once_and_for_good(units: Units) -> None:
    user, other = await settle_in(units, a_user()), await settle_in(units, a_user())
    for moment in (3, 1, 5):
        await note_first_sign_in(units, user.id, moment)
    assert await get(units, user.id) == replace(user, first_signed_in_at=NOW + TICK * 3)
    assert await get(units, other.id) == other


async def test_noting_the_first_sign_in_of_somebody_who_is_gone_is_no_error(units: Units) -> None:
    gone = uuid4()
    await note_first_sign_in(units, gone, 1)
    assert await get(units, gone) is None


async def test_of_many_first_sign_ins_at_once_one_is_noted(units: Units) -> None:
    user = await settle_in(units, a_user())
    await asyncio.gather(*(note_first_sign_in(units, user.id, moment) for moment in range(20)))
    found = await get(units, user.id)
    assert found is not None
    assert found.first_signed_in_at in {NOW + TICK * moment for moment in range(20)}
