"""The contracts of `application.ports.units_of_work`, on every store: commit makes it true, nothing else does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, get_type_hints
from uuid import UUID, uuid4

import pytest

from application.ports import administration
from application.ports import units_of_work as ports
from application.ports.mailroom import Mailroom
from application.ports.transfer import Immigration
from application.ports.units_of_work import Units
from domain.email_address import EmailAddress
from domain.errors import RateLimited
from domain.events import Event, EventKind
from domain.letters import Occasion
from domain.one_time_token import Purpose
from domain.suppression import Suppression, SuppressionReason
from domain.user import Credential
from domain.username import Username
from tests.support.store_kinds import StoreUnderTest
from tests.support.store_samples import (
    ADA,
    GRACE,
    HASH,
    HOUR,
    NOW,
    a_letter,
    a_newcomer,
    a_reversal,
    a_session,
    a_sign_up,
    a_token,
    a_user,
    charge,
    keep_session,
    mint,
    queue,
    settle_in,
    wait_in_line,
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
        "journal",
        "own_reading",
        "own_request",
        "account_keeping",
        "oversight",
        "administration",
        "delivery",
        "mailroom",
        "emigration",
        "immigration",
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


def test_every_unit_that_writes_has_a_deed() -> None:
    openers = {opener for opener, protocol in OPENERS.items() if "commit" in promised(protocol)}
    assert openers == {prepare.__name__.removeprefix("deed_of_") for prepare in DEEDS}


async def test_who_asks_for_a_letter_to_a_new_address_is_given_nobody_to_look_it_up_in(units: Units) -> None:
    async with units.own_request() as unit:
        assert held(unit) == {"letters", "events", "commit"}
    async with units.own_reading() as reading:
        assert held(reading) == {"accounts", "sessions", "events"}
        for collection in (reading.accounts, reading.sessions, reading.events):
            assert held(collection) == {"of_user"}, "nothing to find anybody by, and nothing to change"


@pytest.mark.parametrize(
    "opener", ["proof_reading", "credential_reading", "session_reading", "own_reading", "oversight", "emigration"]
)
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


async def deed_of_administration(units: Units) -> Deed:
    user = await settle_in(units, a_user())
    session = a_session(user.id)
    await keep_session(units, session)

    async def do(unit: administration.Administration) -> None:
        await unit.everybodys_sessions.end(10)
        await unit.users.save(replace(user, role="admin"))

    async def done(units: Units) -> bool:
        ended = not await is_kept(units, session.id)
        async with units.oversight() as unit:
            found = await unit.directory.get(user.id)
        assert ended == (found is not None and found.role == "admin"), "all of it or nothing"
        return ended

    return Deed("administration", do, done)


async def deed_of_immigration(units: Units) -> Deed:
    newcomer = a_newcomer(username=Username("ada"))

    async def do(unit: Immigration) -> None:
        assert await unit.newcomers.add([newcomer], NOW) == {newcomer.user.id}

    async def done(units: Units) -> bool:
        async with units.emigration() as unit:
            here = await unit.residents.page(None, 10)
            held = await unit.residents.with_usernames({Username("ada")}, NOW)
        assert (here, held) in (([newcomer], {Username("ada")}), ([], set())), "all of it or nothing"
        return here != []

    return Deed("immigration", do, done)


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


async def deed_of_mailroom(units: Units) -> Deed:
    letter, address = a_letter(), EmailAddress("gone@example.com")
    await queue(units, letter)
    suppression = Suppression(
        email=address, reason=SuppressionReason.COMPLAINT, source="report", since=NOW, until=NOW + HOUR
    )

    async def do(unit: Mailroom) -> None:
        assert await unit.letters.abandon(letter.id, NOW, "by hand")
        assert await unit.suppressions.add(suppression)

    async def done(units: Units) -> bool:
        async with units.delivery() as unit:
            given_up = not await unit.letters.lease(uuid4(), NOW, 10)
            kept = await unit.suppressed.of(address, NOW) is not None
        assert given_up == kept, "all of it or nothing"
        return kept

    return Deed("mailroom", do, done)


async def deed_of_journal(units: Units) -> Deed:
    user_id = (await settle_in(units, a_user())).id

    async def do(unit: ports.Journal) -> None:
        await unit.events.add(Event(kind=EventKind.SIGN_IN_FAILED, user_id=user_id), NOW)

    async def done(units: Units) -> bool:
        return await is_on_record(units, user_id)

    return Deed("journal", do, done)


async def deed_of_own_request(_units: Units) -> Deed:
    user_id = uuid4()

    async def do(unit: ports.OwnRequest) -> None:
        await unit.letters.enqueue(a_letter(occasion=Occasion.CHANGE_EMAIL, subject_id=user_id, credential_version=1))
        await unit.events.add(Event(kind=EventKind.EMAIL_CHANGE_REQUESTED, user_id=user_id), NOW)

    async def done(units: Units) -> bool:
        async with units.delivery() as unit:
            queued = len(await unit.letters.lease(uuid4(), NOW, 10)) == 1
        assert queued == await is_on_record(units, user_id), "a request and its record come and go together"
        return queued

    return Deed("own_request", do, done)


async def deed_of_account_keeping(units: Units) -> Deed:
    name = Username("ada")
    user = await settle_in(units, a_user(email=ADA, username=name))
    session, token, sign_up = a_session(user.id), a_token(), a_sign_up()
    await keep_session(units, session)
    await mint(units, token)
    await wait_in_line(units, sign_up)
    async with units.proving() as proving:
        await proving.usernames.claim(name, holder=user.id, now=NOW, expires_at=None)
        await proving.commit()
    reversal = a_reversal(user_id=user.id)

    async def do(unit: ports.AccountKeeping) -> None:
        """Everything that any of them does, at once."""
        credential, held = await unit.accounts.hold(user.id), await unit.users.hold(user.id)
        assert credential is not None
        assert held is not None
        await unit.accounts.replace(credential, HASH, NOW)
        assert await unit.users.save(replace(held, email=GRACE, username=None))
        await unit.usernames.release(name, holder=user.id, expires_at=NOW)
        await unit.sign_ups.delete(sign_up.id)
        await unit.sessions.end_all(user.id)
        assert await unit.tokens.spend(token.digest, token.purpose, NOW)
        await unit.letters.enqueue(a_letter(subject_id=reversal.id))
        await unit.reversals.add(reversal)
        await unit.events.add(Event(kind=EventKind.PASSWORD_CHANGED, user_id=user.id), NOW)

    async def done(units: Units) -> bool:
        async with units.account_keeping() as unit:
            credential = await unit.accounts.of_user(user.id)
            found = await unit.tokens.find(token.digest, token.purpose)
            seen = [
                credential is None or credential.version == 2,
                await unit.users.get(user.id) == replace(user, email=GRACE, username=None),
                await unit.usernames.claim(name, holder=uuid4(), now=NOW, expires_at=None),
                await unit.sign_ups.get(sign_up.id) is None,
                found is not None and found.used_at is not None,
                await unit.reversals.get(reversal.id) == reversal,
            ]
        async with units.delivery() as delivery:
            seen.append(len(await delivery.letters.lease(uuid4(), NOW, 10)) == 1)
        seen += [not await is_kept(units, session.id), await is_on_record(units, user.id)]
        assert len(set(seen)) == 1, "all of it or nothing"
        return seen[0]

    return Deed("account_keeping", do, done)


async def is_on_record(units: Units, user_id: UUID) -> bool:
    async with units.own_reading() as unit:
        return bool(await unit.events.of_user(user_id, before=None, most=1))


async def is_kept(units: Units, session_id: UUID) -> bool:
    async with units.session_reading() as unit:
        return await unit.sessions.find(session_id) is not None


DEEDS = [
    deed_of_intake,
    deed_of_open_intake,
    deed_of_proving,
    deed_of_signing_in,
    deed_of_session_keeping,
    deed_of_journal,
    deed_of_own_request,
    deed_of_account_keeping,
    deed_of_administration,
    deed_of_delivery,
    deed_of_mailroom,
    deed_of_immigration,
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
