"""The policy is one, whichever way somebody chooses a password (A 6.3.4, R07–R09): docs/passwords.md."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from application.ports.hashing import BreachCheckFailed
from application.use_cases.user_creation import CreateUserCommand
from domain.events import EventKind
from domain.password import Password
from tests.support.account_steps import change_password, reset, reset_token
from tests.support.refusals import violations_of
from tests.support.world import ADA, PASSWORD, World, make_world

BREACHED = "a password that leaked"


@dataclass
class Breaches:
    """`application.ports.hashing.BreachCheck` that knows what it is told."""

    known: set[str] = field(default_factory=set)
    reason: str | None = None
    """Why nothing can be said, if so."""
    asked: list[str] = field(default_factory=list)
    meanwhile: Callable[[], Awaitable[object]] | None = None
    """What somebody else does while the answer about `BREACHED` is on its way."""

    async def contains(self, password: Password) -> bool:
        self.asked.append(password.text)
        if self.meanwhile is not None and password.text == BREACHED:
            await self.meanwhile()
        if self.reason is not None:
            raise BreachCheckFailed(self.reason)
        return password.text in self.known


@dataclass
class Loudness:
    """`application.ports.hashing.StrengthEstimator` that finds shouting easy to guess, and everything else hard."""

    own_words: list[str] = field(default_factory=list)

    def score(self, password: str, own_words: Sequence[str]) -> int:
        self.own_words = list(own_words)
        return 1 if password.isupper() else 2


class Shouted:
    """`application.ports.hashing.CommonPasswords`: whatever is shouted."""

    def contains(self, password: str) -> bool:
        return password.isupper()


Chooses = Callable[[World, str], Awaitable[object]]


async def sign_up(world: World, password: str) -> object:
    return await world.ask_to_join(ADA, password, name="Ada")


async def verify_sign_up(world: World, password: str) -> object:
    await world.sign_up()
    return await world.verify(await world.token_for(), new_password=password)


async def take_over(world: World, password: str) -> object:
    await world.join()
    return await world.verify(await world.token_for(), new_password=password)


async def reset_it(world: World, password: str) -> object:
    await world.member()
    return await reset(world, await reset_token(world), password)


async def change_it(world: World, password: str) -> object:
    return await change_password(world, await world.member(), password=password)


async def create_user(world: World, password: str) -> object:
    return await world.use_cases.create_user(CreateUserCommand(email=ADA, password=password))


OPTIONAL = {"OSTIARY_VERIFICATION": "optional"}
DOORS: dict[str, tuple[Chooses, dict[str, str]]] = {
    "opaque sign-up": (sign_up, {}),
    "friendly sign-up": (sign_up, {"OSTIARY_DISCLOSURE": "friendly"}),
    "sign-up at once": (sign_up, OPTIONAL),
    "verification of a sign-up": (verify_sign_up, {}),
    "verification of a user": (take_over, OPTIONAL),
    "reset": (reset_it, {}),
    "change": (change_it, {}),
    "command line": (create_user, {}),
}
every_door = pytest.mark.parametrize("door", DOORS)

CHECKED = {"OSTIARY_PASSWORD_BREACH_CHECK": "on"}


@asynccontextmanager
async def a_door(
    door: str, folder: Path, settings: dict[str, str], **ports: Any
) -> AsyncIterator[tuple[World, Chooses]]:
    """A place to choose a password at, and the way to do it."""
    chooses, also = DOORS[door]
    async with make_world("sqlite", folder, {**also, **settings}, **ports) as world:
        yield world, chooses


@every_door
async def test_all_that_is_wrong_is_said_at_once_and_the_same_at_every_door(door: str, tmp_path: Path) -> None:
    settings = {
        **CHECKED,
        "OSTIARY_PASSWORD_REQUIRE": "lower,special",
        "OSTIARY_PASSWORD_MIN_SCORE": "2",
        "OSTIARY_BRAND": "NO",
    }
    ports = {"common_passwords": Shouted(), "strength": Loudness(), "breach_check": Breaches({"NO"})}
    async with a_door(door, tmp_path, settings, **ports) as (world, chooses):
        [first, *others] = await violations_of(chooses(world, "NO"))
    codes = [code for field, code in [first, *others] if field == first[0]]
    assert codes == ["too_short", "needs_lower", "needs_special", "personal", "common", "breached", "too_weak"]
    assert first[0] in ("password", "new_password")
    assert len(codes) == 1 + len(others), "and nothing but the password is wrong"


@every_door
async def test_a_breached_password_is_refused_at_every_door(door: str, tmp_path: Path) -> None:
    async with a_door(door, tmp_path, CHECKED, breach_check=Breaches({BREACHED})) as (world, chooses):
        assert [code for _, code in await violations_of(chooses(world, BREACHED))] == ["breached"]
        assert EventKind.BREACH_CHECK_FAILED not in world.events.kinds()


@every_door
async def test_when_nobody_can_say_the_password_is_taken_and_it_is_on_record(door: str, tmp_path: Path) -> None:
    """R09: somebody else's outage keeps nobody out."""
    breaches = Breaches({BREACHED})
    async with a_door(door, tmp_path, CHECKED, breach_check=breaches) as (world, chooses):
        breaches.reason = "timed_out"
        await chooses(world, BREACHED)
        [event, *_] = [event for event in world.events.recorded if event.kind is EventKind.BREACH_CHECK_FAILED]
        assert (event.reason, event.kind.failed) == ("timed_out", True)
        assert (event.email, event.identifier, event.user_id) == (None, None, None)


@every_door
async def test_the_database_is_not_held_while_somebody_else_is_asked(door: str, tmp_path: Path) -> None:
    """DESIGN section 1, rule 4: within a unit of work the other's sign-up would wait for it, and it for the sign-up."""
    breaches = Breaches()
    async with a_door(door, tmp_path, CHECKED, breach_check=breaches) as (world, chooses):
        breaches.meanwhile = lambda: world.ask_to_join("grace@example.com", PASSWORD, name="Grace")
        await chooses(world, BREACHED)
        assert breaches.asked[-2:] == [BREACHED, PASSWORD], "it went on while the other waited"


async def test_the_same_is_asked_for_an_address_that_is_taken_and_one_that_is_not(tmp_path: Path) -> None:
    breaches = Breaches({BREACHED})
    async with make_world("sqlite", tmp_path, CHECKED, breach_check=breaches) as world:
        await world.member()
        breaches.asked.clear()
        for email in (ADA, "nobody@example.com"):
            attempt = world.ask_to_join(email, BREACHED, name="Ada")
            assert await violations_of(attempt) == [("password", "breached")]
        assert breaches.asked == [BREACHED, BREACHED]


async def test_a_form_with_other_faults_is_told_all_of_them(tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, CHECKED, breach_check=Breaches({BREACHED})) as world:
        attempt = world.ask_to_join("nowhere", BREACHED, name="\x00")
        assert await violations_of(attempt) == [
            ("email", "invalid_email"),
            ("name", "invalid_characters"),
            ("password", "breached"),
        ]


async def test_what_is_too_large_to_work_on_is_neither_scored_nor_asked_about(tmp_path: Path) -> None:
    """R06: before any work."""
    breaches, loudness = Breaches(), Loudness()
    settings = {**CHECKED, "OSTIARY_PASSWORD_MIN_SCORE": "2"}
    async with make_world("memory", tmp_path, settings, breach_check=breaches, strength=loudness) as world:
        attempt = world.ask_to_join("nowhere", "A" * 1025, name="Ada")
        assert await violations_of(attempt) == [("email", "invalid_email"), ("password", "too_many_bytes")]
    assert (breaches.asked, loudness.own_words) == ([], [])


async def test_sign_in_judges_nothing(tmp_path: Path) -> None:
    breaches = Breaches()
    async with make_world("memory", tmp_path, CHECKED, breach_check=breaches) as world:
        await world.member()
        breaches.known, breaches.asked = {PASSWORD}, []
        await world.sign_in()
        assert breaches.asked == []


async def test_nobody_is_asked_unless_the_operator_wants_it(tmp_path: Path) -> None:
    breaches, loudness = Breaches({BREACHED}), Loudness()
    async with make_world("memory", tmp_path, breach_check=breaches, strength=loudness) as world:
        await world.sign_up(password=BREACHED)
    assert (breaches.asked, loudness.own_words) == ([], [])


async def test_a_score_takes_the_persons_own_words_and_the_products_into_account(tmp_path: Path) -> None:
    loudness = Loudness()
    async with make_world("memory", tmp_path, {"OSTIARY_PASSWORD_MIN_SCORE": "2"}, strength=loudness) as world:
        await world.sign_up(name="Ada Lovelace")
    assert {ADA, "ada", "Ada Lovelace", "Ostiary"} <= set(loudness.own_words)


@pytest.mark.parametrize(("least", "codes"), [("1", []), ("4", ["too_weak"])])
async def test_the_operator_says_which_score_is_good_enough(least: str, codes: list[str], tmp_path: Path) -> None:
    async with make_world("memory", tmp_path, {"OSTIARY_PASSWORD_MIN_SCORE": least}) as world:
        guessed_in_an_hour = "monkeydragon77"
        if codes:
            attempt = world.ask_to_join(ADA, guessed_in_an_hour, name="Ada")
            assert [code for _, code in await violations_of(attempt)] == codes
        else:
            await world.sign_up(password=guessed_in_an_hour)
