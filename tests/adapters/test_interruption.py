"""The promise of `application.ports.units_of_work` under fire: whatever step fails, nothing is half done.

Each test interrupts a whole use case at its first statement, then at its second, and so on until it is no longer
reached. After every interruption the database is looked at from outside, and the person simply tries again.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from application.admission import SignedIn
from application.recognition import Caller
from application.use_cases.identify import IdentifyCommand
from application.use_cases.sessions import Scope, SignOutCommand
from domain.errors import AlreadyVerified, Conflict, InvalidCredentials, TokenInvalid, Unauthenticated, Unavailable
from domain.letters import LEASE
from domain.session import PRESENCE_INTERVAL
from tests.support.fault_world import FAULTY, FaultyWorld, Mishap, make_faulty_world
from tests.support.mail import token_in
from tests.support.refusals import refused
from tests.support.world import HERE, OTHER_PASSWORD, PASSWORD

each_mishap = pytest.mark.parametrize("mishap", Mishap, ids=lambda mishap: mishap.name.lower())


@pytest.fixture(params=sorted(FAULTY))
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FaultyWorld]:
    async with make_faulty_world(request.param, tmp_path) as made:
        yield made


async def interrupted_at_every_step(
    world: FaultyWorld,
    mishap: Mishap,
    prepare: Callable[[str], Awaitable[Callable[[], Awaitable[object]]]],
    afterwards: Callable[[str], Awaitable[None]],
) -> int:
    """Prepare somebody, interrupt what they do at step 1, 2, 3 …, and look; returns at how many steps it was."""
    for step in range(1, 60):
        email = f"person{step}@example.com"
        act = await prepare(email)
        with world.saboteur.armed(step, mishap):
            try:
                await act()
            except Unavailable:
                assert world.saboteur.struck
        struck = world.saboteur.struck
        await afterwards(email)
        if not struck:
            return step - 1
    raise AssertionError("there is no end to it")


def nothing_is_half_written(world: FaultyWorld, email: str) -> None:
    """The invariants that bind rows to each other, for one address."""
    users = world.count("SELECT count(*) FROM users WHERE email = ?", email)
    with_account = world.count("SELECT count(*) FROM users JOIN accounts ON user_id = users.id WHERE email = ?", email)
    proven = world.count("SELECT count(*) FROM sign_ups WHERE email = ? AND proven_at IS NOT NULL", email)
    wiped = world.count("SELECT count(*) FROM sign_ups WHERE email = ? AND password_hash IS NULL", email)
    spent = world.count(
        "SELECT count(*) FROM one_time_tokens JOIN sign_ups ON sign_ups.id = subject_id "
        "WHERE sign_ups.email = ? AND used_at IS NOT NULL",
        email,
    )
    assert users == with_account == proven == wiped == spent, "user, account, proof and spent token come together"
    unheard = "SELECT count(*) FROM sign_ups WHERE email = ? AND id NOT IN (SELECT subject_id FROM letters)"
    assert world.count(unheard, email) == 0, "no sign-up without its letter"
    if not users:
        orphaned = "SELECT count(*) FROM letters WHERE recipient = ? AND subject_id NOT IN (SELECT id FROM sign_ups)"
        assert world.count(orphaned, email) == 0, "no letter without its sign-up"
    strangers = "SELECT count(*) FROM sessions WHERE user_id NOT IN (SELECT user_id FROM accounts)"
    assert world.count(strangers) == 0, "no session without an account"


async def alive(world: FaultyWorld, cookie: str) -> Caller | None:
    try:
        return await world.use_cases.identify(IdentifyCommand(session_cookie=cookie))
    except Unauthenticated:
        return None


@each_mishap
async def test_an_interrupted_sign_up_wrote_all_or_nothing_and_is_simply_repeated(
    world: FaultyWorld, mishap: Mishap
) -> None:
    async def prepare(email: str) -> Callable[[], Awaitable[object]]:
        return lambda: world.sign_up(email)

    async def afterwards(email: str) -> None:
        nothing_is_half_written(world, email)
        await world.deliver()
        sent = await world.sign_up(email)
        nothing_is_half_written(world, email)
        signed_in = await world.verify(await world.token_for(email), cookie=sent.cookie.text)
        assert signed_in.user.email.canonical == email
        nothing_is_half_written(world, email)
        assert (await world.sign_in(email)).user == signed_in.user

    assert await interrupted_at_every_step(world, mishap, prepare, afterwards) >= 2


@each_mishap
async def test_an_interrupted_verification_made_a_whole_user_or_none_and_the_person_gets_in(
    world: FaultyWorld, mishap: Mishap
) -> None:
    facts: dict[str, tuple[str, str]] = {}

    async def prepare(email: str) -> Callable[[], Awaitable[object]]:
        await world.sign_up(email, OTHER_PASSWORD, name="A rival")
        await world.deliver()
        sent = await world.sign_up(email)
        token = await world.token_for(email)
        facts[email] = token, sent.cookie.text
        return lambda: world.verify(token, cookie=sent.cookie.text)

    async def afterwards(email: str) -> None:
        nothing_is_half_written(world, email)
        token, cookie = facts[email]
        try:
            await world.verify(token, cookie=cookie)
        except AlreadyVerified:
            assert world.count("SELECT count(*) FROM users WHERE email = ?", email) == 1
        nothing_is_half_written(world, email)
        assert world.count("SELECT count(*) FROM sign_ups WHERE email = ?", email) == 1, "the rival is forgotten"
        signed_in = await world.sign_in(email)
        assert await alive(world, signed_in.session_token.text)

    assert await interrupted_at_every_step(world, mishap, prepare, afterwards) >= 3


@pytest.fixture(params=sorted(FAULTY))
async def open_world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FaultyWorld]:
    variables = {"OSTIARY_VERIFICATION": "optional", "OSTIARY_USERNAME": "optional"}
    async with make_faulty_world(request.param, tmp_path, variables) as made:
        yield made


@each_mishap
async def test_an_interrupted_open_sign_up_made_a_whole_user_or_none_and_the_person_gets_in(
    open_world: FaultyWorld, mishap: Mishap
) -> None:
    def name(email: str) -> str:
        return email.partition("@")[0]

    async def prepare(email: str) -> Callable[[], Awaitable[object]]:
        return lambda: open_world.join(email, username=name(email))

    async def afterwards(email: str) -> None:
        whole = [
            open_world.count("SELECT count(*) FROM users WHERE email = ?", email),
            open_world.count("SELECT count(*) FROM users JOIN accounts ON user_id = users.id WHERE email = ?", email),
            open_world.count("SELECT count(*) FROM users JOIN sessions ON user_id = users.id WHERE email = ?", email),
            open_world.count("SELECT count(*) FROM users JOIN letters ON subject_id = users.id WHERE email = ?", email),
            open_world.count("SELECT count(*) FROM letters WHERE recipient = ?", email),
            open_world.count(
                "SELECT count(*) FROM username_claims WHERE username = ? AND expires_at IS NULL", name(email)
            ),
        ]
        assert whole in ([0] * 6, [1] * 6), "user, credential, session, letter and claim come together"
        try:
            await open_world.join(email, username=name(email))
        except Conflict:
            assert whole == [1] * 6
        signed_in = await open_world.sign_in(email)
        assert await alive(open_world, signed_in.session_token.text)

    assert await interrupted_at_every_step(open_world, mishap, prepare, afterwards) >= 2


@each_mishap
async def test_an_interrupted_take_over_was_whole_or_none_and_the_owner_gets_in(
    open_world: FaultyWorld, mishap: Mishap
) -> None:
    tokens: dict[str, str] = {}

    async def prepare(email: str) -> Callable[[], Awaitable[object]]:
        await open_world.join(email, OTHER_PASSWORD, name="Mallory")
        tokens[email] = await open_world.token_for(email)
        return lambda: open_world.verify(tokens[email], new_password=PASSWORD, name="Ada")

    async def afterwards(email: str) -> None:
        state = (
            "SELECT count(*) FROM users JOIN accounts ON accounts.user_id = users.id "
            "JOIN one_time_tokens ON subject_id = users.id "
            "WHERE users.email = ? AND email_verified = ? AND accounts.credential_version = ? AND name = ? "
            "AND (used_at IS NULL) = ?"
        )
        untouched = open_world.count(state, email, False, 1, "Mallory", True)
        assert untouched + open_world.count(state, email, True, 2, "Ada", False) == 1, "all of it or nothing"
        try:
            await open_world.verify(tokens[email], new_password=PASSWORD)
        except AlreadyVerified:
            assert not untouched
        with pytest.raises(InvalidCredentials):
            await open_world.sign_in(email, OTHER_PASSWORD)
        signed_in = await open_world.sign_in(email)
        assert await alive(open_world, signed_in.session_token.text)

    assert await interrupted_at_every_step(open_world, mishap, prepare, afterwards) >= 3


@each_mishap
async def test_an_interrupted_sign_in_leaves_a_whole_session_or_none_and_is_simply_repeated(
    world: FaultyWorld, mishap: Mishap
) -> None:
    async def prepare(email: str) -> Callable[[], Awaitable[object]]:
        await world.member(email)
        return lambda: world.sign_in(email)

    async def afterwards(email: str) -> None:
        nothing_is_half_written(world, email)
        signed_in = await world.sign_in(email)
        assert await alive(world, signed_in.session_token.text)

    assert await interrupted_at_every_step(world, mishap, prepare, afterwards) >= 2


@each_mishap
async def test_an_interrupted_refresh_moved_the_session_on_or_did_not_and_is_simply_repeated(
    world: FaultyWorld, mishap: Mishap
) -> None:
    holdings: dict[str, SignedIn] = {}

    async def prepare(email: str) -> Callable[[], Awaitable[object]]:
        holdings[email] = holding = await world.member(email)
        world.clock.advance(minutes=2)
        return lambda: world.refresh(holding)

    async def afterwards(email: str) -> None:
        refreshed = await world.refresh(holdings[email])
        assert refreshed.session.counter == 1, "once, however often it is asked"
        assert await alive(world, refreshed.session_token.text)

    assert await interrupted_at_every_step(world, mishap, prepare, afterwards) >= 1


@each_mishap
async def test_an_interrupted_replay_ended_the_session_or_did_not_and_ends_it_when_repeated(
    world: FaultyWorld, mishap: Mishap
) -> None:
    holdings: dict[str, tuple[SignedIn, SignedIn]] = {}

    async def prepare(email: str) -> Callable[[], Awaitable[object]]:
        stolen = await world.member(email)
        world.clock.advance(minutes=2)
        holdings[email] = stolen, await world.refresh(stolen)
        world.clock.advance(minutes=2)

        async def replay() -> None:
            with suppress(Unauthenticated):
                await world.refresh(stolen)

        return replay

    async def afterwards(email: str) -> None:
        stolen, current = holdings[email]
        with pytest.raises(Unauthenticated):
            await world.refresh(stolen)
        assert await alive(world, current.session_token.text) is None

    assert await interrupted_at_every_step(world, mishap, prepare, afterwards) >= 1


@each_mishap
@pytest.mark.parametrize("scope", Scope)
async def test_an_interrupted_sign_out_ended_the_sessions_or_did_not_and_is_simply_repeated(
    world: FaultyWorld, mishap: Mishap, scope: Scope
) -> None:
    commands: dict[str, tuple[SignOutCommand, list[str]]] = {}

    async def prepare(email: str) -> Callable[[], Awaitable[object]]:
        signed_in = await world.member(email)
        others = [(await world.sign_in(email)).session_token.text for _ in range(2)]
        caller = Caller(user=signed_in.user, session=signed_in.session)
        command = SignOutCommand(caller=caller, scope=scope, client=HERE)
        commands[email] = command, [signed_in.session_token.text, *others]
        return lambda: world.use_cases.sign_out(command)

    async def afterwards(email: str) -> None:
        command, cookies = commands[email]
        ended = {
            Scope.THIS: [True, False, False],
            Scope.OTHERS: [False, True, True],
            Scope.ALL: [True, True, True],
        }[scope]
        seen = [await alive(world, cookie) is None for cookie in cookies]
        assert seen in (ended, [False] * 3), "all that were meant, or none"
        if scope is Scope.ALL and seen == ended:
            # Nobody is signed in any more who could ask for it.
            assert await refused(world.use_cases.sign_out(command)) is Unauthenticated
        else:
            await world.use_cases.sign_out(command)
        assert [await alive(world, cookie) is None for cookie in cookies] == ended

    assert await interrupted_at_every_step(world, mishap, prepare, afterwards) >= 1


@each_mishap
async def test_an_interrupted_recognition_signs_nobody_out_and_is_simply_repeated(
    world: FaultyWorld, mishap: Mishap
) -> None:
    cookies: dict[str, str] = {}

    async def prepare(email: str) -> Callable[[], Awaitable[object]]:
        cookies[email] = (await world.member(email)).session_token.text
        world.clock.advance(seconds=PRESENCE_INTERVAL.total_seconds())  # so that presence is to be noted as well
        return lambda: alive(world, cookies[email])

    async def afterwards(email: str) -> None:
        assert await alive(world, cookies[email])

    assert await interrupted_at_every_step(world, mishap, prepare, afterwards) >= 1


@each_mishap
async def test_an_interrupted_delivery_loses_no_letter_and_every_link_that_was_mailed_works(
    world: FaultyWorld, mishap: Mishap
) -> None:
    cookies: dict[str, str] = {}

    async def prepare(email: str) -> Callable[[], Awaitable[object]]:
        cookies[email] = (await world.sign_up(email)).cookie.text
        world.clock.advance(seconds=2)
        return world.use_cases.deliver_mail

    async def afterwards(email: str) -> None:
        nothing_is_half_written(world, email)
        already = world.mailbox.to(email)
        world.clock.advance(seconds=LEASE.total_seconds())
        await world.deliver()
        letters = world.mailbox.to(email)
        assert 1 <= len(letters) <= 2, "no letter is lost, and an interruption doubles it at most"
        assert len({letter.message_id for letter in letters}) == 1, "a second copy is recognisable as one"
        world.clock.advance(seconds=LEASE.total_seconds())
        await world.deliver()
        assert len(world.mailbox.to(email)) == len(letters), "what is sent is not sent again"
        oldest = (already or letters)[0]
        assert (await world.verify(token_in(oldest), cookie=cookies[email])).user.email.canonical == email
        assert (await world.sign_in(email)).user.email.canonical == email

    assert await interrupted_at_every_step(world, mishap, prepare, afterwards) >= 3


@each_mishap
async def test_an_interrupted_delivery_of_several_letters_delays_none_beyond_the_lease(
    world: FaultyWorld, mishap: Mishap
) -> None:
    people = [f"{name}@example.com" for name in ("ada", "grace", "joan")]

    async def prepare(email: str) -> Callable[[], Awaitable[object]]:
        world.clock.advance(minutes=5)  # the limits are counted here too
        for person in people:
            await world.sign_up(f"{email.partition('@')[0]}-{person}")
        world.clock.advance(seconds=2)
        return world.use_cases.deliver_mail

    async def afterwards(email: str) -> None:
        world.clock.advance(seconds=LEASE.total_seconds())
        await world.deliver()
        for person in people:
            assert world.mailbox.to(f"{email.partition('@')[0]}-{person}")

    assert await interrupted_at_every_step(world, mishap, prepare, afterwards) >= 5


async def test_a_verification_refused_at_its_last_step_has_spent_nothing(world: FaultyWorld) -> None:
    """Its username claim has lapsed meanwhile, which is found out after token and sign-up were touched."""
    email = "ada@example.com"
    sent = await world.sign_up(email)
    world.execute("UPDATE sign_ups SET username = 'lapsed' WHERE email = ?", email)
    token = await world.token_for(email)
    with pytest.raises(TokenInvalid):
        await world.verify(token, cookie=sent.cookie.text)
    nothing_is_half_written(world, email)
    signed_in = await world.verify(token, new_password=OTHER_PASSWORD)
    assert (await world.sign_in(email, OTHER_PASSWORD)).user == signed_in.user


async def test_of_two_sign_ups_of_one_address_proven_at_once_the_loser_is_rolled_back(world: FaultyWorld) -> None:
    email = "ada@example.com"
    first = await world.sign_up(email)
    token = await world.token_for(email)
    rival = await world.sign_up(email, OTHER_PASSWORD)
    rival_token = await world.token_for(email)
    outcomes = await asyncio.gather(
        world.verify(token, cookie=first.cookie.text),
        world.verify(rival_token, cookie=rival.cookie.text),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["SignedIn", "TokenInvalid"]
    nothing_is_half_written(world, email)
    assert world.count("SELECT count(*) FROM users") == 1
