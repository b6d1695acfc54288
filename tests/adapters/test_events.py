"""The contracts of `application.ports.collections.Events` and `EventHistory`, on every store."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from application.ports.units_of_work import Units
from domain.client import Client
from domain.events import Event, EventKind, RecordedEvent
from tests.support.store_samples import ADA, HOUR, NOW, TICK, a_user, settle_in

HERE = Client("192.0.2.77", "Firefox")
SIX = Client("2001:db8:1:2:3:4:5:6", "Ünïcødé 🦊 ' \" %")


async def write(units: Units, *events: Event, at: datetime = NOW) -> None:
    async with units.own_request() as unit:
        for event in events:
            await unit.events.add(event, at)
        await unit.commit()


async def read(units: Units, user_id: UUID, *, before: UUID | None = None, most: int = 100) -> list[RecordedEvent]:
    async with units.own_reading() as unit:
        return await unit.events.of_user(user_id, before=before, most=most)


async def pseudonymise(units: Units, user_id: UUID) -> None:
    async with units.account_keeping() as unit:
        await unit.events.pseudonymise(user_id)
        await unit.commit()


async def reclaim(units: Units, user_id: UUID) -> None:
    async with units.account_keeping() as unit:
        await unit.events.reclaim(user_id)
        await unit.commit()


def signed_in(user_id: UUID, client: Client | None = HERE) -> Event:
    return Event(kind=EventKind.SIGNED_IN, client=client, email=ADA, user_id=user_id)


# -- Writing --


@pytest.mark.parametrize("kind", list(EventKind))
async def test_an_event_of_every_kind_is_kept_with_whether_somebody_was_refused(units: Units, kind: EventKind) -> None:
    user_id = uuid4()
    await write(units, Event(kind=kind, user_id=user_id))
    [found] = await read(units, user_id)
    assert (found.kind, found.failed) == (kind.value, kind.failed)


@pytest.mark.parametrize("client", [HERE, SIX], ids=["IPv4", "IPv6"])
async def test_every_field_of_an_event_comes_back_as_it_went_in(units: Units, client: Client) -> None:
    user_id, admin_id, moment = uuid4(), uuid4(), NOW + TICK
    event = Event(
        kind=EventKind.USER_CHANGED, client=client, user_id=user_id, actor_id=admin_id, reason="role", email=ADA
    )
    await write(units, event, at=moment)
    [found] = await read(units, user_id)
    assert found == RecordedEvent(
        id=found.id,
        at=moment,
        kind="user_changed",
        failed=False,
        user_id=user_id,
        actor_id=admin_id,
        reason="role",
        address=client.address,
        user_agent=client.browser,
    )


async def test_an_event_of_nobodys_doing_has_no_address_and_no_browser(units: Units) -> None:
    user_id = uuid4()
    await write(units, signed_in(user_id, client=None))
    [found] = await read(units, user_id)
    assert (found.actor_id, found.reason, found.address, found.user_agent) == (None, None, "", "")


@pytest.mark.parametrize(
    "client",
    [Client("x" * 300, "y" * 3000), Client("not an address", "\x00\x1b[2J\ud800")],
    ids=["long", "unprintable"],
)
async def test_whatever_a_client_says_of_itself_can_be_kept(units: Units, client: Client) -> None:
    user_id = uuid4()
    await write(units, signed_in(user_id, client))
    [found] = await read(units, user_id)
    assert client.address.startswith(found.address)
    assert len(found.address) <= 64
    assert found.user_agent == client.browser


async def test_an_event_is_written_with_its_unit_or_not_at_all(units: Units) -> None:
    user_id = uuid4()
    async with units.own_request() as unit:
        await unit.events.add(signed_in(user_id), NOW)
    assert await read(units, user_id) == []


async def test_of_many_who_write_at_once_none_is_lost_and_each_event_is_one_of_its_own(units: Units) -> None:
    user_id = uuid4()
    await asyncio.gather(*(write(units, signed_in(user_id)) for _ in range(30)))
    assert len({event.id for event in await read(units, user_id)}) == 30


async def note_failure(units: Units, user_id: UUID | None) -> None:
    async with units.journal() as unit:
        await unit.events.add(Event(kind=EventKind.SIGN_IN_FAILED, client=HERE, user_id=user_id), NOW)
        await unit.commit()


async def test_a_failure_is_on_the_record_of_whom_it_is_about_unless_they_are_gone_by_then(units: Units) -> None:
    """Somebody leaves while a wrong password is judged: their record is wiped by then, and nothing is added to it."""
    user = await settle_in(units, a_user())
    await note_failure(units, None)
    await note_failure(units, user.id)
    assert [event.kind for event in await read(units, user.id)] == ["sign_in_failed"]
    async with units.account_keeping() as unit:
        await unit.users.remove(user.id)
        await unit.events.pseudonymise(user.id)
        await unit.commit()
    await note_failure(units, user.id)
    assert await read(units, user.id) == []


# -- Reading --


async def test_everybody_sees_what_concerns_them_newest_first_and_nothing_of_others(units: Units) -> None:
    user_id, other_id = uuid4(), uuid4()
    moments = [NOW + HOUR * hour for hour in (2, 0, 3, 1)]
    for moment in moments:
        await write(units, signed_in(user_id), signed_in(other_id), Event(kind=EventKind.PURGED), at=moment)
    assert [event.at for event in await read(units, user_id)] == sorted(moments, reverse=True)
    assert {event.user_id for event in await read(units, user_id)} == {user_id}
    assert await read(units, uuid4()) == []


async def test_what_somebody_did_to_another_is_not_in_their_own_record(units: Units) -> None:
    admin_id, user_id = uuid4(), uuid4()
    await write(units, Event(kind=EventKind.USER_DISABLED, user_id=user_id, actor_id=admin_id))
    assert await read(units, admin_id) == []
    assert len(await read(units, user_id)) == 1


@pytest.mark.parametrize("size", [1, 3, 7, 100])
async def test_page_after_page_shows_every_event_once_also_those_of_the_same_moment(units: Units, size: int) -> None:
    user_id, other_id = uuid4(), uuid4()
    for moment in (0, 0, 0, 1, 1, 2, 5, 5, 5, 5):
        await write(units, signed_in(user_id), signed_in(other_id), at=NOW + TICK * moment)
    whole = await read(units, user_id)
    paged: list[RecordedEvent] = []
    while page := await read(units, user_id, before=paged[-1].id if paged else None, most=size):
        assert len(page) <= size
        paged += page
    assert paged == whole
    assert len({event.id for event in whole}) == 10
    assert [event.at for event in whole] == sorted((event.at for event in whole), reverse=True)


async def test_an_event_that_is_written_while_somebody_pages_shifts_nothing(units: Units) -> None:
    user_id = uuid4()
    for moment in range(4):
        await write(units, signed_in(user_id), at=NOW + TICK * moment)
    first = await read(units, user_id, most=2)
    await write(units, signed_in(user_id), at=NOW + HOUR)
    second = await read(units, user_id, before=first[-1].id, most=2)
    assert [event.at for event in first + second] == [NOW + TICK * moment for moment in (3, 2, 1, 0)]


async def test_after_an_event_that_is_not_known_or_known_no_more_there_is_nothing(units: Units) -> None:
    user_id = uuid4()
    await write(units, signed_in(user_id))
    assert await read(units, user_id, before=uuid4()) == []


async def test_nobody_reads_anything_of_others_by_naming_their_event(units: Units) -> None:
    user_id, other_id = uuid4(), uuid4()
    await write(units, signed_in(user_id))
    await write(units, signed_in(other_id), at=NOW + HOUR)
    [others] = await read(units, other_id)
    assert {event.user_id for event in await read(units, user_id, before=others.id)} <= {user_id}


# -- Farewell and return --


async def test_a_pseudonym_takes_the_place_of_somebody_who_leaves_and_nothing_tells_from_where_they_came(
    units: Units,
) -> None:
    """R66: the record stays, what is personal in it does not."""
    user_id, other_id = uuid4(), uuid4()
    await write(units, signed_in(user_id), signed_in(user_id, SIX), signed_in(other_id))
    await pseudonymise(units, user_id)
    assert await read(units, user_id) == []
    [others] = await read(units, other_id)
    assert (others.address, others.user_agent) == (HERE.address, HERE.browser)
    await reclaim(units, user_id)
    left = await read(units, user_id)
    assert [(event.kind, event.address, event.user_agent) for event in left] == [("signed_in", "", "")] * 2


async def test_what_they_did_to_others_stays_with_those_others_without_their_address(units: Units) -> None:
    admin_id, user_id = uuid4(), uuid4()
    act = Event(kind=EventKind.USER_DISABLED, client=HERE, user_id=user_id, actor_id=admin_id)
    await write(units, act, signed_in(user_id, SIX))
    await pseudonymise(units, admin_id)
    disabled = next(event for event in await read(units, user_id) if event.kind == "user_disabled")
    assert (disabled.address, disabled.user_agent) == ("", "")
    assert disabled.actor_id not in (admin_id, None)
    kept = next(event for event in await read(units, user_id) if event.kind == "signed_in")
    assert kept.address == SIX.address
    await reclaim(units, admin_id)
    assert {event.actor_id for event in await read(units, user_id)} == {admin_id, None}


async def test_what_somebody_did_to_themselves_is_wiped_and_reclaimed_like_the_rest(units: Units) -> None:
    user_id = uuid4()
    await write(units, Event(kind=EventKind.USER_CHANGED, client=HERE, user_id=user_id, actor_id=user_id))
    await pseudonymise(units, user_id)
    assert await read(units, user_id) == []
    await reclaim(units, user_id)
    [event] = await read(units, user_id)
    assert (event.user_id, event.actor_id, event.address, event.user_agent) == (user_id, user_id, "", "")


async def test_the_pseudonym_is_one_for_each_person_and_not_their_id(units: Units) -> None:
    admin_ids, user_id = [uuid4(), uuid4()], uuid4()
    for admin_id in (*admin_ids, *admin_ids):
        await write(units, Event(kind=EventKind.USER_CHANGED, user_id=user_id, actor_id=admin_id))
        await pseudonymise(units, admin_id)
    pseudonyms = [event.actor_id for event in await read(units, user_id)]
    assert len(pseudonyms) == 4
    assert len(set(pseudonyms)) == 2
    assert not set(pseudonyms) & set(admin_ids)


async def test_reclaiming_gives_nobody_the_record_of_another(units: Units) -> None:
    gone_id, other_id = uuid4(), uuid4()
    await write(units, signed_in(gone_id))
    await pseudonymise(units, gone_id)
    await reclaim(units, other_id)
    assert await read(units, other_id) == []


async def test_many_may_leave_while_their_addresses_are_shortened_and_nobody_waits_in_vain(units: Units) -> None:
    """Both touch many rows at once, in an order of their own."""
    users = [await settle_in(units, a_user()) for _ in range(5)]
    for _ in range(10):
        await write(units, *(signed_in(user.id) for user in users), at=NOW - timedelta(days=60))
    await asyncio.gather(*(pseudonymise(units, user.id) for user in users for _ in range(4)))
    assert [await read(units, user.id) for user in users] == [[]] * 5
