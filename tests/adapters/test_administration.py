"""The contracts of `application.ports.administration`, on every store."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.ports.administration import EventFilter, Place, UserFilter
from application.ports.units_of_work import Units
from domain.client import Client
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.events import Event, EventKind, RecordedEvent
from domain.user import User
from domain.username import Username
from tests.support.store_samples import ADA, GRACE, HOUR, NOW, TICK, a_session, a_user, keep_session, settle_in

HERE = Client("192.0.2.1", "Firefox")


async def listed(units: Units, *, after: Place | None = None, most: int = 100, **which: Any) -> list[User]:
    async with units.oversight() as unit:
        return await unit.directory.find(UserFilter(**which), after=after, most=most)


async def addresses(units: Units, text: str) -> list[str]:
    return sorted(user.email.canonical for user in await listed(units, text=text))


async def people(units: Units, **users: dict[str, Any]) -> None:
    """Users, each called after their address."""
    for name, fields in users.items():
        defaults: dict[str, Any] = {"email": EmailAddress(f"{name}@example.com"), "name": None}
        await settle_in(units, a_user(**(defaults | fields)))


# Searching


async def test_a_part_of_address_name_or_username_finds(units: Units) -> None:
    await people(
        units,
        lovelace={"name": DisplayName("Ada King")},
        grace={"username": Username("amazing.grace")},
        alan={"name": DisplayName("Alan")},
    )
    assert await addresses(units, "lovel") == ["lovelace@example.com"]
    assert await addresses(units, "da ki") == ["lovelace@example.com"]
    assert await addresses(units, "zing.gr") == ["grace@example.com"]
    assert await addresses(units, "example.com") == ["alan@example.com", "grace@example.com", "lovelace@example.com"]
    assert await addresses(units, "hopper") == []


async def test_a_whole_id_finds_and_a_part_of_one_does_not(units: Units) -> None:
    user = await settle_in(units, a_user())
    await settle_in(units, a_user())
    assert await listed(units, text=str(user.id)) == [user]
    assert await listed(units, text=str(user.id).upper()) == [user]
    assert await listed(units, text=str(user.id)[:13]) == []
    assert await listed(units, text=str(uuid4())) == []


@pytest.mark.parametrize("text", ["ADA K", "ada k", "aDa K", " Ada K "])
async def test_case_makes_no_difference(units: Units, text: str) -> None:
    await people(units, lovelace={"name": DisplayName("Ada King")}, other={"name": DisplayName("Adam")})
    assert await addresses(units, text) == ["lovelace@example.com"]
    assert await addresses(units, "LOVELACE@Example") == ["lovelace@example.com"]


@pytest.mark.parametrize("text", ["łuk", "ŁUK", "Łuk", "asiewicz", "Łuka"])
async def test_letters_beyond_a_to_z_are_found_small_capital_and_at_the_beginning_of_words(
    units: Units, text: str
) -> None:
    await people(units, jan={"name": DisplayName("Jan Łukasiewicz")}, ada={"name": DisplayName("Ada")})
    assert await addresses(units, text) == ["jan@example.com"]


async def test_an_address_is_found_however_its_domain_is_spelt(units: Units) -> None:
    await settle_in(units, a_user(email=EmailAddress.parse("ada@bücher.example")))
    assert await addresses(units, "Ada@BÜCHER.example") == ["ada@xn--bcher-kva.example"]


async def test_accents_are_found_however_they_are_composed(units: Units) -> None:
    await people(units, zoe={"name": DisplayName("Zo\u00eb")})
    assert await addresses(units, "zoe\u0308") == ["zoe@example.com"]


@pytest.mark.parametrize("text", ["%", "_", "\\", "/", "a%c", "a_c", "'", '"', "--", "a\\%"])
async def test_what_means_something_to_a_database_is_just_a_character(units: Units, text: str) -> None:
    await people(units, plain={"name": DisplayName("abc")}, odd={"name": DisplayName(f"x{text}y")})
    assert await addresses(units, text) == ["odd@example.com"]


async def test_filters_narrow_and_combine(units: Units) -> None:
    await people(
        units,
        admin={"role": "admin"},
        shut_out={"disabled_at": NOW},
        unproven={"email_verified": False},
        shut_out_admin={"role": "admin", "disabled_at": NOW},
    )

    async def names(**which: Any) -> set[str]:
        return {user.email.local_part for user in await listed(units, **which)}

    assert await names(role="admin") == {"admin", "shut_out_admin"}
    assert await names(disabled=True) == {"shut_out", "shut_out_admin"}
    assert await names(disabled=False) == {"admin", "unproven"}
    assert await names(verified=False) == {"unproven"}
    assert await names(role="admin", disabled=False, verified=True) == {"admin"}
    assert await names(role="admin", text="shut") == {"shut_out_admin"}
    assert await names(role="%") == set()


# Paging


async def test_the_newest_come_first_and_every_field_is_there(units: Units) -> None:
    older = await settle_in(units, a_user(created_at=NOW, fields={"plan": "free"}, first_signed_in_at=NOW + TICK))
    newer = await settle_in(units, a_user(created_at=NOW + TICK, username=Username("newer"), role="editor"))
    assert await listed(units) == [newer, older]


async def test_pages_meet_exactly_also_among_those_of_one_moment(units: Units) -> None:
    everybody = [await settle_in(units, a_user(created_at=NOW + (number // 3) * TICK)) for number in range(11)]
    seen: list[User] = []
    while page := await listed(units, after=Place.of(seen[-1]) if seen else None, most=2):
        seen += page
    assert len(seen) == 11
    assert {user.id for user in seen} == {user.id for user in everybody}
    assert [user.created_at for user in seen] == sorted((user.created_at for user in seen), reverse=True)


async def test_who_is_added_or_deleted_between_two_pages_shifts_nobody(units: Units) -> None:
    everybody = [await settle_in(units, a_user(created_at=NOW + number * TICK)) for number in range(6)]
    first = await listed(units, most=3)
    await settle_in(units, a_user(created_at=NOW + HOUR))
    async with units.administration() as unit:
        await unit.users.remove(first[-1].id)
        await unit.commit()
    assert await listed(units, after=Place.of(first[-1]), most=3) == everybody[2::-1]


def test_a_place_is_read_as_it_was_written_and_nothing_else_is() -> None:
    place = Place(created_at=NOW, id=uuid4())
    assert Place.parse(place.text) == place
    for text in ("", "x", "1", f"-1-{place.id.hex}", f"{'9' * 18}-{place.id.hex}", f"{place.text}x", f"1-{place.id}"):
        assert Place.parse(text) is None, text


# One user


async def test_one_is_found_by_id_address_or_username(units: Units) -> None:
    user = await settle_in(units, a_user(email=ADA, username=Username("ada")))
    async with units.oversight() as unit:
        for whom in (user.id, ADA, Username("ada")):
            assert await unit.directory.get(whom) == user
        for nobody in (uuid4(), GRACE, Username("grace"), UUID(int=0)):
            assert await unit.directory.get(nobody) is None


# Events


async def happen(units: Units, *events: Event, every: timedelta = TICK) -> None:
    async with units.administration() as unit:
        for number, event in enumerate(events):
            await unit.events.add(event, NOW + number * every)
        await unit.commit()


async def found(units: Units, *, before: UUID | None = None, most: int = 100, **which: Any) -> list[RecordedEvent]:
    async with units.oversight() as unit:
        return await unit.events.find(EventFilter(**which), before=before, most=most)


async def test_everybodys_events_are_found_newest_first_with_their_actor(units: Units) -> None:
    somebody, administrator = uuid4(), uuid4()
    disabled = Event(kind=EventKind.USER_DISABLED, user_id=somebody, actor_id=administrator, client=HERE, reason="x")
    await happen(units, Event(kind=EventKind.SIGN_IN_FAILED, client=HERE), disabled)
    newest, oldest = await found(units)
    assert (newest.kind, newest.user_id, newest.actor_id) == ("user_disabled", somebody, administrator)
    assert (newest.reason, newest.address, newest.user_agent, newest.failed) == ("x", "192.0.2.1", "Firefox", False)
    assert (oldest.kind, oldest.user_id, oldest.failed, oldest.at) == ("sign_in_failed", None, True, NOW)


async def test_events_are_filtered_by_user_kind_outcome_and_time(units: Units) -> None:
    ada, grace = uuid4(), uuid4()
    await happen(
        units,
        Event(kind=EventKind.SIGNED_IN, user_id=ada),
        Event(kind=EventKind.SIGN_IN_FAILED, user_id=ada),
        Event(kind=EventKind.SIGNED_IN, user_id=grace),
    )

    async def kinds(**which: Any) -> list[str]:
        return [event.kind for event in await found(units, **which)]

    assert await kinds(user_id=ada) == ["sign_in_failed", "signed_in"]
    assert await kinds(kind=EventKind.SIGNED_IN) == ["signed_in", "signed_in"]
    assert await kinds(failed=True) == ["sign_in_failed"]
    assert await kinds(failed=False, user_id=ada) == ["signed_in"]
    assert await kinds(since=NOW + TICK) == ["signed_in", "sign_in_failed"]
    assert await kinds(since=NOW + TICK, user_id=grace, kind=EventKind.SIGNED_IN) == ["signed_in"]
    assert await kinds(user_id=uuid4()) == []


async def test_pages_of_events_meet_exactly(units: Units) -> None:
    await happen(units, *[Event(kind=EventKind.SIGNED_IN, reason=str(number)) for number in range(7)])
    seen: list[RecordedEvent] = []
    while page := await found(units, before=seen[-1].id if seen else None, most=3):
        seen += page
    assert [event.reason for event in seen] == ["6", "5", "4", "3", "2", "1", "0"]


# Everybody's sessions


async def test_all_sessions_end_so_many_at_a_time(units: Units) -> None:
    sessions = []
    for _ in range(5):
        user = await settle_in(units, a_user())
        sessions += [a_session(user.id), a_session(user.id)]
    assert all([await keep_session(units, session) for session in sessions])
    counts = []
    for _ in range(4):
        async with units.administration() as unit:
            counts.append(await unit.everybodys_sessions.end(4))
            await unit.commit()
    assert counts == [4, 4, 2, 0]
    async with units.session_reading() as unit:
        assert [await unit.sessions.find(session.id) for session in sessions] == [None] * 10


async def test_a_credential_of_a_newer_version_leaves_no_session_of_the_older_alive(units: Units) -> None:
    """What disabling relies on: the same hash under the next version."""
    user = await settle_in(units, a_user())
    session = a_session(user.id)
    async with units.administration() as unit:
        credential = await unit.accounts.hold(user.id)
        assert credential is not None
        assert await unit.accounts.replace(credential, credential.password_hash, NOW)
        await unit.users.save(replace(user, disabled_at=None))
        await unit.commit()
    assert not await keep_session(units, session), "a sign-in that was under way is refused"
