"""What happens to an account, interrupted at its every step: all of it is true afterwards, or nothing is.

As in `test_interruption`: the database is looked at from outside after each interruption, and the person tries again.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from application.admission import SignedIn
from application.use_cases.account_deletion import DeleteAccountCommand
from application.use_cases.email_change import ChangeEmailCommand, ConfirmEmailChangeCommand
from application.use_cases.password_change import ChangePasswordCommand
from application.use_cases.password_reset import ForgotPasswordCommand, ResetPasswordCommand
from application.use_cases.sessions import EndSessionCommand, Scope, SignOutCommand
from application.use_cases.undo import UndoChangeCommand
from domain.errors import InvalidCredentials, NotFound, TokenInvalid, Unauthenticated
from domain.letters import Occasion
from tests.adapters.test_interruption import alive, interrupted_at_every_step
from tests.support.fault_world import FaultyWorld, Mishap, make_faulty_world
from tests.support.mail import subject_of
from tests.support.world import ELSEWHERE, HERE, PASSWORD

NEW, OTHERS = "a new password of hers", "a password of somebody else"
RESET, CONFIRM = "Choose a new password", "Confirm your new e-mail address"

Act = Callable[[], Awaitable[object]]
Prepare = Callable[[str], Awaitable[Act]]


each_mishap = pytest.mark.parametrize(
    ("kind", "mishap"),
    [("sqlite", Mishap.ONCE), ("sqlite", Mishap.ANSWER_LOST), ("postgresql", Mishap.FROM_THEN_ON)],
    ids=lambda part: part.name.lower() if isinstance(part, Mishap) else part,
)


@pytest.fixture
async def world(kind: str, tmp_path: Path) -> AsyncIterator[FaultyWorld]:
    async with make_faulty_world(kind, tmp_path, {"OSTIARY_USERNAME": "optional"}) as made:
        yield made


async def interrupted(
    world: FaultyWorld, mishap: Mishap, prepare: Prepare, afterwards: Callable[[str], Awaitable[None]]
) -> None:
    """At its every step, of which there are several, and at its every commit, of which one may be all."""
    steps = await interrupted_at_every_step(world, mishap, prepare, afterwards)
    assert steps >= (1 if mishap is Mishap.ANSWER_LOST else 2)


@dataclass(frozen=True)
class Person:
    """Somebody with an account, a username and two sessions, and what else it takes to go on."""

    email: str
    here: SignedIn
    there: SignedIn
    link: str = ""

    @property
    def id(self) -> str:
        return self.here.user.id.hex

    @property
    def name(self) -> str:
        return self.email.partition("@")[0]

    @property
    def moved(self) -> str:
        return f"{self.name}@moved.example"


async def settled(world: FaultyWorld, email: str) -> Person:
    world.clock.advance(hours=1)  # limits are counted here too
    sent = await world.sign_up(email, username=email.partition("@")[0])
    here = await world.verify(await world.token_for(email), cookie=sent.cookie.text)
    there = await world.sign_in(email, client=ELSEWHERE)
    await world.deliver()
    return Person(email, here, there)


def all_or_nothing(world: FaultyWorld, *facts: tuple[str, str]) -> bool:
    """Each is a question that is answered by yes when the deed is done and by no when it is not; what it is about."""
    sum_of_all = " + ".join(f"CASE WHEN {question} THEN 1 ELSE 0 END" for question, _ in facts)
    true = world.count(f"SELECT {sum_of_all}", *(about for _, about in facts))
    if 0 < true < len(facts):
        pytest.fail(
            str(
                {
                    question: world.count(f"SELECT CASE WHEN {question} THEN 1 ELSE 0 END", about)
                    for question, about in facts
                }
            )
        )
    return true > 0


def told_once(occasion: Occasion) -> str:
    return (
        "(SELECT count(*) FROM letters JOIN reversals ON reversals.id = letters.subject_id "  # noqa: S608
        f"WHERE user_id = ? AND letters.occasion = '{occasion}' AND reversals.occasion = '{occasion}') = 1"
    )


def on_record(kind: str) -> str:
    return f"(SELECT count(*) FROM events WHERE user_id = ? AND kind = '{kind}') = 1"  # noqa: S608


def at_version(version: int) -> str:
    return f"EXISTS (SELECT 1 FROM accounts WHERE user_id = ? AND credential_version = {version})"  # noqa: S608


def sessions_left(count: int) -> str:
    return f"(SELECT count(*) FROM sessions WHERE user_id = ?) = {count}"  # noqa: S608


def spent(purpose: str) -> str:
    spent = f"purpose = '{purpose}' AND used_at IS NOT NULL"
    return f"EXISTS (SELECT 1 FROM one_time_tokens WHERE user_id = ? AND {spent})"  # noqa: S608


async def opens(world: FaultyWorld, email: str, password: str) -> bool:
    try:
        await world.sign_in(email, password)
    except InvalidCredentials:
        return False
    return True


# -- The password --


@each_mishap
async def test_an_interrupted_request_for_a_reset_left_one_letter_or_none(world: FaultyWorld, mishap: Mishap) -> None:
    people: dict[str, Person] = {}

    async def ask(email: str) -> None:
        await world.use_cases.forgot_password(ForgotPasswordCommand(email=email, client=HERE))

    async def prepare(email: str) -> Act:
        people[email] = await settled(world, email)
        return lambda: ask(email)

    async def afterwards(email: str) -> None:
        queued = "SELECT count(*) FROM letters WHERE recipient = ? AND occasion = 'forgot_password'"
        assert world.count(queued, email) <= 1
        world.clock.advance(seconds=1)
        await ask(email)
        link = await world.link_token(RESET, email)
        await world.use_cases.reset_password(ResetPasswordCommand(token=link, password=NEW, client=HERE))
        assert await opens(world, email, NEW)

    await interrupted(world, mishap, prepare, afterwards)


@each_mishap
async def test_an_interrupted_reset_is_whole_or_none_and_is_simply_repeated(world: FaultyWorld, mishap: Mishap) -> None:
    people: dict[str, Person] = {}

    async def reset(person: Person) -> None:
        await world.use_cases.reset_password(ResetPasswordCommand(token=person.link, password=NEW, client=HERE))

    async def prepare(email: str) -> Act:
        person = await settled(world, email)
        await world.use_cases.forgot_password(ForgotPasswordCommand(email=email, client=HERE))
        people[email] = Person(email, person.here, person.there, await world.link_token(RESET, email))
        return lambda: reset(people[email])

    async def afterwards(email: str) -> None:
        person = people[email]
        done = all_or_nothing(
            world,
            (at_version(2), person.id),
            (sessions_left(0), person.id),
            (spent("reset_password"), person.id),
            (told_once(Occasion.PASSWORD_RESET), person.id),
            (on_record("password_reset"), person.id),
        )
        assert (await alive(world, person.here.session_token.text) is None) == done
        try:
            await reset(person)
        except TokenInvalid:
            assert done
        assert [await opens(world, email, password) for password in (NEW, PASSWORD)] == [True, False]

    await interrupted(world, mishap, prepare, afterwards)


@each_mishap
async def test_an_interrupted_change_of_password_is_whole_or_none_and_its_session_lives(
    world: FaultyWorld, mishap: Mishap
) -> None:
    people: dict[str, Person] = {}

    async def change(person: Person, current: str) -> None:
        caller = await alive(world, person.here.session_token.text)
        assert caller is not None
        await world.use_cases.change_password(
            ChangePasswordCommand(caller=caller, current_password=current, password=NEW, client=HERE)
        )

    async def prepare(email: str) -> Act:
        people[email] = await settled(world, email)
        return lambda: change(people[email], PASSWORD)

    async def afterwards(email: str) -> None:
        person = people[email]
        done = all_or_nothing(
            world,
            (at_version(2), person.id),
            (sessions_left(1), person.id),
            ("EXISTS (SELECT 1 FROM sessions WHERE id = ? AND credential_version = 2)", person.here.session.id.hex),
            (told_once(Occasion.PASSWORD_CHANGED), person.id),
            (on_record("password_changed"), person.id),
        )
        assert (await alive(world, person.there.session_token.text) is None) == done
        await change(person, NEW if done else PASSWORD)
        assert [await opens(world, email, password) for password in (NEW, PASSWORD)] == [True, False]

    await interrupted(world, mishap, prepare, afterwards)


# -- The address --


@each_mishap
async def test_an_interrupted_request_for_another_address_is_whole_or_none_and_is_simply_repeated(
    world: FaultyWorld, mishap: Mishap
) -> None:
    people: dict[str, Person] = {}

    async def ask(person: Person) -> None:
        caller = await alive(world, person.here.session_token.text)
        assert caller is not None
        await world.use_cases.change_email(
            ChangeEmailCommand(caller=caller, email=person.moved, password=PASSWORD, client=HERE)
        )

    async def prepare(email: str) -> Act:
        people[email] = await settled(world, email)
        return lambda: ask(people[email])

    async def afterwards(email: str) -> None:
        person = people[email]
        all_or_nothing(
            world,
            ("(SELECT count(*) FROM letters WHERE recipient = ?) = 1", person.moved),
            (on_record("email_change_requested"), person.id),
        )
        world.clock.advance(seconds=1)
        await ask(person)
        link = await world.link_token(CONFIRM, person.moved)
        await world.use_cases.confirm_email_change(ConfirmEmailChangeCommand(token=link, client=HERE))
        assert await opens(world, person.moved, PASSWORD)

    await interrupted(world, mishap, prepare, afterwards)


@each_mishap
async def test_an_interrupted_move_to_another_address_is_whole_or_none_and_is_simply_repeated(
    world: FaultyWorld, mishap: Mishap
) -> None:
    people: dict[str, Person] = {}

    async def confirm(person: Person) -> None:
        await world.use_cases.confirm_email_change(ConfirmEmailChangeCommand(token=person.link, client=HERE))

    async def prepare(email: str) -> Act:
        person = await settled(world, email)
        caller = await world.identify(person.here)
        await world.sign_up(person.moved, OTHERS)
        await world.use_cases.change_email(
            ChangeEmailCommand(caller=caller, email=person.moved, password=PASSWORD, client=HERE)
        )
        people[email] = Person(email, person.here, person.there, await world.link_token(CONFIRM, person.moved))
        return lambda: confirm(people[email])

    async def afterwards(email: str) -> None:
        person = people[email]
        done = all_or_nothing(
            world,
            ("EXISTS (SELECT 1 FROM users WHERE email = ?)", person.moved),
            ("NOT EXISTS (SELECT 1 FROM users WHERE email = ?)", email),
            ("NOT EXISTS (SELECT 1 FROM sign_ups WHERE email = ?)", person.moved),
            (spent("change_email"), person.id),
            (told_once(Occasion.EMAIL_CHANGED), person.id),
            (on_record("email_changed"), person.id),
        )
        try:
            await confirm(person)
        except TokenInvalid:
            assert done
        assert [await opens(world, address, PASSWORD) for address in (person.moved, email)] == [True, False]
        assert await alive(world, person.here.session_token.text)

    await interrupted(world, mishap, prepare, afterwards)


# -- Farewell, and back --


def is_gone(person: Person) -> list[tuple[str, str]]:
    return [
        ("NOT EXISTS (SELECT 1 FROM users WHERE id = ?)", person.id),
        ("NOT EXISTS (SELECT 1 FROM accounts WHERE user_id = ?)", person.id),
        (sessions_left(0), person.id),
        ("NOT EXISTS (SELECT 1 FROM sign_ups WHERE id = ?)", person.id),
        ("NOT EXISTS (SELECT 1 FROM events WHERE user_id = ?)", person.id),
        ("NOT EXISTS (SELECT 1 FROM letters WHERE recipient = ? AND status = 'sent')", person.email),
        ("EXISTS (SELECT 1 FROM username_claims WHERE username = ? AND expires_at IS NOT NULL)", person.name),
        (told_once(Occasion.ACCOUNT_DELETED), person.id),
    ]


async def leave(world: FaultyWorld, person: Person) -> None:
    caller = await alive(world, person.here.session_token.text)
    if caller is None:
        raise Unauthenticated
    await world.use_cases.delete_account(DeleteAccountCommand(caller=caller, password=PASSWORD, client=HERE))


async def undo(world: FaultyWorld, link: str) -> None:
    await world.use_cases.undo_change(UndoChangeCommand(token=link, client=HERE))


async def has_it_back(world: FaultyWorld, person: Person) -> None:
    """By the letter that comes after the undoing."""
    link = await world.link_token(RESET, person.email)
    assert not await opens(world, person.email, PASSWORD)
    await world.use_cases.reset_password(ResetPasswordCommand(token=link, password=NEW, client=HERE))
    signed_in = await world.sign_in(person.email, NEW)
    assert (signed_in.user.id, str(signed_in.user.username)) == (person.here.user.id, person.name)


@each_mishap
async def test_an_interrupted_farewell_is_whole_or_none_and_can_be_undone_like_any(
    world: FaultyWorld, mishap: Mishap
) -> None:
    people: dict[str, Person] = {}

    async def prepare(email: str) -> Act:
        people[email] = await settled(world, email)
        return lambda: leave(world, people[email])

    async def afterwards(email: str) -> None:
        person = people[email]
        done = all_or_nothing(world, *is_gone(person))
        try:
            await leave(world, person)
        except Unauthenticated:
            assert done
        assert all_or_nothing(world, *is_gone(person))
        assert not await opens(world, email, PASSWORD)
        await undo(world, await world.link_token(subject_of(Occasion.ACCOUNT_DELETED), email))
        await has_it_back(world, person)

    await interrupted(world, mishap, prepare, afterwards)


@each_mishap
async def test_an_interrupted_return_of_a_deleted_account_is_whole_or_none_and_is_simply_repeated(
    world: FaultyWorld, mishap: Mishap
) -> None:
    people: dict[str, Person] = {}

    async def prepare(email: str) -> Act:
        person = await settled(world, email)
        await leave(world, person)
        link = await world.link_token(subject_of(Occasion.ACCOUNT_DELETED), email)
        people[email] = Person(email, person.here, person.there, link)
        return lambda: undo(world, link)

    async def afterwards(email: str) -> None:
        person = people[email]
        done = all_or_nothing(
            world,
            ("EXISTS (SELECT 1 FROM users WHERE id = ?)", person.id),
            (at_version(2), person.id),
            ("NOT EXISTS (SELECT 1 FROM reversals WHERE user_id = ? AND occasion = 'account_deleted')", person.id),
            ("EXISTS (SELECT 1 FROM username_claims WHERE username = ? AND expires_at IS NULL)", person.name),
            ("(SELECT count(*) FROM letters WHERE recipient = ? AND occasion = 'forgot_password') = 1", email),
            (on_record("account_deleted"), person.id),
            (on_record("change_undone"), person.id),
        )
        try:
            await undo(world, person.link)
        except TokenInvalid:
            assert done
        await has_it_back(world, person)

    await interrupted(world, mishap, prepare, afterwards)


@each_mishap
async def test_an_interrupted_undoing_is_whole_or_none_and_is_simply_repeated(
    world: FaultyWorld, mishap: Mishap
) -> None:
    people: dict[str, Person] = {}

    async def prepare(email: str) -> Act:
        person = await settled(world, email)
        caller = await world.identify(person.there)
        await world.use_cases.change_password(
            ChangePasswordCommand(caller=caller, current_password=PASSWORD, password=OTHERS, client=ELSEWHERE)
        )
        link = await world.link_token(subject_of(Occasion.PASSWORD_CHANGED), email)
        people[email] = Person(email, person.here, person.there, link)
        return lambda: undo(world, link)

    async def afterwards(email: str) -> None:
        person = people[email]
        done = all_or_nothing(
            world,
            (at_version(3), person.id),
            (sessions_left(0), person.id),
            ("NOT EXISTS (SELECT 1 FROM reversals WHERE user_id = ? AND occasion = 'password_changed')", person.id),
            ("(SELECT count(*) FROM letters WHERE recipient = ? AND occasion = 'forgot_password') = 1", email),
            (on_record("change_undone"), person.id),
        )
        assert await opens(world, email, OTHERS) != done
        try:
            await undo(world, person.link)
        except TokenInvalid:
            assert done
        assert not await opens(world, email, OTHERS)
        await has_it_back(world, person)

    await interrupted(world, mishap, prepare, afterwards)


# -- Sessions --


@each_mishap
@pytest.mark.parametrize("others", [True, False], ids=["the others", "one of them"])
async def test_an_interrupted_end_of_other_sessions_is_told_to_their_owner_or_was_none(
    world: FaultyWorld, mishap: Mishap, others: bool
) -> None:
    people: dict[str, Person] = {}

    async def end(person: Person) -> None:
        caller = await alive(world, person.here.session_token.text)
        assert caller is not None
        if others:
            await world.use_cases.sign_out(SignOutCommand(caller=caller, scope=Scope.OTHERS, client=HERE))
        else:
            session_id = person.there.session.id
            await world.use_cases.end_session(EndSessionCommand(caller=caller, session_id=session_id, client=HERE))

    async def prepare(email: str) -> Act:
        people[email] = await settled(world, email)
        return lambda: end(people[email])

    async def afterwards(email: str) -> None:
        person = people[email]
        done = all_or_nothing(
            world,
            (sessions_left(1), person.id),
            (told_once(Occasion.SESSIONS_ENDED), person.id),
            (on_record("signed_out" if others else "session_ended"), person.id),
        )
        assert (await alive(world, person.there.session_token.text) is None) == done
        try:
            await end(person)
        except NotFound:
            assert done
        assert await alive(world, person.there.session_token.text) is None
        assert await alive(world, person.here.session_token.text)

    await interrupted(world, mishap, prepare, afterwards)
