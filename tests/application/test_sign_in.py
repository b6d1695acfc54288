"""Sign-in (R34, R50, R60; DESIGN sections 2 and 4, SECURITY 1.3, 2.1): docs/sign-in.md."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.hashing.argon2 import Argon2Parameters
from adapters.hashing.slots import HashingSlots
from application.admission import SessionWish, SignedIn
from application.use_cases.identify import IdentifyCommand
from application.use_cases.sign_in import SignInCommand
from domain.client import Client
from domain.email_address import EmailAddress
from domain.errors import InvalidCredentials, Overloaded, RateLimited, Unavailable
from domain.events import EventKind
from domain.session import Transport
from domain.user import Credential, User
from tests.support.hashing import quick_keyring
from tests.support.refusals import limit_of, refused, violations_of
from tests.support.variations import BusyHasher, WatchedHasher, changed, client, disabled_user, failing_at_commit
from tests.support.world import ADA, ELSEWHERE, HERE, PASSWORD, World, make_world

BOB = "bob@example.com"
Change = Callable[[World], World]
WRONG = "not the password at all"


async def sign_in_by_username(world: World, username: str, password: str = PASSWORD) -> SignedIn:
    wish = SessionWish(client=HERE)
    return await world.use_cases.sign_in(SignInCommand(username=username, password=password, session=wish))


async def test_address_and_password_start_a_session(any_world: World) -> None:
    user = (await any_world.member()).user
    signed_in = await any_world.sign_in(" ADA@Example.com", client=ELSEWHERE)
    assert signed_in.user == user
    assert (signed_in.session.user_agent, signed_in.session.masked_address) == ("Chrome", "198.51.100.0/24")
    assert signed_in.expires_in == 15 * 60
    caller = await any_world.use_cases.identify(IdentifyCommand(session_cookie=signed_in.session_token.text))
    assert caller.user == user
    recorded = any_world.events.recorded[-1]
    assert (recorded.kind, recorded.user_id, recorded.client) == (EventKind.SIGNED_IN, user.id, ELSEWHERE)


async def test_every_sign_in_has_a_session_and_a_token_of_its_own(world: World) -> None:
    await world.member()
    both = [await world.sign_in(), await world.sign_in()]
    assert len({signed_in.session.id for signed_in in both}) == 2
    assert len({signed_in.session_token.text for signed_in in both}) == 2
    assert len({signed_in.access_token for signed_in in both}) == 2


async def test_the_tokens_do_not_show_themselves(world: World) -> None:
    await world.member()
    signed_in = await world.sign_in()
    shown = repr(signed_in) + repr(SignInCommand(email=ADA, password=PASSWORD, session=SessionWish(client=HERE)))
    assert not any(
        secret in shown for secret in (signed_in.session_token.text, signed_in.access_token, PASSWORD, "argon2")
    )


async def test_a_username_does_as_well_in_any_case(tmp_path: Path) -> None:
    async with make_world("sqlite", tmp_path, {"OSTIARY_USERNAME": "required"}) as world:
        sent = await world.sign_up(username="countess")
        user = (await world.verify(await world.token_for(), cookie=sent.cookie.text)).user
        assert (await sign_in_by_username(world, " Countess ")).user == user
        assert (await world.sign_in()).user == user
        assert await refused(sign_in_by_username(world, "countess", WRONG)) is InvalidCredentials
        assert await refused(sign_in_by_username(world, "nobody-here")) is InvalidCredentials


async def test_what_cannot_be_an_identifier_is_told_and_costs_nothing(world: World) -> None:
    wish = SessionWish(client=HERE)
    both = SignInCommand(email=ADA, username="countess", password=PASSWORD, session=wish)
    neither = SignInCommand(password=None, session=wish)
    for _ in range(10):
        assert await violations_of(world.use_cases.sign_in(both)) == [("username", "ambiguous")]
        assert await violations_of(world.use_cases.sign_in(neither)) == [
            ("email", "required"),
            ("password", "required"),
        ]
        assert await violations_of(world.sign_in("nonsense")) == [("email", "invalid_email")]
    await world.member()
    await world.sign_in()


# The password


async def test_composed_and_decomposed_spellings_of_a_password_both_sign_in(any_world: World) -> None:
    await any_world.member(password="différence engine")
    await any_world.sign_in(password="diffe\u0301rence engine")
    await any_world.sign_in(password="différence engine")


@pytest.mark.parametrize(
    "twin",
    [
        PASSWORD + " ",
        " " + PASSWORD,
        PASSWORD.title(),
        PASSWORD[:-1],
        PASSWORD + "\x00",
        PASSWORD.replace("e", "е"),  # Cyrillic
        PASSWORD.replace("ff", "ﬀ"),  # a ligature, the same only under NFKC
    ],
)
async def test_a_password_is_compared_whole_and_exactly(twin: str, world: World) -> None:
    await world.member()
    assert await refused(world.sign_in(password=twin)) is InvalidCredentials


async def test_a_trailing_space_that_belongs_to_the_password_is_needed(world: World) -> None:
    await world.member(password=PASSWORD + " ")
    assert await refused(world.sign_in(password=PASSWORD)) is InvalidCredentials
    await world.sign_in(password=PASSWORD + " ")


async def test_all_128_characters_of_a_long_password_count(world: World) -> None:
    long = "a long way to the analytical engine " * 4
    await world.member(password=long[:128])
    assert await refused(world.sign_in(password=long[:127])) is InvalidCredentials
    assert await refused(world.sign_in(password=long[:127] + "x")) is InvalidCredentials
    await world.sign_in(password=long[:128])


async def test_todays_rules_for_new_passwords_are_no_question_at_sign_in(tmp_path: Path) -> None:
    async with make_world("sqlite", tmp_path, {"OSTIARY_PASSWORD_MIN_LENGTH": "8"}) as world:
        await world.member(password="sprocket-")
    async with make_world("sqlite", tmp_path, {"OSTIARY_PASSWORD_MIN_LENGTH": "15"}) as world:
        await world.sign_in(password="sprocket-")
        assert await refused(world.sign_in(password="x")) is InvalidCredentials


# One answer that tells nothing (R50)


async def everyone(world: World) -> dict[str, tuple[str, str]]:
    """Addresses in every state there is, each with a password to try."""
    await world.member(ADA)
    await world.sign_up(BOB)
    await disabled_user(world, "carol@example.com", PASSWORD)
    return {
        "unknown": ("nobody@example.com", PASSWORD),
        "wrong": (ADA, WRONG),
        "unverified": (BOB, PASSWORD),
        "unverified and wrong": (BOB, WRONG),
        "disabled": ("carol@example.com", PASSWORD),
        "disabled and wrong": ("carol@example.com", WRONG),
    }


async def test_unknown_wrong_unverified_and_disabled_are_one_answer_after_the_same_work(any_world: World) -> None:
    attempts = await everyone(any_world)
    answers = {}
    for who, (address, password) in attempts.items():
        hasher = WatchedHasher(any_world.use_cases.sign_in.hasher)
        watched = changed(any_world, sign_in=replace(any_world.use_cases.sign_in, hasher=hasher))
        before = len(any_world.events.recorded)
        with pytest.raises(InvalidCredentials) as caught:
            await watched.sign_in(address, password)
        answers[who] = (repr(caught.value), str(caught.value), vars(caught.value), hasher.work)
        assert any_world.events.kinds()[before:] == [EventKind.SIGN_IN_FAILED]
        assert any_world.events.recorded[-1].user_id is None
    assert len({repr(answer) for answer in answers.values()}) == 1
    assert answers["unknown"][-1] == ["verify"]


async def test_after_five_failures_the_sixth_waits_whoever_has_the_address(any_world: World) -> None:
    attempts = await everyone(any_world)
    seen = set()
    for number, (address, password) in enumerate(attempts.values()):
        outcomes = [await refused(any_world.sign_in(address, password, client=client(number))) for _ in range(5)]
        limited = await limit_of(any_world.sign_in(address, password, client=client(number)))
        seen.add((tuple(outcomes), limited.limit, limited.retry_after, limited.policy))
    assert seen == {((InvalidCredentials,) * 5, "sign_in_pair", timedelta(minutes=15), None)}


async def test_somebody_who_was_shut_out_or_changed_password_while_signing_in_is_refused(any_world: World) -> None:
    """What was read before the hash was verified is no longer true when the session is stored."""
    await disabled_user(any_world, BOB, PASSWORD)
    await any_world.member(ADA)
    sign_in = any_world.use_cases.sign_in

    def not_yet_disabled(user: User, credential: Credential) -> tuple[User, Credential]:
        return replace(user, disabled_at=None), credential

    def of_an_older_version(user: User, credential: Credential) -> tuple[User, Credential]:
        return user, replace(credential, version=credential.version - 1)

    earlier = changed(any_world, sign_in=replace(sign_in, reading=_as_it_was(sign_in.reading, not_yet_disabled)))
    assert await refused(earlier.sign_in(BOB)) is InvalidCredentials
    earlier = changed(any_world, sign_in=replace(sign_in, reading=_as_it_was(sign_in.reading, of_an_older_version)))
    assert await refused(earlier.sign_in(ADA)) is InvalidCredentials


# Limits (R60)


async def test_the_sixth_try_waits_even_with_the_right_password_but_only_from_there(any_world: World) -> None:
    await any_world.member()
    for _ in range(5):
        assert await refused(any_world.sign_in(password=WRONG)) is InvalidCredentials
    assert (await limit_of(any_world.sign_in())).limit == "sign_in_pair"
    assert any_world.events.recorded[-1].kind is EventKind.RATE_LIMITED
    await any_world.sign_in(client=ELSEWHERE)
    assert await refused(any_world.sign_in(BOB)) is InvalidCredentials, "other addresses are not concerned"


async def test_a_failure_is_forgotten_15_minutes_after_it_happened_and_no_other_with_it(any_world: World) -> None:
    for _ in range(5):
        await refused(any_world.sign_in(password=WRONG))
        any_world.clock.advance(minutes=2)
    any_world.clock.advance(minutes=5, microseconds=-1)
    await limit_of(any_world.sign_in(password=WRONG))
    any_world.clock.advance(microseconds=1)
    assert await refused(any_world.sign_in(password=WRONG)) is InvalidCredentials
    await limit_of(any_world.sign_in(password=WRONG))


async def test_success_gives_back_its_own_unit_and_no_other(any_world: World) -> None:
    await any_world.member()
    for _ in range(4):
        await refused(any_world.sign_in(password=WRONG))
    for _ in range(10):
        await any_world.sign_in()
    await refused(any_world.sign_in(password=WRONG))
    assert (await limit_of(any_world.sign_in())).limit == "sign_in_pair"


async def test_an_address_stands_20_failures_from_everywhere(any_world: World) -> None:
    await any_world.member()
    for number in range(20):
        assert await refused(any_world.sign_in(password=WRONG, client=client(number))) is InvalidCredentials
    limited = await limit_of(any_world.sign_in(client=client(30)))
    assert (limited.limit, limited.retry_after, limited.policy) == ("sign_in_address", timedelta(minutes=15), None)
    any_world.clock.advance(minutes=15)
    await any_world.sign_in()


async def test_a_client_has_100_failures_over_all_addresses(any_world: World) -> None:
    for number in range(100):
        attempt = any_world.sign_in(f"person{number}@example.com", client=Client(f"2001:db8::{number + 1:x}"))
        assert await refused(attempt) is InvalidCredentials
    limited = await limit_of(any_world.sign_in(client=Client("2001:db8::ffff")))
    assert (limited.limit, limited.policy) == ("sign_in_client", (100, timedelta(minutes=15)))
    any_world.clock.advance(minutes=10)
    limited = await limit_of(any_world.sign_in(client=Client("2001:db8::ffff")))
    assert limited.retry_after == timedelta(minutes=5), "what the caller did itself may be told"
    assert await refused(any_world.sign_in(client=Client("2001:db8:0:1::1"))) is InvalidCredentials


async def test_a_refused_try_costs_the_other_limits_nothing(any_world: World) -> None:
    await any_world.member()
    for _ in range(5):
        await refused(any_world.sign_in(password=WRONG))
    for _ in range(40):
        assert await refused(any_world.sign_in(password=WRONG)) is RateLimited
    await any_world.sign_in(client=ELSEWHERE)


@pytest.mark.every_store
async def test_of_parallel_guesses_exactly_five_are_judged(any_world: World) -> None:
    await any_world.member()
    guesses = (any_world.sign_in(password=f"guess number {number}") for number in range(20))
    outcomes = [type(outcome) for outcome in await asyncio.gather(*guesses, return_exceptions=True)]
    assert (outcomes.count(InvalidCredentials), outcomes.count(RateLimited)) == (5, 15)


async def test_addresses_and_usernames_are_counted_as_given_and_never_resolved(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, {"OSTIARY_USERNAME": "required"}) as world:
        sent = await world.sign_up(username="countess")
        await world.verify(await world.token_for(), cookie=sent.cookie.text)
        for _ in range(5):
            await refused(world.sign_in(password=WRONG))
        await sign_in_by_username(world, "countess")


async def test_a_busy_or_broken_service_costs_no_try(any_world: World) -> None:
    await any_world.member()
    sign_in = any_world.use_cases.sign_in
    busy = changed(any_world, sign_in=replace(sign_in, hasher=BusyHasher()))
    broken = changed(any_world, sign_in=replace(sign_in, signing_in=failing_at_commit(sign_in.signing_in)))
    for _ in range(10):
        assert await refused(busy.sign_in()) is Overloaded
        assert await refused(busy.sign_in(BOB)) is Overloaded
        assert await refused(broken.sign_in()) is Unavailable
    await any_world.sign_in()


# Rehashing (R34)


@pytest.fixture
def with_more_passes() -> Iterator[Change]:
    """The same world under other parameters for new hashes."""
    with closing(HashingSlots(1)) as slots:
        hasher = quick_keyring(slots, Argon2Parameters(memory_kib=8, time=2))
        yield lambda world: changed(world, sign_in=replace(world.use_cases.sign_in, hasher=hasher))


async def test_a_hash_of_older_parameters_is_renewed_at_sign_in_and_nothing_else_changes(
    tmp_path: Path, with_more_passes: Callable[[World], World]
) -> None:
    async with make_world("sqlite", tmp_path) as world:
        session = (await world.member()).session_token.text
    async with make_world("sqlite", tmp_path) as world:
        await with_more_passes(world).sign_in()
        kinds = world.events.kinds()
        assert kinds == [EventKind.PASSWORD_REHASHED, EventKind.SIGNED_IN]
        await with_more_passes(world).sign_in()
        assert world.events.kinds()[2:] == [EventKind.SIGNED_IN], "once is enough"
        assert await refused(world.sign_in(password=WRONG)) is InvalidCredentials
        await world.use_cases.identify(IdentifyCommand(session_cookie=session))


async def test_a_wrong_password_renews_nothing(tmp_path: Path, with_more_passes: Change) -> None:
    async with make_world("sqlite", tmp_path) as world:
        await world.member()
        assert await refused(with_more_passes(world).sign_in(password=WRONG)) is InvalidCredentials
        assert EventKind.PASSWORD_REHASHED not in world.events.kinds()


@pytest.mark.every_store
async def test_of_parallel_sign_ins_one_renews_the_hash_and_all_succeed(
    any_world: World, with_more_passes: Callable[[World], World]
) -> None:
    await any_world.member()
    renewing = with_more_passes(any_world)
    outcomes = await asyncio.gather(*(renewing.sign_in() for _ in range(4)))
    assert len(outcomes) == 4
    assert any_world.events.kinds().count(EventKind.PASSWORD_REHASHED) == 1


# How the session is carried


@pytest.mark.parametrize(("remember", "lifetime"), [(True, timedelta(days=14)), (False, timedelta(hours=24))])
async def test_a_session_lasts_as_its_owner_wishes(remember: bool, lifetime: timedelta, any_world: World) -> None:
    await any_world.member()
    session = (await any_world.sign_in(remember=remember)).session
    assert session.remember is remember
    assert session.idle_expires_at == any_world.clock.now() + lifetime


async def test_a_native_client_may_have_its_session_as_a_token(world: World) -> None:
    await world.member()
    signed_in = await world.sign_in(transport=Transport.TOKEN)
    assert signed_in.session.transport is Transport.TOKEN


async def test_signing_in_on_a_known_device_sends_no_letter_and_touches_no_other_session(any_world: World) -> None:
    first = await any_world.member()
    await any_world.sign_in(client=ELSEWHERE, marks=first.device_marks)
    await any_world.deliver()
    assert len(any_world.mailbox.letters) == 1, "the letter from sign-up"
    await any_world.use_cases.identify(IdentifyCommand(session_cookie=first.session_token.text))


def _as_it_was(
    reading: Callable[[], AbstractAsyncContextManager[Any]],
    earlier: Callable[[User, Credential], tuple[User, Credential]],
) -> Callable[[], Any]:
    """A reading that was made a moment too early."""

    class Logins:
        def __init__(self, logins: Any) -> None:
            self._logins = logins

        async def by_email(self, email: EmailAddress) -> tuple[User, Credential] | None:
            found = await self._logins.by_email(email)
            return earlier(*found) if found else None

    class Reading:
        def __init__(self, unit: Any) -> None:
            self.logins = Logins(unit.logins)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Reading]:
        async with reading() as unit:
            yield Reading(unit)

    return opened
