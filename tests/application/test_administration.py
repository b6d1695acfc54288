"""Administration (R54, R55; ASVS 6.2.10, 6.3.2, 6.4.6, 8.2.x, 8.3.x): docs/administration.md."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.administrators import CommandLine
from application.admission import SignedIn
from application.ports.administration import Place
from application.recognition import Caller
from application.use_cases.administration import BATCH, ChangeUserCommand, EndUserSessionsCommand
from application.use_cases.event_history import ListAllEventsCommand, ListEventsCommand
from application.use_cases.identify import IdentifyCommand
from application.use_cases.password_reset import ResetPasswordCommand
from application.use_cases.started_reset import StartResetCommand
from application.use_cases.user_creation import CreateUserCommand
from application.use_cases.user_directory import ListUsersCommand, ShownUser, ShowUserCommand
from domain.declared_fields import DeclaredField, DeclaredFields, FieldType
from domain.email_address import EmailAddress
from domain.errors import (
    AccountDisabled,
    Conflict,
    Forbidden,
    InvalidCredentials,
    NotFound,
    OwnAccount,
    TokenInvalid,
    Unauthenticated,
    Unavailable,
    Violation,
)
from domain.events import EventKind
from domain.sentence import Sentence
from domain.user import User
from domain.username import Username
from tests.support.refusals import refused, violations_of
from tests.support.variations import PausingHasher, changed, failing_at_commit
from tests.support.world import ADA, ELSEWHERE, HERE, OTHER_PASSWORD, PASSWORD, World, make_world

ROOT = "root@example.com"
ROOT_PASSWORD = "the keys of the house"
SHELL = CommandLine()


async def administrator(world: World, email: str = ROOT) -> Caller:
    """Somebody made at the command line, signed in."""
    await create(world, email, role="admin", password=ROOT_PASSWORD)
    return await world.identify(await world.sign_in(email, ROOT_PASSWORD))


async def create(world: World, email: str | None, **fields: Any) -> User:
    return await world.use_cases.create_user(CreateUserCommand(email=email, **fields))


async def change(world: World, caller: Caller | CommandLine, user_id: UUID, **what: Any) -> User:
    world.clock.advance(seconds=1)  # what happens later is recorded later
    return await world.use_cases.change_user(ChangeUserCommand(caller=caller, user_id=user_id, client=HERE, **what))


async def show(world: World, caller: Caller | CommandLine, whom: Any) -> ShownUser:
    return await world.use_cases.show_user(ShowUserCommand(caller=caller, whom=whom))


async def end_sessions(world: World, caller: Caller | CommandLine, user_id: UUID) -> None:
    world.clock.advance(seconds=1)
    command = EndUserSessionsCommand(caller=caller, user_id=user_id, client=HERE)
    await world.use_cases.end_user_sessions(command)


async def start_reset(world: World, caller: Caller | CommandLine, user_id: UUID, **how: Any) -> EmailAddress:
    world.clock.advance(seconds=1)
    command = StartResetCommand(caller=caller, user_id=user_id, client=HERE, **how)
    return await world.use_cases.start_reset(command)


async def alive(world: World, signed_in: SignedIn) -> bool:
    """Whether a session is recognised; by its cookie and its access token alike."""
    by_token = world.use_cases.identify(IdentifyCommand(access_token=signed_in.access_token))
    outcomes = {await refused(world.identify(signed_in)), await refused(by_token)}
    assert len(outcomes) == 1
    return outcomes == {None}


async def events_of(world: World, user_id: UUID) -> list[tuple[str, UUID | None, str | None]]:
    """What is on record of somebody, newest first: kind, actor, reason."""
    found = await world.use_cases.list_all_events(ListAllEventsCommand(caller=SHELL, user_id=user_id))
    return [(event.kind, event.actor_id, event.reason) for event in found]


# Who may


EVERYTHING: dict[str, Callable[[World, Caller, UUID], Awaitable[object]]] = {
    "list_users": lambda world, caller, _: world.use_cases.list_users(ListUsersCommand(caller=caller)),
    "show_user": show,
    "change_user": lambda world, caller, user_id: change(world, caller, user_id, role="admin"),
    "end_user_sessions": end_sessions,
    "start_reset": start_reset,
    "list_all_events": lambda world, caller, _: world.use_cases.list_all_events(ListAllEventsCommand(caller=caller)),
}
each_act = pytest.mark.parametrize("act", EVERYTHING.values(), ids=EVERYTHING)
Act = Callable[[World, Caller, UUID], Awaitable[object]]


@each_act
async def test_nobody_but_an_administrator_may_do_anything_and_learns_nothing_by_trying(world: World, act: Act) -> None:
    ada = await world.member()
    grace = await world.member("grace@example.com")
    caller = await world.identify(ada)
    for user_id in (ada.user.id, grace.user.id, uuid4()):
        assert await refused(act(world, caller, user_id)) is Forbidden
    assert (await show(world, SHELL, grace.user.id)).user == grace.user
    assert await alive(world, grace)


@each_act
async def test_whose_role_was_taken_away_is_refused_at_the_next_call(any_world: World, act: Act) -> None:
    """ASVS 8.3.2: the session is the same, what its user may do is read each time."""
    world = any_world
    ada = await world.member()
    caller = await administrator(world)
    await act(world, caller, ada.user.id)
    await change(world, SHELL, caller.user.id, role="user")
    again = await world.use_cases.identify(
        IdentifyCommand(session_cookie=(await world.sign_in(ROOT, ROOT_PASSWORD)).session_token.text)
    )
    assert await refused(act(world, again, ada.user.id)) is Forbidden


ACTING = ("change_user", "end_user_sessions", "start_reset")


@pytest.mark.parametrize("name", ACTING)
async def test_who_lost_the_role_between_being_recognised_and_acting_is_refused_too(
    any_world: World, name: str
) -> None:
    ada = await any_world.member()
    caller = await administrator(any_world)
    await change(any_world, SHELL, caller.user.id, role="editor")
    assert caller.user.role == "admin", "so it was when they were recognised"
    assert await refused(EVERYTHING[name](any_world, caller, ada.user.id)) is Forbidden
    await change(any_world, SHELL, caller.user.id, role="admin", disabled=True)
    assert await refused(EVERYTHING[name](any_world, caller, ada.user.id)) is Forbidden


async def test_a_role_given_counts_at_the_next_call_of_the_same_session(any_world: World) -> None:
    ada = await any_world.member()
    assert await refused(show(any_world, await any_world.identify(ada), ada.user.id)) is Forbidden
    await change(any_world, SHELL, ada.user.id, role="admin")
    assert (await show(any_world, await any_world.identify(ada), ada.user.id)).user.role == "admin"


@pytest.mark.parametrize("role", ["Admin", "administrator", "admin2", "ADMIN"])
async def test_only_the_role_admin_administers(world: World, role: str) -> None:
    ada = await world.member()
    if role.islower():
        await change(world, SHELL, ada.user.id, role=role)
        assert await refused(show(world, await world.identify(ada), ada.user.id)) is Forbidden
    else:
        assert await violations_of(change(world, SHELL, ada.user.id, role=role)) == [("role", "invalid_role")]


@pytest.mark.parametrize("name", [*ACTING, "show_user"])
async def test_administrators_are_told_that_there_is_nobody(any_world: World, name: str) -> None:
    caller = await administrator(any_world)
    for nobody in (uuid4(), UUID(int=0)):
        assert await refused(EVERYTHING[name](any_world, caller, nobody)) is NotFound


# Looking


async def test_users_are_listed_newest_first_and_page_by_page(any_world: World) -> None:
    caller = await administrator(any_world)
    for name in ("a", "b", "c"):
        any_world.clock.advance(minutes=1)
        await create(any_world, f"{name}@example.com")

    async def page(**which: Any) -> list[User]:
        return await any_world.use_cases.list_users(ListUsersCommand(caller=caller, **which))

    assert [user.email.local_part for user in await page()] == ["c", "b", "a", "root"]
    first = await page(most=2)
    assert [user.email.local_part for user in await page(most=2, after=Place.of(first[-1]))] == ["a", "root"]
    assert [user.email.canonical for user in await page(role="admin")] == [ROOT]
    assert [user.email.local_part for user in await page(search="B@exa")] == ["b"]
    assert await page(search="nobody") == []


@pytest.mark.parametrize("text", ["\x00", "a\x1bb", "x" * 255, "\ud800"])
async def test_what_cannot_be_searched_for_is_a_violation_of_its_field(any_world: World, text: str) -> None:
    caller = await administrator(any_world)
    command = ListUsersCommand(caller=caller, search=text, role=text)
    broken = await violations_of(any_world.use_cases.list_users(command))
    assert [field for field, _ in broken] == ["search", "role"]


async def test_what_the_edge_could_not_read_is_reported_to_administrators_only(world: World) -> None:
    misfit = (Violation("most", "invalid_type", Sentence("No number.")),)
    ada = await world.identify(await world.member())
    root = await administrator(world)
    assert await refused(world.use_cases.list_users(ListUsersCommand(caller=ada, malformed=misfit))) is Forbidden
    listing = world.use_cases.list_users(ListUsersCommand(caller=root, malformed=misfit))
    assert await violations_of(listing) == [("most", "invalid_type")]


async def test_a_user_is_shown_with_their_sessions_by_id_address_or_username(any_world: World) -> None:
    ada = await any_world.member()
    any_world.clock.advance(minutes=1)
    elsewhere = await any_world.sign_in(client=ELSEWHERE)
    caller = await administrator(any_world)
    for whom in (ada.user.id, EmailAddress(ADA)):
        shown = await show(any_world, caller, whom)
        assert shown.user.id == ada.user.id
        assert [session.id for session in shown.sessions] == [elsewhere.session.id, ada.session.id]
        assert not any(session.current for session in shown.sessions)
    [own] = (await show(any_world, caller, caller.user.id)).sessions
    assert own.current
    assert await refused(show(any_world, caller, Username("ada"))) is NotFound


async def test_nothing_that_is_shown_holds_a_password_a_hash_or_a_seed(world: World) -> None:
    ada = await world.member()
    caller = await administrator(world)
    text = repr(await show(world, caller, ada.user.id)) + repr(
        await world.use_cases.list_users(ListUsersCommand(caller=caller))
    )
    assert "argon2" not in text
    assert "seed" not in text
    assert PASSWORD not in text


# Changing


async def test_a_role_is_changed_and_nothing_else(any_world: World) -> None:
    ada = await any_world.member()
    caller = await administrator(any_world)
    changed_user = await change(any_world, caller, ada.user.id, role="editor")
    assert changed_user == replace(ada.user, role="editor")
    assert (await any_world.identify(ada)).user == changed_user, "the session goes on"
    assert (await events_of(any_world, ada.user.id))[0] == ("user_changed", caller.user.id, "role")


async def test_a_change_that_changes_nothing_is_no_event(any_world: World) -> None:
    ada = await any_world.member()
    caller = await administrator(any_world)
    before = await events_of(any_world, ada.user.id)
    nothing: list[dict[str, Any]] = [{}, {"role": "user"}, {"disabled": False}]
    for what in nothing:
        assert await change(any_world, caller, ada.user.id, **what) == ada.user
    assert await events_of(any_world, ada.user.id) == before


async def test_of_a_change_with_one_thing_wrong_nothing_happens(any_world: World) -> None:
    ada = await any_world.member()
    caller = await administrator(any_world)
    attempt = change(any_world, caller, ada.user.id, role="No Role", disabled=True, fields={"plan": "gold"})
    assert await violations_of(attempt) == [("role", "invalid_role"), ("plan", "unknown_field")]
    assert await alive(any_world, ada)


async def test_declared_fields_are_judged_then_merged_into_what_is_there(any_world: World) -> None:
    declared = DeclaredFields(
        (
            DeclaredField(name="plan", label="Plan", type=FieldType.STRING, input=False),
            DeclaredField(name="seats", label="Seats", type=FieldType.INTEGER),
            DeclaredField(name="beta", label="Beta", type=FieldType.BOOLEAN, input=False),
        )
    )
    world = changed(any_world, change_user=replace(any_world.use_cases.change_user, declared=declared))
    ada = await world.member()
    caller = await administrator(world)
    await change(world, caller, ada.user.id, fields={"plan": "gold", "seats": 3})
    await change(world, caller, ada.user.id, fields={"seats": 4, "beta": True})
    assert (await world.identify(ada)).user.fields == {"plan": "gold", "seats": 4, "beta": True}
    await change(world, caller, ada.user.id, fields={"plan": None})
    assert (await world.identify(ada)).user.fields == {"seats": 4, "beta": True}
    assert await violations_of(change(world, caller, ada.user.id, fields={"seats": True})) == [
        ("seats", "invalid_type")
    ]
    assert (await events_of(world, ada.user.id))[0] == ("user_changed", caller.user.id, "fields")


async def test_who_is_disabled_is_out_at_once_and_cannot_come_in(any_world: World) -> None:
    ada = await any_world.member()
    native = await any_world.sign_in(client=ELSEWHERE)
    caller = await administrator(any_world)
    disabled = await change(any_world, caller, ada.user.id, disabled=True)
    assert disabled.disabled_at == any_world.clock.now()
    assert (await events_of(any_world, ada.user.id))[0] == ("user_disabled", caller.user.id, None)
    assert not await alive(any_world, ada)
    assert not await alive(any_world, native)
    assert await refused(any_world.refresh(native)) is Unauthenticated
    assert await refused(any_world.sign_in()) is InvalidCredentials


async def test_enabling_lets_them_sign_in_and_revives_no_old_session(any_world: World) -> None:
    ada = await any_world.member()
    caller = await administrator(any_world)
    await change(any_world, caller, ada.user.id, disabled=True)
    enabled = await change(any_world, caller, ada.user.id, disabled=False)
    assert not enabled.disabled
    assert not await alive(any_world, ada)
    any_world.clock.advance(seconds=1)
    assert await alive(any_world, await any_world.sign_in())
    kinds = [kind for kind, _, _ in await events_of(any_world, ada.user.id)]
    assert kinds[:3] == ["signed_in", "user_enabled", "user_disabled"]


async def test_a_sign_in_under_way_while_its_user_is_disabled_and_enabled_again_is_refused(any_world: World) -> None:
    """It verified the password before; what it would begin is a session from before."""
    ada = await any_world.member()
    pausing = PausingHasher(any_world.use_cases.sign_in.hasher)
    paused = changed(any_world, sign_in=replace(any_world.use_cases.sign_in, hasher=pausing))
    under_way = asyncio.create_task(refused(paused.sign_in()))
    await pausing.verified.wait()
    await change(any_world, SHELL, ada.user.id, disabled=True)
    await change(any_world, SHELL, ada.user.id, disabled=False)
    pausing.go_on.set()
    assert await under_way is InvalidCredentials


async def test_a_letter_from_before_does_not_open_an_account_that_was_disabled(any_world: World) -> None:
    ada = await any_world.member()
    await start_reset(any_world, SHELL, ada.user.id)
    token = await any_world.link_token("Choose a new password")
    await change(any_world, SHELL, ada.user.id, disabled=True)
    reset = ResetPasswordCommand(token=token, password=OTHER_PASSWORD, client=HERE)
    assert await refused(any_world.use_cases.reset_password(reset)) is TokenInvalid
    await change(any_world, SHELL, ada.user.id, disabled=False)
    assert await refused(any_world.use_cases.reset_password(reset)) is TokenInvalid


# Not oneself, and not both


@pytest.mark.parametrize("what", [{"disabled": True}, {"role": "user"}, {"role": "user", "disabled": True}])
async def test_an_administrator_can_neither_disable_nor_demote_themselves(
    any_world: World, what: dict[str, Any]
) -> None:
    caller = await administrator(any_world)
    assert await refused(change(any_world, caller, caller.user.id, **what)) is OwnAccount
    assert (await show(any_world, caller, caller.user.id)).user == caller.user
    assert await change(any_world, caller, caller.user.id, role="admin", disabled=False) == caller.user


async def test_an_administrator_cannot_expire_their_own_password(any_world: World) -> None:
    caller = await administrator(any_world)
    assert await refused(start_reset(any_world, caller, caller.user.id, expire_password=True)) is OwnAccount
    await any_world.sign_in(ROOT, ROOT_PASSWORD)
    await start_reset(any_world, caller, caller.user.id)


async def test_of_two_administrators_who_demote_each_other_at_once_one_remains(any_world: World) -> None:
    one = await administrator(any_world)
    two = await administrator(any_world, "second@example.com")
    for _ in range(5):
        outcomes = await asyncio.gather(
            refused(change(any_world, one, two.user.id, role="user")),
            refused(change(any_world, two, one.user.id, role="user")),
        )
        assert sorted(outcome is None for outcome in outcomes) == [False, True]
        assert Forbidden in outcomes
        roles = {(await show(any_world, SHELL, each.user.id)).user.role for each in (one, two)}
        assert roles == {"admin", "user"}
        for each in (one, two):
            await change(any_world, SHELL, each.user.id, role="admin")


# Ending sessions


async def test_every_session_of_one_user_ends_and_nobody_elses(any_world: World) -> None:
    ada, grace = await any_world.member(), await any_world.member("grace@example.com")
    second = await any_world.sign_in(client=ELSEWHERE)
    caller = await administrator(any_world)
    await end_sessions(any_world, caller, ada.user.id)
    assert [await alive(any_world, each) for each in (ada, second, grace)] == [False, False, True]
    assert (await events_of(any_world, ada.user.id))[0] == ("sessions_ended", caller.user.id, None)
    await any_world.sign_in()


async def test_everybodys_sessions_end_batch_after_batch(any_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.use_cases.administration.BATCH", 2)
    assert BATCH > 100
    signed_in = [await any_world.member(f"p{number}@example.com") for number in range(4)]
    assert await any_world.use_cases.end_all_sessions() == 4
    assert not any([await alive(any_world, each) for each in signed_in])
    found = await any_world.use_cases.list_all_events(ListAllEventsCommand(caller=SHELL, kind=EventKind.SESSIONS_ENDED))
    assert [(event.user_id, event.actor_id, event.reason) for event in found] == [(None, None, "cli")]
    assert await any_world.use_cases.end_all_sessions() == 0


# Starting a reset


async def test_a_reset_that_is_started_sends_the_owner_a_letter_and_changes_nothing_yet(any_world: World) -> None:
    ada = await any_world.member()
    caller = await administrator(any_world)
    assert await start_reset(any_world, caller, ada.user.id) == ada.user.email
    assert (await events_of(any_world, ada.user.id))[0] == ("password_reset_requested", caller.user.id, None)
    token = await any_world.link_token("Choose a new password")
    assert await alive(any_world, ada)
    await any_world.sign_in()
    await any_world.use_cases.reset_password(ResetPasswordCommand(token=token, password=OTHER_PASSWORD, client=HERE))
    await any_world.sign_in(password=OTHER_PASSWORD)
    assert not await alive(any_world, ada)


async def test_an_expired_password_lets_nobody_in_and_only_the_letter_brings_the_owner_back(any_world: World) -> None:
    """ASVS 6.2.10: forced on compromise, never periodic."""
    ada = await any_world.member()
    caller = await administrator(any_world)
    await start_reset(any_world, caller, ada.user.id, expire_password=True)
    kinds = [(kind, actor) for kind, actor, _ in await events_of(any_world, ada.user.id)][:2]
    assert sorted(kinds) == [("password_expired", caller.user.id), ("password_reset_requested", caller.user.id)]
    assert not await alive(any_world, ada)
    assert await refused(any_world.sign_in()) is InvalidCredentials
    token = await any_world.link_token("Choose a new password")
    await any_world.use_cases.reset_password(ResetPasswordCommand(token=token, password=OTHER_PASSWORD, client=HERE))
    await any_world.sign_in(password=OTHER_PASSWORD)


async def test_no_reset_is_started_for_somebody_disabled(any_world: World) -> None:
    """The letter would become none, and the administrator would wait for it."""
    ada = await any_world.member()
    await change(any_world, SHELL, ada.user.id, disabled=True)
    for expire in (False, True):
        assert await refused(start_reset(any_world, SHELL, ada.user.id, expire_password=expire)) is AccountDisabled


# Creating a user


async def test_a_fresh_database_has_no_users_and_the_first_administrator_is_made_at_the_command_line(
    any_world: World,
) -> None:
    """ASVS 6.3.2."""
    everybody = ListUsersCommand(caller=SHELL)
    assert await any_world.use_cases.list_users(everybody) == []
    user = await create(any_world, " Root@Example.com ", name="Root", role="admin", password=ROOT_PASSWORD)
    assert await any_world.use_cases.list_users(everybody) == [user]
    assert (user.email.canonical, user.email_verified, user.role) == (ROOT, True, "admin")
    assert await events_of(any_world, user.id) == [("user_created", None, "cli")]
    signed_in = await any_world.sign_in(ROOT, ROOT_PASSWORD)
    assert (await show(any_world, await any_world.identify(signed_in), user.id)).user.first_signed_in_at
    await any_world.deliver()
    assert any_world.mailbox.letters == [], "they know"


async def test_who_is_made_without_a_password_chooses_one_by_letter(any_world: World) -> None:
    user = await create(any_world, ADA)
    assert user.role == "user"
    for guess in (PASSWORD, ""):
        assert await refused(any_world.sign_in(password=guess)) is InvalidCredentials
    token = await any_world.link_token("Choose a new password")
    await any_world.use_cases.reset_password(ResetPasswordCommand(token=token, password=PASSWORD, client=HERE))
    assert (await any_world.sign_in()).user.id == user.id


async def test_a_password_given_at_the_command_line_keeps_the_policy_and_all_that_is_wrong_is_said(
    world: World,
) -> None:
    attempt = create(world, "nowhere", name="\x00", username="ada", role="Boss", password="short")
    assert await violations_of(attempt) == [
        ("email", "invalid_email"),
        ("name", "invalid_characters"),
        ("username", "unknown_field"),
        ("role", "invalid_role"),
        ("password", "too_short"),
    ]
    assert await violations_of(create(world, None)) == [("email", "required")]


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgresql"])
async def test_a_taken_address_or_username_is_a_conflict_and_nothing_is_written(store: str, tmp_path: Any) -> None:
    async with make_world(store, tmp_path, {"OSTIARY_USERNAME": "optional"}) as world:
        await create(world, ADA, username="ada")
        await world.sign_up("grace@example.com", username="grace")
        for email, username, named in (
            (ADA, None, ["email"]),
            ("new@example.com", "ada", ["username"]),
            ("new@example.com", "grace", ["username"]),
            (ADA, "ada", ["email", "username"]),
        ):
            with pytest.raises(Conflict) as conflict:
                await create(world, email, username=username)
            assert [violation.field for violation in conflict.value.violations] == named
        assert len(await world.use_cases.list_users(ListUsersCommand(caller=SHELL))) == 1
        assert (await show(world, SHELL, Username("ada"))).user.email.canonical == ADA


async def test_what_waits_for_the_address_of_a_user_who_is_made_comes_to_nothing(any_world: World) -> None:
    await any_world.sign_up(password=OTHER_PASSWORD)
    token = await any_world.token_for()
    await create(any_world, ADA, password=PASSWORD)
    assert await refused(any_world.verify(token, password=OTHER_PASSWORD)) is TokenInvalid
    await any_world.sign_in()


# The record


async def test_owners_see_what_an_administrator_did_and_nothing_of_their_device(any_world: World) -> None:
    ada = await any_world.member()
    caller = await administrator(any_world)
    await change(any_world, caller, ada.user.id, role="editor")
    own = await any_world.use_cases.list_events(ListEventsCommand(caller=await any_world.identify(ada)))
    assert (own[0].kind, own[0].actor_id, own[0].address, own[0].user_agent) == (
        "user_changed",
        caller.user.id,
        "",
        "",
    )
    assert own[1].address == HERE.address, "their own device they see"
    [every, *_] = await any_world.use_cases.list_all_events(
        ListAllEventsCommand(caller=caller, kind=EventKind.USER_CHANGED)
    )
    assert every.address == HERE.address


async def test_what_is_done_at_the_command_line_says_so(any_world: World) -> None:
    ada = await any_world.member()
    await change(any_world, SHELL, ada.user.id, role="editor")
    await end_sessions(any_world, SHELL, ada.user.id)
    await start_reset(any_world, SHELL, ada.user.id)
    await change(any_world, SHELL, ada.user.id, disabled=True)
    assert [(kind, actor, reason) for kind, actor, reason in await events_of(any_world, ada.user.id)][:4] == [
        ("user_disabled", None, "cli"),
        ("password_reset_requested", None, "cli"),
        ("sessions_ended", None, "cli"),
        ("user_changed", None, "cli"),
    ]


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("change_user", lambda world, user_id: change(world, SHELL, user_id, role="admin", disabled=True)),
        ("end_user_sessions", lambda world, user_id: end_sessions(world, SHELL, user_id)),
        ("start_reset", lambda world, user_id: start_reset(world, SHELL, user_id, expire_password=True)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_an_act_that_is_not_committed_left_neither_trace_nor_event(
    any_world: World, name: str, act: Callable[[World, UUID], Awaitable[object]]
) -> None:
    ada = await any_world.member()
    before = await events_of(any_world, ada.user.id)
    heard = len(any_world.events.recorded)
    use_case = getattr(any_world.use_cases, name)
    broken = replace(use_case, administration=failing_at_commit(use_case.administration))
    assert await refused(act(changed(any_world, **{name: broken}), ada.user.id)) is Unavailable
    assert await alive(any_world, ada)
    assert await events_of(any_world, ada.user.id) == before
    assert len(any_world.events.recorded) == heard
    await any_world.sign_in()
