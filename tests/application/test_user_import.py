"""Bringing people in from another system, and carrying them out again (R36)."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.ports.administration import EventFilter
from application.ports.transfer import Candidate, Entry, Notice, SourceUnreadable, Unfit
from application.use_cases.account_deletion import DeleteAccountCommand
from application.use_cases.user_creation import CreateUserCommand
from application.use_cases.user_import import BATCH, ImportReport, ImportUsersCommand, Remark
from domain.display_name import DisplayName
from domain.email_address import EmailAddress
from domain.errors import Conflict, InvalidCredentials, TokenInvalid
from domain.events import EventKind
from domain.newcomer import Newcomer, Origin
from domain.password import NO_PASSWORD, Password
from domain.username import Username
from tests.support.world import ADA, ELSEWHERE, OTHER_PASSWORD, PASSWORD, World, make_world

GRACE = "grace@example.com"
IMMODERATE = "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"


class SeenInMemory:
    """`application.ports.transfer.Seen`."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], int] = {}

    def first(self, kind: str, value: str, line: int) -> int | None:
        seen = self._lines.setdefault((kind, value), line)
        return None if seen == line else seen


def candidate(line: int = 1, **fields: Any) -> Candidate:
    """Somebody who could come."""
    given: dict[str, Any] = {"id": str(uuid4()), "email": f"person{line}@example.com", "email_verified": True}
    return Candidate(line=line, **(given | fields))


async def source(entries: Iterable[Entry]) -> AsyncIterator[Entry]:
    for entry in entries:
        yield entry


class Import:
    """One import, with what it said."""

    def __init__(self, world: World, *entries: Entry) -> None:
        self._world = world
        self._entries = entries
        self.remarks: list[Remark] = []
        self.progress: list[int] = []

    async def run(self, *, write: bool = True, system: str = "elsewhere", **options: Any) -> ImportReport:
        command = ImportUsersCommand(
            source=source(self._entries),
            system=system,
            seen=SeenInMemory(),
            write=write,
            tell=self.remarks.append,
            progress=lambda report: self.progress.append(report.read),
            **options,
        )
        return await self._world.use_cases.import_users(command)

    @property
    def reasons(self) -> list[tuple[int, bool, str]]:
        return [(remark.line, remark.stays, remark.reason) for remark in self.remarks]


async def bring(world: World, *entries: Entry, **options: Any) -> Import:
    done = Import(world, *entries)
    await done.run(**options)
    return done


async def everybody(world: World) -> list[Newcomer]:
    return [newcomer async for newcomer in world.use_cases.export_users()]


async def hashed(world: World, password: str = PASSWORD) -> str:
    return (await world.use_cases.sign_in.hasher.hash(Password.parse(password))).encoded


# -- What comes --


async def test_people_come_with_their_id_hash_name_times_and_state_and_sign_in_as_before(any_world: World) -> None:
    joined = any_world.clock.now() - timedelta(days=900)
    stored, typed = await hashed(any_world), f" {ADA.upper()} "
    entry = candidate(email=typed, name="Ada", created_at=joined, password_hash=stored, metadata={"x": 1})
    report = await Import(any_world, entry).run()
    assert report == ImportReport(read=1, come=1, with_password=1)
    [here] = await everybody(any_world)
    assert here.user.id == UUID(entry.id)
    assert (here.user.email, here.user.name, here.user.created_at) == (EmailAddress(ADA), DisplayName("Ada"), joined)
    assert here.origin == Origin(system="elsewhere", id=entry.id, metadata={"x": 1})
    signed_in = await any_world.sign_in()
    assert signed_in.user.id == UUID(entry.id)


async def test_a_trial_finds_everything_out_and_writes_nothing(any_world: World) -> None:
    await any_world.member(ADA)
    entries: list[Entry] = [
        candidate(1, email=ADA),
        candidate(2),
        candidate(3, email="nobody"),
        Unfit(line=4, whom="x", reason="No."),
    ]
    trial, real = Import(any_world, *entries), Import(any_world, *entries)
    before = await everybody(any_world)
    tried = await trial.run(write=False)
    assert await everybody(any_world) == before
    assert await real.run() == tried == ImportReport(read=4, come=1, stay=3)
    assert trial.remarks == real.remarks


async def test_an_import_is_repeated_without_harm_and_whoever_is_here_stays_as_they_are(any_world: World) -> None:
    entries = [candidate(number, password_hash=await hashed(any_world)) for number in range(1, 4)]
    await Import(any_world, entries[0]).run()
    await any_world.sign_in("person1@example.com")
    changed = replace(entries[0], name="Somebody else", email="other@example.com")
    report = await Import(any_world, changed, *entries[1:]).run()
    assert report == ImportReport(read=3, come=2, here=1, with_password=2)
    addresses = sorted(str(each.user.email) for each in await everybody(any_world))
    assert addresses == ["person1@example.com", "person2@example.com", "person3@example.com"]
    assert (await Import(any_world, *entries).run()).here == 3


async def test_an_id_that_is_no_uuid_becomes_one_always_the_same_for_each_system(any_world: World) -> None:
    entry = candidate(id="wN3pGmGZbQ0dPJ7tXK2yR5vH8sL1fC4u")
    await bring(any_world, entry)
    assert (await Import(any_world, entry).run()).here == 1
    other = await Import(any_world, replace(entry, email=GRACE)).run(system="another shop")
    assert (other.come, other.here) == (1, 0)
    assert {each.origin and each.origin.id for each in await everybody(any_world)} == {entry.id}


async def test_a_cut_off_import_has_written_whole_batches_and_goes_on_when_repeated(any_world: World) -> None:
    entries = [candidate(number) for number in range(1, BATCH + 11)]

    async def torn() -> AsyncIterator[Candidate]:
        for entry in entries[:-5]:
            yield entry
        raise SourceUnreadable("users.csv ends in the middle of line 506.")

    with pytest.raises(SourceUnreadable):
        await any_world.use_cases.import_users(
            ImportUsersCommand(source=torn(), system="elsewhere", seen=SeenInMemory(), write=True)
        )
    assert len(await everybody(any_world)) == BATCH
    whole = Import(any_world, *entries)
    assert await whole.run() == ImportReport(read=BATCH + 10, come=10, here=BATCH)
    assert whole.progress == [BATCH, BATCH + 10]


async def test_who_was_shut_out_there_is_shut_out_here(any_world: World) -> None:
    entry = candidate(email=ADA, disabled_at=any_world.clock.now(), password_hash=await hashed(any_world))
    assert (await Import(any_world, entry).run()).disabled == 1
    with pytest.raises(InvalidCredentials):
        await any_world.sign_in()


@pytest.mark.parametrize(
    ("addresses", "verified", "unproven"), [("as_they_are", False, 1), ("proven", True, 0), ("unproven", False, 1)]
)
async def test_addresses_are_believed_as_the_operator_says(
    any_world: World, addresses: str, verified: bool, unproven: int
) -> None:
    entry = candidate(email=ADA, email_verified=False, password_hash=await hashed(any_world))
    report = await Import(any_world, entry).run(addresses=addresses)
    assert report.unproven == unproven
    assert [each.user.email_verified for each in await everybody(any_world)] == [verified]


async def test_who_has_not_proven_their_address_proves_it_by_the_letter_they_ask_for(any_world: World) -> None:
    await bring(any_world, candidate(email=ADA, email_verified=False, password_hash=await hashed(any_world)))
    with pytest.raises(InvalidCredentials):
        await any_world.sign_in()
    await any_world.resend(email=ADA)
    await any_world.verify(await any_world.token_for(ADA), password=PASSWORD)
    await any_world.sign_in()


async def test_a_stranger_who_waits_with_the_address_gets_nothing(any_world: World) -> None:
    sent = await any_world.sign_up(ADA, OTHER_PASSWORD, client=ELSEWHERE)
    token = await any_world.token_for(ADA)
    await bring(any_world, candidate(email=ADA, password_hash=await hashed(any_world)))
    with pytest.raises(TokenInvalid):
        await any_world.verify(token, cookie=sent.cookie.text)
    await any_world.sign_in(ADA, PASSWORD)


async def test_each_is_told_of_in_the_record_and_the_whole_once_in_the_log(any_world: World) -> None:
    await bring(any_world, candidate(1), candidate(2), candidate(3, email=None))
    [event] = any_world.events.recorded
    assert (event.kind, event.reason) == (EventKind.USER_IMPORTED, "elsewhere")
    assert dict(event.counts) == {"come": 2, "here": 0, "stay": 1}


async def test_no_letter_goes_out_to_anybody(any_world: World) -> None:
    await bring(any_world, candidate(1), candidate(2))
    await any_world.deliver()
    assert any_world.mailbox.letters == []


# -- Who stays, and what --


async def test_who_cannot_come_is_named_with_line_and_reason(any_world: World) -> None:
    await any_world.member(ADA)
    done = await bring(
        any_world,
        candidate(2, email=None),
        candidate(3, email="  "),
        candidate(4, email="no address"),
        candidate(5, email=ADA),
        candidate(6, id=""),
        candidate(7, id="x" * 256),
        Unfit(line=8, whom="somebody", reason="They were deleted there."),
    )
    assert [remark.line for remark in done.remarks] == [2, 3, 4, 6, 7, 8, 5]
    assert all(remark.stays for remark in done.remarks)
    reasons = {remark.line: remark.reason for remark in done.remarks}
    assert reasons[2] == reasons[3] == "There is no e-mail address."
    assert reasons[4].startswith("The e-mail address is not valid: ")
    assert reasons[5] == "Somebody else here has this address."
    assert reasons[8] == "They were deleted there."
    assert done.remarks[-2].whom == "somebody"


async def test_of_two_with_one_address_or_id_the_first_comes(any_world: World) -> None:
    first = candidate(10, email=ADA)
    done = await bring(any_world, first, candidate(20, email=ADA.upper()), candidate(30, id=first.id))
    assert done.reasons == [(20, True, "Line 10 has the same address."), (30, True, "Line 10 has the same id.")]
    assert len(await everybody(any_world)) == 1


async def test_a_hash_that_could_hurt_or_says_nothing_stays_and_its_owner_comes_without(any_world: World) -> None:
    bad = [IMMODERATE, "5f4dcc3b5aa765d61d8327deb882cf99", "$2b$31$" + "x" * 53, "x" * 100_000, "$argon2id$"]
    entries = [candidate(number, password_hash=encoded) for number, encoded in enumerate(bad)]
    entries.append(candidate(5, password_problem="it is encrypted by the system it comes from."))
    done = Import(any_world, *entries)
    report = await done.run()
    assert (report.come, report.with_password) == (6, 0)
    assert {each.password_hash for each in await everybody(any_world)} == {NO_PASSWORD}
    assert done.reasons[0] == (
        0,
        False,
        "The password stays behind, because of its hash: asks for 4194304 KiB of memory, more than 262144.",
    )
    assert done.reasons[1][2] == "The password stays behind, because of its hash: no form that is known here."
    assert done.reasons[5][2] == "The password stays behind: it is encrypted by the system it comes from."
    for remark in done.remarks:
        assert not any(encoded in remark.reason for encoded in bad)


async def test_who_has_no_password_comes_without_and_chooses_one_by_letter(any_world: World) -> None:
    done = await bring(
        any_world, candidate(1, email=ADA), candidate(2, password_hash=""), candidate(3, password_hash="!")
    )
    assert done.remarks == []
    with pytest.raises(InvalidCredentials):
        await any_world.sign_in(ADA, "!")


async def test_what_has_no_place_here_stays_and_its_owner_comes(tmp_path: Any) -> None:
    fields = tmp_path / "fields.toml"
    fields.write_text(
        '[seats]\ntype = "integer"\nlabel = "Seats"\n\n[plan]\ntype = "string"\nlabel = "Plan"\ninput = false\n'
    )
    async with make_world("memory", tmp_path, {"OSTIARY_FIELDS": str(fields)}) as world:
        done = await bring(
            world,
            candidate(
                name="x" * 65,
                username="root",
                role="Chief!",
                fields={"seats": "many", "plan": "gold", "undeclared": 1},
                metadata={"long": "x" * 70_000},
            ),
        )
        [here] = await everybody(world)
    assert (here.user.name, here.user.username, here.user.role) == (None, None, "user")
    assert here.user.fields == {"plan": "gold"}, "server-only fields come too: the operator brings them"
    assert here.origin is not None
    assert here.origin.metadata == {}
    assert [reason.split(" stays")[0] for _, _, reason in done.reasons] == [
        "The metadata",
        "The name",
        "The username",
        "The role",
        "The field seats",
    ]


async def test_a_username_that_is_taken_stays_and_its_owner_comes(any_world: World) -> None:
    await bring(any_world, candidate(1, username="ada"))
    done = await bring(
        any_world, candidate(2, username="Ada"), candidate(3, username="grace"), candidate(4, username="grace")
    )
    assert done.reasons == [
        (4, False, "The username grace stays behind: line 3 has it."),
        (2, False, "The username ada stays behind: it is taken here."),
    ] or done.reasons == [
        (2, False, "The username ada stays behind: it is taken here."),
        (4, False, "The username grace stays behind: line 3 has it."),
    ]
    names = {each.user.username for each in await everybody(any_world)}
    assert names == {Username("ada"), None, Username("grace")}


async def test_a_time_that_has_not_come_is_now(any_world: World) -> None:
    await bring(any_world, candidate(created_at=any_world.clock.now() + timedelta(days=1)), candidate(2))
    assert {each.user.created_at for each in await everybody(any_world)} == {any_world.clock.now()}


# -- Out, and in again --


async def test_who_is_carried_out_comes_in_elsewhere_as_they_were(any_world: World, tmp_path: Any) -> None:
    await any_world.member(ADA)
    await bring(any_world, candidate(2, username="grace", role="editor", metadata={"plan": ["gold"]}))
    carried = sorted(await everybody(any_world), key=lambda newcomer: newcomer.user.id)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    async with make_world("memory", elsewhere) as other:
        other.clock.advance(minutes=1)
        await bring(other, *(candidate_of(newcomer, line) for line, newcomer in enumerate(carried, 1)))
        arrived = sorted(await everybody(other), key=lambda newcomer: newcomer.user.id)
        assert [each.user for each in arrived] == [each.user for each in carried]
        assert [each.password_hash for each in arrived] == [each.password_hash for each in carried]
        await other.sign_in(ADA)
        with pytest.raises(Conflict):
            await other.use_cases.create_user(CreateUserCommand(email=ADA))


def candidate_of(newcomer: Newcomer, line: int) -> Candidate:
    user, origin = newcomer.user, newcomer.origin
    return Candidate(
        line=line,
        id=str(user.id),
        email=str(user.email),
        email_verified=user.email_verified,
        name=str(user.name) if user.name else None,
        username=str(user.username) if user.username else None,
        role=user.role,
        created_at=user.created_at,
        disabled_at=user.disabled_at,
        first_signed_in_at=user.first_signed_in_at,
        locale=user.locale,
        fields=user.fields,
        password_hash=newcomer.password_hash.encoded,
        metadata=origin.metadata if origin else {},
        origin_system=origin.system if origin else None,
        origin_id=origin.id if origin else None,
    )


async def test_a_system_whose_name_is_too_long_is_called_by_the_imports_own(any_world: World) -> None:
    done = await bring(
        any_world, candidate(origin_system="x" * 65, origin_id="1"), candidate(2, origin_system="y" * 64)
    )
    assert [line for line, _, _ in done.reasons] == [1]
    assert {each.origin and each.origin.system for each in await everybody(any_world)} == {"elsewhere", "y" * 64}


async def test_what_everybody_could_set_there_fills_no_field_that_is_not_theirs_to_set_here(tmp_path: Path) -> None:
    """Else anybody could raise themselves on the day before the move."""
    fields = tmp_path / "fields.toml"
    fields.write_text(
        '[plan]\ntype = "string"\nlabel = "Plan"\ninput = false\n\n[city]\ntype = "string"\nlabel = "City"\n'
    )
    async with make_world("memory", tmp_path, {"OSTIARY_FIELDS": str(fields)}) as world:
        done = await bring(
            world,
            candidate(1, own_fields={"plan": "gold", "city": "London"}),
            candidate(2, own_fields={"plan": "gold"}, fields={"plan": "free"}),
        )
        here = {str(each.user.email): dict(each.user.fields) for each in await everybody(world)}
    assert here == {"person1@example.com": {"city": "London"}, "person2@example.com": {"plan": "free"}}
    assert [line for line, _, _ in done.reasons] == [1]


async def test_who_has_deleted_their_account_here_does_not_come_back(any_world: World) -> None:
    entry = candidate(email=ADA, password_hash=await hashed(any_world))
    await bring(any_world, entry)
    caller = await any_world.identify(await any_world.sign_in())
    await any_world.use_cases.delete_account(DeleteAccountCommand(caller=caller, password=PASSWORD, client=ELSEWHERE))
    done = await bring(any_world, entry)
    assert done.reasons == [(1, True, "They have deleted their account here.")]
    assert await everybody(any_world) == []


async def test_administrators_who_come_are_counted_so_that_nobody_overlooks_them(any_world: World) -> None:
    report = await Import(any_world, candidate(1, role="admin"), candidate(2)).run(write=False)
    assert report.administrators == 1


async def test_what_is_known_of_a_source_as_a_whole_is_told_and_counts_as_nobody(any_world: World) -> None:
    done = Import(any_world, Notice(line=1, words="users has no deleted_at: taken for empty."), candidate(1))
    assert (await done.run()).read == 1
    assert done.reasons == [(1, False, "users has no deleted_at: taken for empty.")]


async def test_whose_hash_needs_a_pepper_that_is_missing_stays_until_it_is_there(any_world: World) -> None:
    encoded = "$pepper$k=2026-a$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"
    done = await bring(any_world, candidate(password_hash=encoded))
    assert [stays for _, stays, _ in done.reasons] == [True]
    assert "2026-a, whose key is not configured" in done.reasons[0][2]


async def test_the_name_of_who_has_not_proven_their_address_is_kept_beside(any_world: World) -> None:
    """They may lose it by choosing a new password: it may have been a stranger who wrote it."""
    await bring(any_world, candidate(1, name="Ada", email_verified=False), candidate(2, name="Grace"))
    assert [each.origin and dict(each.origin.metadata) for each in await everybody(any_world)].count(
        {"name": "Ada"}
    ) == 1


async def test_an_export_leaves_its_trace_before_anybody_is_handed_out(any_world: World) -> None:
    await bring(any_world, candidate(1))
    async for _ in any_world.use_cases.export_users():
        break  # cut off
    async with any_world.use_cases.list_all_events.oversight() as unit:
        found = await unit.events.find(EventFilter(kind=EventKind.USERS_EXPORTED), before=None, most=10)
    assert [(event.reason, event.user_id) for event in found] == [("cli", None)]


async def test_somebodys_language_is_the_one_of_those_offered_that_fits(any_world: World) -> None:
    tags = {1: "de-AT", 2: "FR", 3: "tlh", 4: None, 5: "no tag"}
    await bring(any_world, *(candidate(line, locale=tag) for line, tag in tags.items()))
    locales = sorted(str(newcomer.user.locale) for newcomer in await everybody(any_world))
    assert locales == ["None", "None", "de", "en", "fr"]
