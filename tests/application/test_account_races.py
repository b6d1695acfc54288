"""Whatever happens to one account at once: afterwards one story is true, and nobody is told that the service is away.

Everybody is judged by what is true once it is their turn (`Accounts.hold`), so of all that cannot be true together one
is, and the others are refused. `Unavailable` is no such refusal: it is what a deadlock would look like.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Iterable
from dataclasses import fields
from pathlib import Path
from uuid import UUID

import pytest

from application.admission import SignedIn
from application.recognition import Caller
from application.use_cases.account_deletion import DeleteAccountCommand
from application.use_cases.email_change import ChangeEmailCommand, ConfirmEmailChangeCommand
from application.use_cases.identify import IdentifyCommand
from application.use_cases.password_change import ChangePasswordCommand
from application.use_cases.password_reset import ForgotPasswordCommand, ResetPasswordCommand
from application.use_cases.sessions import EndSessionCommand, Scope, SignOutCommand
from application.use_cases.undo import UndoChangeCommand
from domain.email_address import EmailAddress
from domain.errors import InvalidCredentials, NotFound, TokenInvalid, Unauthenticated
from domain.events import EventKind
from domain.letters import Occasion
from domain.limits import Quotas
from domain.user import Credential, User
from tests.support.mail import subject_of
from tests.support.world import ADA, ELSEWHERE, HERE, PASSWORD, World, make_world

NEW, OTHERS, THIRDS = "a new password of hers", "a password of somebody else", "a third password altogether"
MOVED = "ada@moved.example"
UNLIMITED = {f"OSTIARY_LIMIT_{quota.name.upper()}": "off" for quota in fields(Quotas)}
ROUNDS = range(3)
"""Each race is run so often: by another order of starting, on another account."""

RESET, CONFIRM = "Choose a new password", "Confirm your new e-mail address"


@pytest.fixture(params=["sqlite", "postgresql"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with make_world(request.param, tmp_path, UNLIMITED) as made:
        yield made


# -- What they do --


async def forget(world: World, email: str = ADA) -> str:
    """Forget a password; the token that comes by mail."""
    await world.use_cases.forgot_password(ForgotPasswordCommand(email=email, client=HERE))
    return await world.link_token(RESET, email)


async def ask_to_move(world: World, caller: Caller, email: str = MOVED, password: str = PASSWORD) -> str:
    """Ask for another address; the token that comes to it."""
    command = ChangeEmailCommand(caller=caller, email=email, password=password, client=HERE)
    await world.use_cases.change_email(command)
    return await world.link_token(CONFIRM, email)


def reset(world: World, token: str, password: str = NEW) -> Awaitable[object]:
    return world.use_cases.reset_password(ResetPasswordCommand(token=token, password=password, client=HERE))


def change(world: World, caller: Caller, new: str = OTHERS, current: str = PASSWORD) -> Awaitable[object]:
    command = ChangePasswordCommand(caller=caller, current_password=current, password=new, client=ELSEWHERE)
    return world.use_cases.change_password(command)


def confirm(world: World, token: str) -> Awaitable[object]:
    return world.use_cases.confirm_email_change(ConfirmEmailChangeCommand(token=token, client=HERE))


def delete(world: World, caller: Caller, password: str = PASSWORD) -> Awaitable[object]:
    return world.use_cases.delete_account(DeleteAccountCommand(caller=caller, password=password, client=HERE))


def undo(world: World, token: str) -> Awaitable[object]:
    return world.use_cases.undo_change(UndoChangeCommand(token=token, client=HERE))


async def undo_link(world: World, occasion: Occasion, email: str = ADA) -> str:
    return await world.link_token(subject_of(occasion), email)


async def at_once(*deeds: Awaitable[object], order: int = 0) -> list[object]:
    """What came of each; they begin in an order that the number decides."""
    begun = list(enumerate(deeds))
    random.Random(order).shuffle(begun)  # noqa: S311 - so that races differ, and a failure can be repeated
    outcomes = await asyncio.gather(*(deed for _, deed in begun), return_exceptions=True)
    return [outcome for _, outcome in sorted(zip((place for place, _ in begun), outcomes, strict=True), key=first)]


def first(pair: tuple[int, object]) -> int:
    return pair[0]


def refusals(outcomes: Iterable[object]) -> list[type[BaseException]]:
    return [type(outcome) for outcome in outcomes if isinstance(outcome, BaseException)]


# -- What is true afterwards --


async def account(world: World, user_id: UUID) -> tuple[User, Credential] | None:
    """User and credential, which are there together or not at all."""
    async with world.use_cases.undo_change.reading() as unit:
        user, credential = await unit.users.get(user_id), await unit.accounts.of_user(user_id)
    assert (user is None) == (credential is None)
    return (user, credential) if user and credential else None


async def the_account(world: World, user_id: UUID) -> tuple[User, Credential]:
    found = await account(world, user_id)
    assert found is not None
    return found


async def alive(world: World, signed_in: SignedIn) -> bool:
    try:
        await world.use_cases.identify(IdentifyCommand(session_cookie=signed_in.session_token.text))
    except Unauthenticated:
        return False
    return True


async def shown(world: World, user_id: UUID) -> set[UUID]:
    """The sessions that the list shows."""
    async with world.use_cases.list_sessions.reading() as unit:
        return {session.id for session in await unit.sessions.of_user(user_id, world.clock.now())}


async def opens(world: World, password: str, email: str = ADA) -> bool:
    """Whether the password lets its owner in; afterwards they are out again."""
    try:
        signed_in = await world.sign_in(email, password)
    except InvalidCredentials:
        return False
    caller = await world.identify(signed_in)
    await world.use_cases.sign_out(SignOutCommand(caller=caller, scope=Scope.THIS, client=HERE))
    return True


async def told(world: World, email: str = ADA) -> list[Occasion]:
    """What the notices to an address are about, in the order of the catalogue."""
    await world.deliver()
    subjects = [letter.subject for letter in world.mailbox.to(email)]
    notices = [occasion for occasion in Occasion if occasion.notice]
    return [each for each in notices for subject in subjects if subject.startswith(subject_of(each))]


async def happened(world: World, user_id: UUID) -> list[str]:
    """What the record says, oldest first."""
    async with world.use_cases.list_sessions.reading() as unit:
        return [event.kind for event in await unit.events.of_user(user_id, before=None, most=1000)][::-1]


async def owner_of(world: World, email: str) -> UUID | None:
    async with world.use_cases.undo_change.reading() as unit:
        user = await unit.users.of_email(EmailAddress(email))
    return user.id if user else None


# -- Refresh --


async def test_of_fifty_refreshes_of_one_session_one_moves_it_on_and_nobody_is_signed_out(world: World) -> None:
    holding = await world.member()
    other = await world.sign_in()
    for turn in range(1, 4):
        world.clock.advance(minutes=2)
        answers = await asyncio.gather(*(world.refresh(holding) for _ in range(50)))
        assert {answer.session.counter for answer in answers} == {turn}
        assert len({answer.session_token.text for answer in answers}) == 1
        holding = answers[0]
    assert await alive(world, holding)
    assert await shown(world, holding.user.id) == {holding.session.id, other.session.id}
    assert EventKind.REFRESH_REUSED not in world.events.kinds()
    assert Occasion.SESSION_STOLEN not in await told(world)


async def test_fifty_refreshes_while_the_password_is_changed_leave_the_session_alive_and_end_the_others(
    world: World,
) -> None:
    holding = await world.member()
    others = [await world.sign_in() for _ in range(3)]
    caller = await world.identify(holding)
    world.clock.advance(minutes=2)
    outcomes = await at_once(
        *(world.refresh(holding) for _ in range(50)),
        *(world.refresh(other) for other in others for _ in range(5)),
        change(world, caller),
        order=1,
    )
    assert set(refusals(outcomes[:50])) == set()
    assert set(refusals(outcomes[50:65])) <= {Unauthenticated}
    assert refusals(outcomes[65:]) == []
    assert await shown(world, caller.user.id) == {holding.session.id}
    assert await alive(world, await world.refresh(holding))
    assert EventKind.REFRESH_REUSED not in world.events.kinds()


async def test_a_copy_that_is_shown_by_many_at_once_ends_the_session_once(world: World) -> None:
    stolen = await world.member()
    world.clock.advance(minutes=2)
    await world.refresh(stolen)
    world.clock.advance(minutes=2)
    outcomes = await at_once(*(world.refresh(stolen, client=ELSEWHERE) for _ in range(20)))
    assert refusals(outcomes) == [Unauthenticated] * 20
    assert (await happened(world, stolen.user.id)).count("refresh_reused") == 1
    assert (await told(world)).count(Occasion.SESSION_STOLEN) == 1
    assert await shown(world, stolen.user.id) == set()


# -- Reset --


@pytest.mark.parametrize("order", ROUNDS)
async def test_no_sign_in_with_the_old_password_outlives_a_reset_that_it_raced(world: World, order: int) -> None:
    holding = await world.member()
    token = await forget(world)
    world.clock.advance(minutes=1)
    *entering, done = await at_once(
        *(world.sign_in() for _ in range(20)),
        *(world.refresh(holding) for _ in range(5)),
        reset(world, token),
        order=order,
    )
    assert not isinstance(done, BaseException)
    assert set(refusals(entering)) <= {InvalidCredentials, Unauthenticated}
    for signed_in in (holding, *entering):
        if isinstance(signed_in, SignedIn):
            assert not await alive(world, signed_in)
            with pytest.raises(Unauthenticated):
                await world.refresh(signed_in)
    assert await shown(world, holding.user.id) == set()
    assert not await opens(world, PASSWORD)
    assert await opens(world, NEW)
    assert (await told(world)).count(Occasion.PASSWORD_RESET) == 1


@pytest.mark.parametrize("order", ROUNDS)
async def test_of_ten_resets_by_one_link_one_sets_its_password(world: World, order: int) -> None:
    holding = await world.member()
    token = await forget(world)
    passwords = [f"the new password number {number}" for number in range(10)]
    outcomes = await at_once(*(reset(world, token, password) for password in passwords), order=order)
    assert refusals(outcomes) == [TokenInvalid] * 9
    for password, outcome in zip(passwords, outcomes, strict=True):
        assert await opens(world, password) != isinstance(outcome, BaseException)
    assert (await the_account(world, holding.user.id))[1].version == 2
    assert (await told(world)).count(Occasion.PASSWORD_RESET) == 1
    assert (await happened(world, holding.user.id)).count("password_reset") == 1


# -- The password --


@pytest.mark.parametrize("same", [True, False], ids=["one session", "two sessions"])
@pytest.mark.parametrize("order", ROUNDS)
async def test_of_two_who_change_the_password_at_once_one_does_and_the_other_is_out(
    world: World, same: bool, order: int
) -> None:
    holding = await world.member()
    other = holding if same else await world.sign_in()
    callers = [await world.identify(holding), await world.identify(other)]
    outcomes = await at_once(
        change(world, callers[0], NEW),
        change(world, callers[1], OTHERS),
        *(world.sign_in() for _ in range(5)),
        order=order,
    )
    assert refusals(outcomes[:2]) == [Unauthenticated]
    assert set(refusals(outcomes[2:])) <= {InvalidCredentials}
    won = 1 if isinstance(outcomes[0], BaseException) else 0
    assert await shown(world, holding.user.id) == {(holding, other)[won].session.id}
    assert not await opens(world, PASSWORD)
    assert await opens(world, (NEW, OTHERS)[won])
    assert not await opens(world, (NEW, OTHERS)[1 - won])
    assert (await told(world)).count(Occasion.PASSWORD_CHANGED) == 1


@pytest.mark.parametrize("order", range(6))
async def test_of_a_reset_a_change_and_a_deletion_at_once_one_is_true(world: World, order: int) -> None:
    holding = await world.member()
    user_id = holding.user.id
    callers = [await world.identify(await world.sign_in()) for _ in range(2)]
    token = await forget(world)
    outcomes = await at_once(
        reset(world, token, NEW), change(world, callers[0], OTHERS), delete(world, callers[1]), order=order
    )
    assert len(refusals(outcomes)) == 2
    assert set(refusals(outcomes)) <= {TokenInvalid, Unauthenticated}
    [done] = [place for place, outcome in enumerate(outcomes) if not isinstance(outcome, BaseException)]
    about = [Occasion.PASSWORD_RESET, Occasion.PASSWORD_CHANGED, Occasion.ACCOUNT_DELETED]
    assert [occasion for occasion in await told(world) if occasion in about] == [about[done]]
    assert [await opens(world, password) for password in (NEW, OTHERS)] == [done == 0, done == 1]
    assert not await opens(world, PASSWORD)
    assert await shown(world, user_id) == ({callers[0].session.id} if done == 1 else set())
    assert (await account(world, user_id) is None) == (done == 2)
    if done == 2:
        assert await happened(world, user_id) == []
    with pytest.raises(TokenInvalid):
        await reset(world, token, THIRDS)


# -- Farewell --


@pytest.mark.parametrize("order", ROUNDS)
async def test_nobody_is_in_after_a_deletion_that_their_sign_in_raced(world: World, order: int) -> None:
    holding = await world.member()
    caller = await world.identify(holding)
    *entering, done = await at_once(*(world.sign_in() for _ in range(20)), delete(world, caller), order=order)
    assert not isinstance(done, BaseException)
    assert set(refusals(entering)) <= {InvalidCredentials}
    for signed_in in entering:
        if isinstance(signed_in, SignedIn):
            assert not await alive(world, signed_in)
    assert await account(world, caller.user.id) is None
    assert not await opens(world, PASSWORD)
    assert await happened(world, caller.user.id) == [], "nothing is left under their id"
    assert Occasion.ACCOUNT_DELETED in await told(world)


@pytest.mark.parametrize("order", ROUNDS)
async def test_of_ten_who_delete_one_account_at_once_one_does(world: World, order: int) -> None:
    caller = await world.identify(await world.member())
    outcomes = await at_once(*(delete(world, caller) for _ in range(10)), order=order)
    assert refusals(outcomes) == [Unauthenticated] * 9
    assert (await told(world)).count(Occasion.ACCOUNT_DELETED) == 1


# -- The address --


@pytest.mark.parametrize("order", ROUNDS)
async def test_of_ten_who_open_one_link_to_a_new_address_one_moves_the_account(world: World, order: int) -> None:
    holding = await world.member()
    token = await ask_to_move(world, await world.identify(holding))
    outcomes = await at_once(*(confirm(world, token) for _ in range(10)), order=order)
    assert refusals(outcomes) == [TokenInvalid] * 9
    assert (await owner_of(world, ADA), await owner_of(world, MOVED)) == (None, holding.user.id)
    assert (await told(world)).count(Occasion.EMAIL_CHANGED) == 1


@pytest.mark.parametrize("order", ROUNDS)
async def test_an_address_that_several_prove_at_once_becomes_one_persons(world: World, order: int) -> None:
    """Three move to it, and somebody who signed up with it opens their letter."""
    movers = [await world.member(f"mover{number}@example.com") for number in range(3)]
    tokens = [await ask_to_move(world, await world.identify(mover)) for mover in movers]
    sent = await world.sign_up(MOVED, THIRDS)
    proof = await world.token_for(MOVED)
    outcomes = await at_once(
        *(confirm(world, token) for token in tokens), world.verify(proof, cookie=sent.cookie.text), order=order
    )
    assert refusals(outcomes) == [TokenInvalid] * 3
    [won] = [place for place, outcome in enumerate(outcomes) if not isinstance(outcome, BaseException)]
    owner = await owner_of(world, MOVED)
    assert owner is not None
    for place, mover in enumerate(movers):
        user, _ = await the_account(world, mover.user.id)
        assert str(user.email) == (MOVED if place == won else f"mover{place}@example.com")
        assert (owner == mover.user.id) == (place == won)
    assert await opens(world, THIRDS, MOVED) == (won == 3)


@pytest.mark.parametrize("order", ROUNDS)
async def test_a_move_and_a_new_password_at_once_are_both_true_or_the_move_is_void(world: World, order: int) -> None:
    holding = await world.member()
    token = await ask_to_move(world, await world.identify(holding))
    key = await forget(world)
    moved, done = await at_once(confirm(world, token), reset(world, key), order=order)
    user, credential = await the_account(world, holding.user.id)
    if isinstance(moved, BaseException):
        assert (type(moved), str(user.email), credential.version) == (TokenInvalid, ADA, 2)
        assert not isinstance(done, BaseException)
    else:
        assert str(user.email) == MOVED
        assert refusals([done]) in ([], [TokenInvalid]), "the key was for whoever has the address"
        assert credential.version == (1 if isinstance(done, BaseException) else 2)
        assert Occasion.EMAIL_CHANGED in await told(world)


# -- Undoing --


async def an_intrusion(world: World) -> tuple[SignedIn, str, str]:
    """Somebody with a stolen password changes it and asks for another address: their session, the link by which the
    owner undoes it, and the link by which they would have the address."""
    await world.member()
    intruder = await world.sign_in(client=ELSEWHERE)
    await change(world, await world.identify(intruder), OTHERS)
    link = await undo_link(world, Occasion.PASSWORD_CHANGED)
    token = await ask_to_move(world, await world.identify(intruder), password=OTHERS)
    return intruder, link, token


async def the_owner_has_it_back(world: World, intruder: SignedIn) -> None:
    """At their address, with everybody out and no password that opens, and a letter to choose one."""
    user, _ = await the_account(world, intruder.user.id)
    assert (str(user.email), user.email_verified) == (ADA, True)
    assert await owner_of(world, MOVED) is None
    assert not await alive(world, intruder)
    assert await shown(world, user.id) == set()
    for password in (PASSWORD, OTHERS):
        assert not await opens(world, password)
        assert not await opens(world, password, MOVED)
    await reset(world, await world.link_token(RESET), THIRDS)
    assert await opens(world, THIRDS)


@pytest.mark.parametrize("order", range(6))
async def test_an_undoing_and_the_confirmation_that_it_raced_leave_the_account_with_its_owner(
    world: World, order: int
) -> None:
    intruder, link, token = await an_intrusion(world)
    undone, moved = await at_once(undo(world, link), confirm(world, token), order=order)
    assert not isinstance(undone, BaseException)
    assert refusals([moved]) in ([], [TokenInvalid])
    await the_owner_has_it_back(world, intruder)
    with pytest.raises(TokenInvalid):
        await confirm(world, token)
    assert (await happened(world, intruder.user.id)).count("change_undone") == 1


@pytest.mark.parametrize("order", ROUNDS)
async def test_of_ten_who_open_one_link_to_undo_one_does(world: World, order: int) -> None:
    intruder, link, _ = await an_intrusion(world)
    outcomes = await at_once(*(undo(world, link) for _ in range(10)), order=order)
    assert refusals(outcomes) == [TokenInvalid] * 9
    await the_owner_has_it_back(world, intruder)


@pytest.mark.parametrize("order", range(6))
async def test_of_two_links_that_undo_at_once_the_older_one_is_true(world: World, order: int) -> None:
    """The letter about the password came before the one about the address: undoing that undoes this."""
    intruder, older, token = await an_intrusion(world)
    await confirm(world, token)
    newer = await undo_link(world, Occasion.EMAIL_CHANGED)
    undone, again = await at_once(undo(world, older), undo(world, newer), order=order)
    assert not isinstance(undone, BaseException)
    assert refusals([again]) in ([], [TokenInvalid])
    await the_owner_has_it_back(world, intruder)
    for link in (older, newer):
        with pytest.raises(TokenInvalid):
            await undo(world, link)


@pytest.mark.parametrize("order", range(6))
async def test_of_two_links_that_bring_a_deleted_account_back_at_once_the_older_one_is_true(
    world: World, order: int
) -> None:
    """Nobody can hold an account that is not there; it comes back once all the same, and nobody is told otherwise."""
    intruder, older, _ = await an_intrusion(world)
    await delete(world, await world.identify(intruder), OTHERS)
    newer = await undo_link(world, Occasion.ACCOUNT_DELETED)
    undone, again = await at_once(undo(world, older), undo(world, newer), order=order)
    assert not isinstance(undone, BaseException)
    assert refusals([again]) in ([], [TokenInvalid])
    await the_owner_has_it_back(world, intruder)
    record = await happened(world, intruder.user.id)
    assert record.count("change_undone") == 2 - len(refusals([again]))
    for link in (older, newer):
        with pytest.raises(TokenInvalid):
            await undo(world, link)


@pytest.mark.parametrize("order", ROUNDS)
async def test_an_undoing_and_the_deletion_that_it_raced_leave_the_account_with_its_owner(
    world: World, order: int
) -> None:
    intruder, link, _ = await an_intrusion(world)
    caller = await world.identify(intruder)
    undone, gone = await at_once(undo(world, link), delete(world, caller, OTHERS), order=order)
    assert not isinstance(undone, BaseException)
    assert refusals([gone]) in ([], [Unauthenticated])
    await the_owner_has_it_back(world, intruder)


# -- Everything --


@pytest.mark.parametrize("order", range(4))
async def test_whatever_fifty_do_to_one_account_at_once_they_are_told_what_is_true(world: World, order: int) -> None:
    intruder, link, move = await an_intrusion(world)
    user_id = intruder.user.id
    others = [await world.sign_in(password=OTHERS) for _ in range(8)]
    callers = [await world.identify(other) for other in others]
    key = await forget(world)
    world.clock.advance(minutes=2)
    deeds = [
        *(world.sign_in(password=OTHERS) for _ in range(12)),
        *(world.refresh(other) for other in others[:6] for _ in range(2)),
        *(reset(world, key, NEW) for _ in range(3)),
        *(change(world, caller, THIRDS, OTHERS) for caller in callers[:3]),
        *(confirm(world, move) for _ in range(3)),
        *(undo(world, link) for _ in range(2)),
        *(delete(world, caller, OTHERS) for caller in callers[3:5]),
        *(
            world.use_cases.sign_out(SignOutCommand(caller=caller, scope=scope, client=HERE))
            for caller in callers[5:]
            for scope in Scope
        ),
        *(
            world.use_cases.end_session(EndSessionCommand(caller=callers[0], session_id=other.session.id, client=HERE))
            for other in others
        ),
        *(ask_to_move_only(world, caller) for caller in callers[:3]),
    ]
    outcomes = await at_once(*deeds, order=order)
    assert set(refusals(outcomes)) <= {InvalidCredentials, NotFound, TokenInvalid, Unauthenticated}

    found = await account(world, user_id)
    if found is None:
        assert await owner_of(world, ADA) is None
        assert await owner_of(world, MOVED) is None
        assert await happened(world, user_id) == []
    else:
        address = str(found[0].email)
        assert [await owner_of(world, email) == user_id for email in (ADA, MOVED)] == [address == ADA, address == MOVED]
    listed = await shown(world, user_id)
    holders = [*others, intruder, *(outcome for outcome in outcomes if isinstance(outcome, SignedIn))]
    for holder in holders:
        assert await alive(world, holder) == (holder.session.id in listed)
    # Once more and one after the other: nothing of it can be had twice.
    for again in (reset(world, key, NEW), confirm(world, move)):
        with pytest.raises(TokenInvalid):
            await again
    kinds = await happened(world, user_id)
    assert kinds.count("password_reset") <= 1
    assert kinds.count("change_undone") <= 1


async def ask_to_move_only(world: World, caller: Caller) -> None:
    command = ChangeEmailCommand(caller=caller, email="elsewhere@example.com", password=OTHERS, client=HERE)
    await world.use_cases.change_email(command)
