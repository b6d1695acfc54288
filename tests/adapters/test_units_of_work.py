"""The contracts of `application.ports.units_of_work`, on every store: commit makes it true, nothing else does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints
from uuid import UUID, uuid4

import pytest

from application.ports import units_of_work as ports
from application.ports.units_of_work import Units
from domain.errors import RateLimited
from domain.one_time_token import Purpose
from domain.user import Credential
from tests.support.store_kinds import StoreUnderTest
from tests.support.store_samples import (
    ADA,
    HASH,
    NOW,
    a_letter,
    a_session,
    a_sign_up,
    a_token,
    a_user,
    charge,
    keep_session,
    queue,
    settle_in,
)

OPENERS: dict[str, type] = {
    name: get_type_hints(opener)["return"].__args__[0] for name, opener in vars(Units).items() if name[0] != "_"
}
"""What `Units` promises: the name of each opener, and the Protocol it opens."""


def promised(protocol: type) -> set[str]:
    """The public names that a Protocol spells out, its bases' included."""
    return {name for base in protocol.__mro__ for name in vars(base) if not name.startswith("_")}


def held(unit: object) -> set[str]:
    """The public names that an object has at run time."""
    return {name for name in dir(unit) if not name.startswith("_")}


def test_every_unit_of_work_is_in_the_table_of_contents() -> None:
    assert set(OPENERS) == {
        "intake",
        "open_intake",
        "proof_reading",
        "proving",
        "credential_reading",
        "signing_in",
        "session_reading",
        "session_keeping",
        "delivery",
    }


@pytest.mark.parametrize("opener", OPENERS)
async def test_a_unit_holds_exactly_the_collections_its_protocol_names_at_run_time_too(
    units: Units, opener: str
) -> None:
    async with getattr(units, opener)() as unit:
        assert held(unit) == promised(OPENERS[opener])


async def test_who_answers_strangers_is_given_no_users_accounts_or_sessions(units: Units) -> None:
    async with units.intake() as intake:
        assert held(intake) == {"sign_ups", "usernames", "letters", "commit"}
        for secret in ("users", "accounts", "sessions", "tokens"):
            assert not hasattr(intake, secret)


@pytest.mark.parametrize("opener", ["proof_reading", "credential_reading", "session_reading"])
async def test_a_unit_that_only_reads_cannot_commit(units: Units, opener: str) -> None:
    assert "commit" not in promised(OPENERS[opener])
    async with getattr(units, opener)() as unit:
        assert not hasattr(unit, "commit")


@pytest.mark.parametrize("opener", OPENERS)
async def test_a_collection_of_a_unit_has_every_method_of_its_port_and_no_other(units: Units, opener: str) -> None:
    async with getattr(units, opener)() as unit:
        for name in promised(OPENERS[opener]) - {"commit"}:
            port = get_type_hints(vars_of(OPENERS[opener])[name].fget)["return"]
            assert held(getattr(unit, name)) == promised(port), name


def vars_of(protocol: type) -> dict[str, Any]:
    return {name: value for base in reversed(protocol.__mro__) for name, value in vars(base).items()}


class Deed:
    """Something a unit can do, and a way to see from another unit whether it was done."""

    def __init__(self, opener: str, do: Callable[[Any], Awaitable[object]], done: Callable[[Units], Awaitable[bool]]):
        self.opener, self.do, self.done = opener, do, done


async def deed_of_intake(_units: Units) -> Deed:
    sign_up = a_sign_up()

    async def do(unit: ports.Intake) -> None:
        await unit.sign_ups.add(sign_up)
        await unit.letters.enqueue(a_letter(subject_id=sign_up.id))

    async def done(units: Units) -> bool:
        async with units.delivery() as unit:
            kept = await unit.sign_ups.get(sign_up.id) is not None
            queued = len(await unit.letters.lease(uuid4(), NOW, 10)) == 1
        assert kept == queued, "a sign-up and its letter come and go together"
        return kept

    return Deed("intake", do, done)


async def deed_of_proving(_units: Units) -> Deed:
    user = a_user(email=ADA)

    async def do(unit: ports.Proving) -> None:
        await unit.users.add(user)
        await unit.accounts.add(uuid4(), Credential(user_id=user.id, password_hash=HASH), NOW)

    async def done(units: Units) -> bool:
        async with units.credential_reading() as unit:
            return await unit.logins.by_email(ADA) is not None

    return Deed("proving", do, done)


async def deed_of_open_intake(_units: Units) -> Deed:
    user = a_user(email=ADA)

    async def do(unit: ports.OpenIntake) -> None:
        await unit.users.add(user)
        await unit.accounts.add(uuid4(), Credential(user_id=user.id, password_hash=HASH), NOW)
        await unit.letters.enqueue(a_letter(subject_id=user.id))

    async def done(units: Units) -> bool:
        async with units.delivery() as unit:
            added = await unit.users.get(user.id) is not None
            queued = len(await unit.letters.lease(uuid4(), NOW, 10)) == 1
        assert added == queued, "a user and the letter come and go together"
        return added

    return Deed("open_intake", do, done)


async def deed_of_signing_in(units: Units) -> Deed:
    user = await settle_in(units, a_user())
    session = a_session(user.id)

    async def do(unit: ports.SigningIn) -> None:
        await unit.sessions.add(session)

    async def done(units: Units) -> bool:
        return await is_kept(units, session.id)

    return Deed("signing_in", do, done)


async def deed_of_session_keeping(units: Units) -> Deed:
    user = await settle_in(units, a_user())
    session = a_session(user.id)
    await keep_session(units, session)

    async def do(unit: ports.SessionKeeping) -> None:
        await unit.sessions.end(session.id)

    async def done(units: Units) -> bool:
        return not await is_kept(units, session.id)

    return Deed("session_keeping", do, done)


async def deed_of_delivery(units: Units) -> Deed:
    letter, token, one_only = a_letter(), a_token(), charge("ada", 1)
    await queue(units, letter)

    async def do(unit: ports.Delivery) -> None:
        await unit.letters.lease(uuid4(), NOW, 10)
        await unit.tokens.add(token)
        await unit.limits.spend([one_only], NOW)

    async def done(units: Units) -> bool:
        async with units.delivery() as unit:
            leased = not await unit.letters.lease(uuid4(), NOW, 10)
            minted = await unit.tokens.find(token.digest, Purpose.VERIFY_ADDRESS) is not None
            try:
                await unit.limits.spend([one_only], NOW)
            except RateLimited:
                spent = True
            else:
                spent = False
        assert leased == minted == spent, "all of it or nothing"
        return leased

    return Deed("delivery", do, done)


async def is_kept(units: Units, session_id: UUID) -> bool:
    async with units.session_reading() as unit:
        return await unit.sessions.find(session_id) is not None


DEEDS = [
    deed_of_intake,
    deed_of_open_intake,
    deed_of_proving,
    deed_of_signing_in,
    deed_of_session_keeping,
    deed_of_delivery,
]
each_deed = pytest.mark.parametrize("prepare", DEEDS, ids=lambda prepare: prepare.__name__.removeprefix("deed_of_"))
Prepare = Callable[[Units], Awaitable[Deed]]


@each_deed
async def test_commit_makes_it_true(units: Units, prepare: Prepare) -> None:
    deed = await prepare(units)
    async with getattr(units, deed.opener)() as unit:
        await deed.do(unit)
        await unit.commit()
    assert await deed.done(units)


@each_deed
async def test_leaving_without_commit_leaves_no_trace(units: Units, prepare: Prepare) -> None:
    deed = await prepare(units)
    async with getattr(units, deed.opener)() as unit:
        await deed.do(unit)
    assert not await deed.done(units)


async def leave_with(units: Units, deed: Deed, error: BaseException) -> None:
    async with getattr(units, deed.opener)() as unit:
        await deed.do(unit)
        raise error


@each_deed
@pytest.mark.parametrize("error", [ValueError, RuntimeError, RateLimited], ids=lambda error: error.__name__)
async def test_leaving_with_an_exception_leaves_no_trace_and_passes_the_exception_on(
    units: Units, prepare: Prepare, error: type[Exception]
) -> None:
    deed = await prepare(units)
    raised = RateLimited(limit="x", retry_after=NOW - NOW, policy=None) if error is RateLimited else error("mine")
    with pytest.raises(error) as caught:
        await leave_with(units, deed, raised)
    assert caught.value is raised
    assert not await deed.done(units)


@each_deed
async def test_being_cancelled_leaves_no_trace_and_the_next_unit_opens(units: Units, prepare: Prepare) -> None:
    deed = await prepare(units)
    inside = asyncio.Event()

    async def dawdle() -> None:
        async with getattr(units, deed.opener)() as unit:
            await deed.do(unit)
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(dawdle())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await deed.done(units)
    async with getattr(units, deed.opener)() as unit:
        await deed.do(unit)
        await unit.commit()
    assert await deed.done(units)


async def test_being_cancelled_while_waiting_for_the_writer_leaves_no_trace_and_keeps_nobody_waiting(
    units: Units,
) -> None:
    async def write() -> None:
        async with units.intake() as unit:
            await unit.sign_ups.add(a_sign_up())
            await unit.commit()

    async with units.intake() as unit:
        waiting = asyncio.create_task(write())
        for _ in range(5):
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await unit.sign_ups.add(a_sign_up())
        await unit.commit()
    await write()


async def test_what_a_unit_does_is_seen_by_itself_at_once_and_by_others_after_commit(units: Units) -> None:
    sign_up = a_sign_up()
    async with units.intake() as writer:
        await writer.sign_ups.add(sign_up)
        assert await writer.sign_ups.get(sign_up.id) == sign_up
        async with units.proof_reading() as reader:
            assert await reader.sign_ups.get(sign_up.id) is None
        await writer.commit()
    async with units.proof_reading() as reader:
        assert await reader.sign_ups.get(sign_up.id) == sign_up


async def test_many_units_at_once_lose_nothing(store: StoreUnderTest) -> None:
    sign_ups = [a_sign_up() for _ in range(50)]

    async def write(number: int) -> None:
        async with store.units.intake() as unit:
            assert await unit.sign_ups.get(uuid4()) is None  # read first, write later: what loses under BEGIN DEFERRED
            await unit.sign_ups.add(sign_ups[number])
            await unit.commit()

    await asyncio.gather(*map(write, range(50)))
    async with store.units.proof_reading() as unit:
        assert [await unit.sign_ups.get(sign_up.id) for sign_up in sign_ups] == sign_ups
