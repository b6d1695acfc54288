"""The contracts of `application.ports.transfer` that stores hold: many people at once."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from application.ports.units_of_work import Units
from domain.email_address import EmailAddress
from domain.events import Event, EventKind
from domain.newcomer import Newcomer
from domain.password import NO_PASSWORD
from domain.username import Username
from tests.support.store_kinds import StoreUnderTest
from tests.support.store_samples import (
    HOUR,
    NOW,
    TICK,
    a_newcomer,
    a_sign_up,
    a_user,
    settle_in,
    wait_in_line,
)

ADA_NAME = Username("ada.lovelace")


async def bring(units: Units, *newcomers: Newcomer) -> set[UUID]:
    async with units.immigration() as unit:
        added = await unit.newcomers.add(newcomers, NOW)
        await unit.commit()
    return added


async def everybody(units: Units, most: int = 100) -> list[Newcomer]:
    async with units.emigration() as unit:
        return await unit.residents.page(None, most)


def address(number: int) -> EmailAddress:
    return EmailAddress(f"person{number}@example.com")


async def test_who_comes_is_carried_out_as_they_came(units: Units) -> None:
    whole = a_newcomer(
        email=address(1),
        username=ADA_NAME,
        role="editor",
        fields={"plan": "gold", "seats": 3, "trial": False},
        disabled_at=NOW - HOUR,
        first_signed_in_at=NOW - 2 * HOUR,
        created_at=NOW - timedelta(days=4000),
        email_verified=False,
    )
    bare = replace(a_newcomer(email=address(2), name=None), password_hash=NO_PASSWORD, origin=None)
    assert await bring(units, whole, bare) == {whole.user.id, bare.user.id}
    assert await everybody(units) == sorted([whole, bare], key=lambda newcomer: newcomer.user.id)


async def test_who_comes_is_found_at_sign_in_like_everybody_else(units: Units) -> None:
    newcomer = a_newcomer(username=ADA_NAME)
    await bring(units, newcomer)
    async with units.credential_reading() as unit:
        for found in (await unit.logins.by_email(newcomer.user.email), await unit.logins.by_username(ADA_NAME)):
            assert found is not None
            user, credential = found
            assert (user, credential.password_hash, credential.version) == (newcomer.user, newcomer.password_hash, 1)


async def test_each_has_an_event_that_says_where_they_came_from(units: Units) -> None:
    newcomer = a_newcomer()
    await bring(units, newcomer)
    async with units.own_reading() as unit:
        [event] = await unit.events.of_user(newcomer.user.id, before=None, most=10)
    assert (event.kind, event.reason, event.at) == ("user_imported", "elsewhere", NOW)


async def test_whose_id_or_address_is_taken_is_not_added_and_holds_no_username(units: Units) -> None:
    resident = await settle_in(units, a_user(email=address(0)))
    same_id = a_newcomer(email=address(1), id=resident.id)
    same_address = a_newcomer(email=address(0), username=ADA_NAME)
    welcome = a_newcomer(email=address(2))
    assert await bring(units, same_id, same_address, welcome) == {welcome.user.id}
    assert {newcomer.user.email for newcomer in await everybody(units)} == {address(0), address(2)}
    async with units.emigration() as unit:
        assert await unit.residents.with_usernames({ADA_NAME}, NOW) == set()


async def test_whose_username_is_taken_comes_without(units: Units) -> None:
    waiting = a_sign_up(username=ADA_NAME)
    await wait_in_line(units, waiting)
    async with units.intake() as unit:
        assert await unit.usernames.claim(ADA_NAME, holder=waiting.id, now=NOW, expires_at=NOW + HOUR)
        await unit.commit()
    newcomer = a_newcomer(username=ADA_NAME, email=address(1))
    assert await bring(units, newcomer) == {newcomer.user.id}
    assert (await everybody(units))[0].user.username is None


async def test_a_claim_that_has_lapsed_is_a_newcomers(units: Units) -> None:
    async with units.intake() as unit:
        await unit.usernames.claim(ADA_NAME, holder=uuid4(), now=NOW - HOUR, expires_at=NOW)
        await unit.commit()
    await bring(units, a_newcomer(username=ADA_NAME))
    assert (await everybody(units))[0].user.username == ADA_NAME
    async with units.intake() as unit:
        assert not await unit.usernames.claim(ADA_NAME, holder=uuid4(), now=NOW + 99 * HOUR, expires_at=None)


async def test_what_waited_for_their_address_is_gone(units: Units) -> None:
    theirs, anothers = a_sign_up(email=address(1)), a_sign_up(email=address(2))
    await wait_in_line(units, theirs, anothers)
    await bring(units, a_newcomer(email=address(1)))
    async with units.proof_reading() as unit:
        assert await unit.sign_ups.get(theirs.id) is None
        assert await unit.sign_ups.get(anothers.id) == anothers


async def test_nobody_at_all_is_nothing_to_do(units: Units) -> None:
    assert await bring(units) == set()
    async with units.emigration() as unit:
        assert await unit.residents.here([]) == set()
        assert await unit.residents.with_emails([]) == set()
        assert await unit.residents.with_usernames([], NOW) == set()
        assert await unit.residents.page(None, 10) == []


async def test_who_is_here_is_told_by_id_address_and_username(units: Units) -> None:
    newcomer = a_newcomer(username=ADA_NAME, email=address(1))
    await bring(units, newcomer)
    async with units.emigration() as unit:
        assert await unit.residents.here([newcomer.user.id, uuid4()]) == {newcomer.user.id}
        assert await unit.residents.with_emails([address(1), address(2)]) == {address(1)}
        assert await unit.residents.with_usernames([ADA_NAME, Username("grace")], NOW) == {ADA_NAME}


async def test_a_username_given_up_is_held_until_it_lapses(units: Units) -> None:
    newcomer = a_newcomer(username=ADA_NAME)
    await bring(units, newcomer)
    async with units.account_keeping() as unit:
        await unit.usernames.release(ADA_NAME, holder=newcomer.user.id, expires_at=NOW + HOUR)
        await unit.commit()
    async with units.emigration() as unit:
        assert await unit.residents.with_usernames([ADA_NAME], NOW + HOUR - TICK) == {ADA_NAME}
        assert await unit.residents.with_usernames([ADA_NAME], NOW + HOUR) == set()


async def test_everybody_is_read_page_by_page_each_once(units: Units) -> None:
    await bring(units, *(a_newcomer(email=address(number)) for number in range(25)))
    found: list[Newcomer] = []
    while True:
        async with units.emigration() as unit:
            page = await unit.residents.page(found[-1].user.id if found else None, 10)
        found += page
        if len(page) < 10:
            break
    assert [newcomer.user.id for newcomer in found] == [each.user.id for each in await everybody(units)]
    assert len({newcomer.user.email for newcomer in found}) == 25


async def test_two_who_bring_the_same_people_at_once_bring_each_once(store: StoreUnderTest) -> None:
    crowd = [a_newcomer(email=address(number), username=Username(f"user{number}")) for number in range(50)]
    added = await asyncio.gather(*(bring(store.units, *crowd) for _ in range(4)))
    assert sorted(user_id for each in added for user_id in each) == sorted(each.user.id for each in crowd)
    assert len(await everybody(store.units)) == 50


async def test_where_somebody_came_from_goes_with_them(units: Units) -> None:
    newcomer = a_newcomer()
    await bring(units, newcomer)
    async with units.account_keeping() as unit:
        await unit.users.remove(newcomer.user.id)
        await unit.commit()
    assert await everybody(units) == []
    again = replace(newcomer, origin=None)
    await bring(units, again)
    assert await everybody(units) == [again]


async def test_who_has_deleted_their_account_is_known_by_the_record_of_events(units: Units) -> None:
    here, gone, never = a_newcomer(email=address(1)), a_newcomer(email=address(2)), uuid4()
    await bring(units, here, gone)
    async with units.account_keeping() as unit:
        await unit.events.add(Event(kind=EventKind.ACCOUNT_DELETED, user_id=gone.user.id), NOW)
        await unit.events.pseudonymise(gone.user.id)
        await unit.users.remove(gone.user.id)
        await unit.commit()
    async with units.emigration() as unit:
        assert await unit.residents.gone([here.user.id, gone.user.id, never]) == {gone.user.id}
        assert await unit.residents.gone([]) == set()
