"""What is charged and what is given back, for each use case and outcome (DESIGN section 4): docs/limits.md."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

import pytest

from application.ports.limits import Limits
from domain.errors import (
    AlreadyVerified,
    InvalidCredentials,
    Overloaded,
    PasswordRequired,
    RateLimited,
    TokenExpired,
    TokenInvalid,
    Unavailable,
    ValidationError,
)
from domain.limits import Charge, Unit
from tests.support.refusals import refused
from tests.support.variations import BusyHasher, StalledHasher, changed, client, disabled_user, failing_at_commit
from tests.support.world import ADA, PASSWORD, World

BOB = "bob@example.com"
CAROL = "carol@example.com"
WRONG = "not the password at all"
SPENDING = ("sign_up", "verify_email", "resend_verification", "sign_in")
FAR = client(77)

pytestmark = pytest.mark.every_store


class Counted:
    """`Limits` around another that keeps the balance: what was taken and not given back, by limit."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.kept: list[Unit] = []

    async def spend(self, charges: Sequence[Charge], now: datetime) -> list[Unit]:
        units = await self._limits.spend(charges, now)
        self.kept += units
        return units

    async def give_back(self, units: Sequence[Unit]) -> None:
        await self._limits.give_back(units)
        self._returned(units)

    def _returned(self, units: Sequence[Unit]) -> None:
        self.kept = [unit for unit in self.kept if unit not in units]

    def watching(self, opens: Callable[[], AbstractAsyncContextManager[Any]]) -> Callable[[], Any]:
        """The same unit of work, whose own limits are counted too."""

        @asynccontextmanager
        async def opened() -> AsyncIterator[Any]:
            async with opens() as unit:
                within = Counted(unit.limits)
                within._returned = self._returned  # type: ignore[method-assign]
                unit.limits = within
                yield unit

        return opened


def counting(world: World, **changes: Any) -> tuple[World, Counted]:
    """The same world, watched; with other adapters in some ports of every use case that spends."""
    counted = Counted(world.use_cases.sign_in.limits)
    changes["signing_in"] = counted.watching(changes.get("signing_in", world.use_cases.sign_in.signing_in))
    made = {name: with_ports(getattr(world.use_cases, name), limits=counted, **changes) for name in SPENDING}
    return changed(world, **made), counted


def with_ports(part: Any, **ports: Any) -> Any:
    """The same use case with other adapters in these ports, as far as it and its parts have them."""
    parts = {each.name: getattr(part, each.name) for each in fields(part)}
    fitting = {
        name: ports[name] if name in ports else with_ports(value, **ports)
        for name, value in parts.items()
        if name in ports or type(value).__module__.startswith("application.")
    }
    return replace(part, **fitting)


async def balance(counted: Counted, attempt: Awaitable[object]) -> tuple[type[BaseException] | None, set[str]]:
    """How an attempt ends, and the limits it has used up a unit of."""
    counted.kept = []
    outcome = await refused(attempt)
    return outcome, {unit.limit for unit in counted.kept}


SIGN_IN = {"sign_in_pair", "sign_in_address", "sign_in_client"}
SIGN_UP = {"sign_up_client", "sign_up_address", "letter_day"}
LETTER = {"letter_minute", "letter_hour", "letter_day", "letter_client"}


async def test_sign_in_keeps_the_units_of_a_failure_and_of_nothing_else(any_world: World) -> None:
    await any_world.member()
    await any_world.sign_up(BOB)
    await disabled_user(any_world, CAROL, PASSWORD)
    world, counted = counting(any_world)
    failures = [(ADA, WRONG), (BOB, PASSWORD), (CAROL, PASSWORD), ("nobody@example.com", PASSWORD)]
    for email, password in failures:
        assert await balance(counted, world.sign_in(email, password)) == (InvalidCredentials, SIGN_IN)
    assert await balance(counted, world.sign_in()) == (None, set())
    assert await balance(counted, world.sign_in("nonsense")) == (ValidationError, set())
    marks = (await world.sign_in()).device_marks
    assert await balance(counted, world.sign_in(password=WRONG, marks=marks)) == (
        InvalidCredentials,
        {"sign_in_device"},
    )
    assert await balance(counted, world.sign_in(marks=marks)) == (None, set())
    for held in (None, marks):
        busy, counted = counting(any_world, hasher=BusyHasher())
        assert await balance(counted, busy.sign_in(marks=held)) == (Overloaded, set())
        opens = any_world.use_cases.sign_in.signing_in
        broken, counted = counting(any_world, signing_in=failing_at_commit(opens))
        assert await balance(counted, broken.sign_in(marks=held)) == (Unavailable, set())
    for _ in range(5):
        await refused(any_world.sign_in(password=WRONG))
    world, counted = counting(any_world)
    assert await balance(counted, world.sign_in()) == (RateLimited, set())


async def test_sign_up_keeps_its_units_until_it_is_proven_by_its_own_browser(any_world: World) -> None:
    world, counted = counting(any_world)
    assert await balance(counted, world.sign_up(password="short")) == (ValidationError, set())
    assert await balance(counted, world.sign_up()) == (None, SIGN_UP)
    busy, counted = counting(any_world, hasher=BusyHasher())
    assert await balance(counted, busy.sign_up()) == (Overloaded, set())
    broken, counted = counting(any_world, intake=failing_at_commit(any_world.use_cases.sign_up.intake))
    assert await balance(counted, broken.sign_up()) == (Unavailable, set())


@pytest.mark.parametrize("own_browser", [True, False])
async def test_proving_by_the_sign_up_cookie_returns_the_clients_unit_and_no_other(
    own_browser: bool, any_world: World
) -> None:
    world, counted = counting(any_world)
    sent = await world.sign_up()
    token = await world.token_for()
    if own_browser:
        await world.verify(token, client=FAR, cookie=sent.cookie.text)
    else:
        await world.verify(token, client=FAR, password=PASSWORD)
    left = {"sign_up_address", "letter_day"} if own_browser else SIGN_UP
    assert {unit.limit for unit in counted.kept} == left


async def test_verification_keeps_the_units_of_guesses_only(any_world: World) -> None:
    sent = await any_world.sign_up()
    token = await any_world.token_for()
    world, counted = counting(any_world)
    assert await balance(counted, world.verify("A" * 43)) == (TokenInvalid, {"token_client"})
    assert await balance(counted, world.verify("no token")) == (TokenInvalid, {"token_client"})
    assert await balance(counted, world.verify(token)) == (PasswordRequired, set())
    assert await balance(counted, world.verify(token, password=WRONG)) == (PasswordRequired, {"waiting_password"})
    assert await balance(counted, world.verify(token, new_password="short")) == (ValidationError, set())
    assert await balance(counted, world.verify(token, name="")) == (PasswordRequired, set())
    busy, counted = counting(any_world, hasher=BusyHasher())
    assert await balance(counted, busy.verify(token, password=PASSWORD)) == (Overloaded, set())
    assert await balance(counted, busy.verify(token, new_password=WRONG)) == (Overloaded, set())
    opens = any_world.use_cases.verify_email.proving
    broken, counted = counting(any_world, proving=failing_at_commit(opens))
    assert await balance(counted, broken.verify(token, password=PASSWORD)) == (Unavailable, set())
    for _ in range(4):
        await refused(any_world.verify(token, password=WRONG))
    world, counted = counting(any_world)
    assert await balance(counted, world.verify(token, password=PASSWORD)) == (RateLimited, set())
    assert await balance(counted, world.verify(token, cookie=sent.cookie.text)) == (None, set())
    assert await balance(counted, world.verify(token, cookie=sent.cookie.text)) == (AlreadyVerified, set())
    assert await balance(counted, world.verify(token)) == (TokenInvalid, {"token_client"})


async def test_a_token_that_came_too_late_costs_nothing(any_world: World) -> None:
    await any_world.sign_up()
    token = await any_world.token_for()
    any_world.clock.advance(hours=1)
    world, counted = counting(any_world)
    assert await balance(counted, world.verify(token)) == (TokenExpired, set())


async def test_asking_again_keeps_its_units_unless_the_service_turned_it_away(any_world: World) -> None:
    world, counted = counting(any_world)
    assert await balance(counted, world.resend(email="nonsense")) == (ValidationError, set())
    assert await balance(counted, world.resend()) == (ValidationError, set())
    assert await balance(counted, world.resend(email=ADA)) == (None, LETTER)
    assert await balance(counted, world.resend(email=ADA)) == (RateLimited, set())
    broken, counted = counting(any_world, intake=failing_at_commit(any_world.use_cases.sign_up.intake))
    assert await balance(counted, broken.resend(email=BOB)) == (Unavailable, set())


# Somebody who is gone before the answer


async def interrupted(hasher: StalledHasher, attempt: Awaitable[object]) -> None:
    """Let an attempt get as far as the hash, and end it there."""
    task = asyncio.ensure_future(attempt)
    await hasher.busy.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    hasher.open.set()


async def test_a_guess_that_is_broken_off_in_the_middle_is_a_guess(any_world: World) -> None:
    """Its hash is computed all the same; given back, it would be a free one."""
    await any_world.member()
    hasher = StalledHasher(any_world.use_cases.sign_in.hasher)
    world, counted = counting(any_world, hasher=hasher)
    await interrupted(hasher, world.sign_in())
    assert {unit.limit for unit in counted.kept} == SIGN_IN
    assert [await refused(any_world.sign_in(password=WRONG)) for _ in range(5)] == [InvalidCredentials] * 4 + [
        RateLimited
    ]


async def test_what_is_broken_off_in_the_middle_leaves_nothing_half_done(any_world: World) -> None:
    hasher = StalledHasher(any_world.use_cases.sign_up.hasher)
    world, counted = counting(any_world, hasher=hasher)
    await interrupted(hasher, world.sign_up())
    assert {unit.limit for unit in counted.kept} == SIGN_UP
    await any_world.deliver()
    assert any_world.mailbox.letters == []

    await any_world.sign_up()
    token = await any_world.token_for()
    hasher = StalledHasher(any_world.use_cases.sign_up.hasher)
    world, counted = counting(any_world, hasher=hasher)
    await interrupted(hasher, world.verify(token, password=PASSWORD))
    assert {unit.limit for unit in counted.kept} == {"token_client", "waiting_password"}
    await any_world.verify(token, password=PASSWORD)
    assert (await any_world.sign_in()).user.email.canonical == ADA
